import pytest

from geneface.errors import InputError
from geneface.speaking.text import LONGEST_SENTENCE, LONGEST_TEXT, check_text, paragraphs


def sentences(text: str) -> list[list[str]]:
    return list(paragraphs(text))


def test_sentences_end_where_a_reader_pauses() -> None:
    text = 'Dr. Smith met Mr. J. Jones, e.g. in St. Louis. "Really?" Yes! It cost $3.50 … No. 5 won.\nSo what'
    assert sentences(text) == [
        [
            "Dr. Smith met Mr. J. Jones, e.g. in St. Louis.",
            '"Really?"',
            "Yes!",
            "It cost $3.50 …",
            "No. 5 won.",
            "So what",
        ]
    ]


def test_an_empty_line_ends_a_paragraph_and_nothing_is_said_of_marks_alone() -> None:
    assert sentences("One line\nand its next.\n \nTwo.\n\n\n* * *\n\nThree.") == [
        ["One line and its next."],
        ["Two."],
        ["Three."],
    ]


@pytest.mark.parametrize("joint", [", ", "; ", " ", ""])
def test_long_sentences_are_cut_and_nothing_is_lost(joint: str) -> None:
    text = joint.join(f"word{number}" for number in range(400))
    ((*parts,),) = sentences(text)
    assert max(map(len, parts)) <= LONGEST_SENTENCE and len(parts) < 2.5 * len(text) / LONGEST_SENTENCE
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to say"),
        (" \n\t ", "nothing to say"),
        ("?! … 🙂", "nothing to say"),
        ("Hello 你好", '"你好" in Chinese letters'),
        ("Привет, мир", '"Привет" in Cyrillic letters'),
        ("مرحبا", "Arabic"),
        ("a" * (LONGEST_TEXT + 1), "more than the 9,000"),
    ],
)
def test_what_cannot_be_spoken_is_said(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        check_text(text)
    assert "\n" not in str(error.value)


def test_what_english_texts_have_in_them_is_taken() -> None:
    text = "Ærøskøbing, naïve café: 5 µm, α and β – 3 × 4 = 12 № ﬁ\x00ne"
    assert check_text(f" {text} ") == text.replace("\x00", " ")
