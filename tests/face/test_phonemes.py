import pytest

from geneface.face.phonemes import INVENTORY, SILENCE, normalise


@pytest.mark.parametrize(
    ("ipa", "symbols"),
    [
        ("ðə lˈiːd hæd dɹˈaɪd", "ð ə l i d h æ d ɹ a ɪ d"),
        ("vˈɜːld bˈɛɾɚ", "v ɜ l d b ɛ ɾ ə ɹ"),
        ("tʃˈɜːtʃ d͡ʒ", "t ʃ ɜ t ʃ d ʒ"),
        ("sjˈɔ̃ œ̃", "s j ɔ œ"),
        ("ʔalllˈah", "ʔ a l a h"),
        ("vˌ??də ˌʊntɜ", "v ʊ ə d ə ʊ n t ɜ"),
        ("kwˈa5n ts.ˈi.5 tɕhˈonɡ5 χˈo-ɜ", "k w a n t ʃ ɨ t ʃ o ŋ x ʌ"),
        ("sˈi̪5 s.hˈɑɜ", "s ɨ ʃ ɑ"),
        ("dZˈoe: t[ɑNqˈɯʃ", "d ʒ o e t ɑ ŋ k ɨ ʃ"),
        ("nˈɪçt (en)wˈiː(de)", "n ɪ ʃ t w i"),
        ("pr̝̊ɪnˈäsɯᵝ", "p r ɪ n a s ɨ"),
        ("", ""),
        (" ˈˌː", ""),
    ],
)
def test_normalise(ipa: str, symbols: str) -> None:
    assert normalise(ipa) == symbols.split()


def test_a_symbol_of_the_inventory_stays_itself() -> None:
    assert INVENTORY[0] == SILENCE
    assert len(set(INVENTORY)) == len(INVENTORY) == 46
    for symbol in INVENTORY:
        assert normalise(symbol) == [symbol]


def test_every_ipa_letter_gives_a_sound() -> None:
    for letter in "ɐɶɵɘɞɤɯʉʏᵻɚɝɓβɸʋʍɥɱʈɖɗɳɲɴɽɻʀʁɫɭʎɬɮcɟʄʦʧʤɕʂçʑʐʝɡgɢɣɰqχħɦʕ":
        assert normalise(letter), letter


@pytest.mark.real_data
def test_every_transcript_gives_phonemes_at_a_speakable_rate(shared) -> None:
    from geneface.corpora.speech import read_speech

    corpus = read_speech(shared / "data/speech")
    assert len(corpus) > 8000
    heard = {symbol for clip in corpus.clips for symbol in clip.phonemes}
    assert heard == set(INVENTORY) - {SILENCE}
    assert {clip.split for clip in corpus.clips} == {"train", "test", "heldout"}
    assert not any(clip.split == "train" and clip.language in ("el", "ka", "ta", "vi", "tr") for clip in corpus.clips)
