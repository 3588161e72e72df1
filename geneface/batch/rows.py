"""What many videos are made of: a row for each, from recordings or from a list in a .csv or .jsonl file."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from geneface.errors import InputError
from geneface.media.subtitles import HOW
from geneface.options import TRANSPARENT, GenerationOptions, specs
from geneface.utils.untrusted import MEGABYTE, read_plain

LISTS = (".csv", ".jsonl")
LONGEST_LIST = 256 * MEGABYTE
MOST_ROWS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One video to make; plain values, so that it can be sent to another process or machine."""

    audio: str = ""
    """The recording; or"""
    text: str = ""
    """what is said."""
    voice: str = ""
    person: str = ""
    name: str = ""
    """Of the video, without its suffix; made from recording or text if empty."""
    subtitles: str = ""
    """How, one of `media.subtitles.HOW`; none if empty."""
    transcript: str = ""
    """A file of what the recording says, for subtitles."""
    options: dict[str, object] = field(default_factory=dict)
    """Fields of `GenerationOptions` by name."""
    error: str = ""
    """Why it cannot be made, if its line in the list shows that already."""

    def checked(self) -> GenerationOptions:
        """Its options; `InputError` for whatever is wrong that can be seen without work."""
        if self.error:
            raise InputError(self.error)
        if bool(self.audio) == bool(self.text):
            raise InputError("a row needs a recording (audio) or a text, and not both")
        if self.subtitles and self.subtitles not in HOW:
            raise InputError(f"subtitles is {self.subtitles!r}; it must be {', '.join(HOW)}, or empty")
        return GenerationOptions.of(**self.options)


COLUMNS = tuple(each.name for each in fields(Row) if each.name not in ("options", "error"))
FILES = ("audio", "transcript")


def read_list(path: str | Path, defaults: Row) -> list[Row]:
    """The rows of a .csv file with a line of headings, or of a .jsonl file with an object a line.

    Columns are those of `Row` and the options; files are named from the list's folder. What a row leaves out is taken
    from `defaults`. A row that is wrong by itself has an `error`.

    Raises:
        InputError: for a list that cannot be read, has no rows, or has a column that is not known.
    """
    path = Path(path)
    try:
        content = read_plain(path, LONGEST_LIST).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; name a .csv or .jsonl list") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error}); save it as UTF-8") from None
    entries = _csv_entries(content, path) if path.suffix.lower() == ".csv" else _jsonl_entries(content)
    rows = [_row(entry, path, number, defaults) for number, entry in entries]
    if not rows:
        raise InputError(f"{path} lists nothing; give it a line for each video")
    if len(rows) > MOST_ROWS:
        raise InputError(f"{path} has {len(rows):,} rows, more than {MOST_ROWS:,}; cut it")
    return rows


def _csv_entries(content: str, path: Path) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    heading = content.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(content, newline=""), delimiter=max(",;\t", key=heading.count), strict=True, restkey=""
    )
    try:
        for entry in reader:
            cells = {(name or "").strip(): value.strip() for name, value in entry.items() if isinstance(value, str)}
            if entry.get(""):
                yield reader.line_num, "it has more cells than the line of headings"
            elif any(cells.values()):
                yield reader.line_num, {name: value for name, value in cells.items() if value or name not in COLUMNS}
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: {error}; write it again as comma-separated values"
        ) from None


def _jsonl_entries(content: str) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, f"it is no JSON ({error})"
                continue
            yield number, entry if isinstance(entry, dict) else "it is no JSON object"


def _row(entry: Mapping[str, object] | str, path: Path, number: int, defaults: Row) -> Row:
    where = f"{path.name}, line {number}"
    if isinstance(entry, str):
        return Row(error=f"{where}: {entry}")
    if unknown := sorted(entry.keys() - {*COLUMNS, *specs()}):
        raise InputError(f"{where}: there is no column {unknown[0]!r}; there are {', '.join([*COLUMNS, *specs()])}")
    words: dict[str, str] = {}
    for name in COLUMNS:
        value = entry.get(name)
        if isinstance(value, str):
            words |= {name: value} if value else {}
        elif value is not None:
            return Row(error=f"{where}: {name} is no text")
    for name in FILES:
        if name in words:
            words[name] = str(path.parent / words[name])
    if "person" in words and (path.parent / words["person"]).is_dir():
        words["person"] = str(path.parent / words["person"])
    try:
        options = {name: _option(name, entry[name], path) for name in specs() if entry.get(name) not in (None, "")}
    except ValueError as error:
        return Row(error=f"{where}: {error}", options={}, **words)
    return replace(defaults, **words, options=defaults.options | options)


def _option(name: str, value: object, path: Path) -> object:
    spec = specs()[name]
    if isinstance(value, str) and spec.kind is not str:
        try:
            value = spec.kind(value)
        except ValueError:
            raise ValueError(f"{name} is {value!r}, no number") from None
    if name == "background" and isinstance(value, str) and value != TRANSPARENT and not value.startswith("#"):
        return str(path.parent / value)
    return value


def rows_of(items: Sequence[str], defaults: Row) -> list[Row]:
    """A row for each recording, and the rows of each list."""
    rows: list[Row] = []
    for item in items:
        rows += read_list(item, defaults) if is_list(item) else [replace(defaults, audio=item)]
    return rows


def is_list(name: str) -> bool:
    return name.lower().endswith(LISTS)
