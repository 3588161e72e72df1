"""What a folder of videos was made of, and how far its making has come: `manifest.jsonl`, which only grows.

A line for each beginning and each end of a row, so that a killed batch, or one with a longer list, goes on with what
is not done; a line that a kill cut off counts as not written.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from geneface.batch.names import different_names, name_of_text, stem
from geneface.batch.rows import Row
from geneface.errors import InputError

MANIFEST = "manifest.jsonl"
State = Literal["begun", "done", "failed"]


@dataclass(frozen=True)
class Job:
    """A row with the file that is made of it; plain values, as of `Row`."""

    row: Row
    file: str
    """Name in the folder."""
    mark: bool
    key: str
    """Digest of all that the video follows from; another one for a row, or a recording, that has changed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a row ended, a line of the manifest."""

    key: str
    file: str
    state: State
    error: str = ""
    frames: int = 0
    elapsed: float = 0.0
    """Seconds of wall time."""
    seed: int | None = None
    notes: tuple[str, ...] = ()
    row: dict[str, object] = field(default_factory=dict)
    """What it was made of, to read."""


def plan_jobs(rows: Sequence[Row], mark: bool = True) -> list[Job]:
    """Give each row a file of its own."""
    made = [name_of_text(row.text) if row.text else stem(row.audio) for row in rows]
    suffixes = [".webm" if row.options.get("background") == "transparent" else ".mp4" for row in rows]
    given = [row.name.removesuffix(suffix) for row, suffix in zip(rows, suffixes, strict=True)]
    names = different_names(given, made)
    return [
        Job(row, name + suffix, mark, _key(row, name + suffix, mark))
        for row, name, suffix in zip(rows, names, suffixes, strict=True)
    ]


def _key(row: Row, file: str, mark: bool) -> str:
    files = [row.audio, row.transcript, str(row.options.get("background") or "")]
    content = {"row": asdict(row), "file": file, "mark": mark, "files": [*map(_stamp, files)]}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _stamp(path: str) -> list[int]:
    """Size and time of a file; empty if there is none."""
    with suppress(OSError, ValueError):
        state = os.stat(path)
        return [state.st_size, state.st_mtime_ns]
    return []


class Manifest:
    """The manifest of a folder; one process at a time writes it (`files.locked`)."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / MANIFEST
        self._last: dict[str, Outcome] = {}
        self._files: set[str] = set()
        if self.path.exists():
            for line in self.path.read_bytes().splitlines():
                self._read(line)

    def _read(self, line: bytes) -> None:
        with suppress(ValueError, TypeError, RecursionError):
            outcome = Outcome(**json.loads(line))
            self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        self._last[outcome.file] = outcome
        if outcome.state != "failed":
            self._files.add(outcome.file.casefold())

    def is_done(self, job: Job) -> bool:
        """Whether its video is there already, made of just this."""
        last = self._last.get(job.file)
        return bool(last and last.state == "done" and last.key == job.key and (self.folder / job.file).is_file())

    def begin(self, job: Job) -> None:
        """Claim its file; `InputError` if one of that name is there that was not made by this folder's batches."""
        if job.file.casefold() not in self._files and (self.folder / job.file).exists():
            raise InputError(
                f"{self.folder / job.file} is there already, and not of this batch; move it, or name another folder"
            )
        self.add(Outcome(key=job.key, file=job.file, state="begun"))

    def add(self, outcome: Outcome) -> None:
        """Append a line, on the disk when this returns."""
        usual = asdict(Outcome(key="", file="", state="begun"))
        said = {name: value for name, value in asdict(outcome).items() if name == "state" or value != usual[name]}
        with self.path.open("ab+") as file:
            if file.tell() and not self._ends_whole():
                file.write(b"\n")
            file.write(json.dumps(said).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._note(outcome)

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
