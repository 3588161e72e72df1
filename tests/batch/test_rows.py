import json
from pathlib import Path

import pytest

from geneface.batch.names import different_names, name_of_text, safe_name
from geneface.batch.rows import Row, read_list, rows_of
from geneface.errors import InputError

DEFAULTS = Row(person="vera", voice="af_bella", options={"size": 128, "head": 0.5})


def write(folder: Path, name: str, *lines: str) -> Path:
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder / name


def test_a_table_and_a_list_of_objects_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    write(tmp_path, "back.png", "")
    table = write(
        tmp_path,
        "list.csv",
        "\ufeffaudio,text,person,size,head,background,name,subtitles",
        "a.wav,,anna,256,1.5,back.png,first,",
        ',"Hello, ""you""",theo,,,#20a0ff,,burn',
    )
    objects = write(
        tmp_path,
        "list.jsonl",
        json.dumps(
            {"audio": "a.wav", "person": "anna", "size": 256, "head": 1.5, "background": "back.png", "name": "first"}
        ),
        "",
        json.dumps({"text": 'Hello, "you"', "person": "theo", "background": "#20a0ff", "subtitles": "burn"}),
    )
    rows = read_list(table, DEFAULTS)
    assert rows == read_list(objects, DEFAULTS)
    first, second = rows
    assert first.audio == str(tmp_path / "a.wav") and first.person == str(tmp_path / "anna")
    assert first.options == {"size": 256, "head": 1.5, "background": str(tmp_path / "back.png")}
    assert second.text == 'Hello, "you"' and second.voice == "af_bella" and second.person == "theo"
    assert second.options == {"size": 128, "head": 0.5, "background": "#20a0ff"}
    assert [row.checked().size for row in rows] == [256, 128]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_tables_of_other_separators(tmp_path: Path, separator: str) -> None:
    table = write(tmp_path, "list.CSV", separator.join(("text", "seed")), separator.join(("One, two", "3")))
    (row,) = read_list(table, Row())
    assert (row.text, row.options) == ("One, two", {"seed": 3})


@pytest.mark.parametrize(
    ("name", "lines", "words"),
    [
        ("list.csv", ["text,size", "Hi,many"], "line 2: size is 'many', no number"),
        ("list.csv", ["text,size", "Hi,33,4"], "line 2: it has more cells"),
        ("list.csv", ["text,size", "Hi,33"], "size is 33"),
        ("list.csv", ["text,audio", "Hi,a.wav"], "not both"),
        ("list.csv", ["text,person", ",vera"], "not both"),
        ("list.csv", ["text,subtitles", "Hi,loud"], "subtitles is 'loud'"),
        ("list.jsonl", ['{"text": "Hi"'], "line 1: it is no JSON"),
        ("list.jsonl", ["[1]"], "no JSON object"),
        ("list.jsonl", ['{"text": 3}'], "text is no text"),
        ("list.jsonl", ['{"text": "Hi", "size": [3]}'], r"size is \[3\]"),
        ("list.jsonl", ['{"text": "Hi", "head": NaN}'], "head is nan"),
    ],
)
def test_a_wrong_row_keeps_its_error_for_itself(tmp_path: Path, name: str, lines: list[str], words: str) -> None:
    good = {"list.csv": ["Good."], "list.jsonl": ['{"text": "Good."}']}[name]
    rows = read_list(write(tmp_path, name, *lines, *good), Row())
    with pytest.raises(InputError, match=words):
        rows[0].checked()
    rows[-1].checked()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.csv", b"text,colour\nHi,red", "line 2: there is no column 'colour'; there are audio, text, "),
        ("list.csv", b"text\n\n", "lists nothing"),
        ("list.jsonl", b"", "lists nothing"),
        ("list.csv", b"text\n\xff\xfe", "save it as UTF-8"),
        ("list.csv", b'text\n"never closed', "write it again"),
    ],
)
def test_a_wrong_list_is_said_before_any_work(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_list(tmp_path / name, Row())
    with pytest.raises(InputError, match="does not exist"):
        read_list(tmp_path / "other.csv", Row())


def test_recordings_and_lists_may_be_mixed(tmp_path: Path) -> None:
    table = write(tmp_path, "list.csv", "text", "One.", "Two.")
    rows = rows_of(["a.wav", str(table), "b.wav"], DEFAULTS)
    assert [row.audio or row.text for row in rows] == ["a.wav", "One.", "Two.", "b.wav"]
    assert all(row.options == DEFAULTS.options for row in rows)


@pytest.mark.parametrize(
    "wish",
    [
        "../../etc/passwd",
        "/abs",
        "C:\\x",
        "a\x00b\nc",
        "...",
        "",
        "CON",
        "nul.txt",
        "x" * 999,
        "é" * 999,
        "-o",
        "~",
        "\u202e",
    ],
)
def test_no_name_leads_out_of_the_folder(wish: str) -> None:
    name = safe_name(wish)
    assert Path(name).name == name and not name.startswith((".", "-")) and name.isprintable()
    assert 0 < len(name.encode()) <= 121 and name.partition(".")[0].upper() not in ("CON", "NUL")


def test_usual_names_stay_as_they_are() -> None:
    for name in ("hello", "Grüße an alle", "take_2 (final)", "第一"):
        assert safe_name(name) == name
    assert name_of_text("Hello, and welcome! It is lovely to see you here.") == "Hello-and-welcome-It-is-lovely"


def test_names_never_collide_and_those_asked_for_go_first() -> None:
    given = ["", "", "a", "", "A", "", "é"]
    made = ["a", "a", "x", "a-2", "x", "E\u0301", "x"]
    names = different_names(given, made)
    assert names == ["a-3", "a-4", "a", "a-2-2", "A-2", "É-2", "é"]
    assert len({name.casefold() for name in names}) == len(names)
