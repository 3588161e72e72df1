"""Files from strangers: plain ones only, of limited size, that lie where they are said to lie."""

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from geneface.errors import InputError

MEGABYTE = 2**20
LIMITS = {".json": MEGABYTE, ".md": MEGABYTE, ".png": 16 * MEGABYTE, ".safetensors": 4096 * MEGABYTE}
"""The largest file of each kind in a bundle, in bytes; nothing of another kind is fetched."""
MOST_ENTRIES = 10_000
"""Files and folders of a bundle; it has about twenty."""


def open_plain(path: Path, limit: int) -> IO[bytes]:
    """A regular file opened for reading.

    Raises:
        InputError: for a pipe, a device, a folder, or more than `limit` bytes.
        OSError: if it is not there, or may not be read.
    """
    try:
        _check(path, os.stat(path), limit)
        # What was a file may be a pipe by now, whose opening must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} cannot be the name of a file; name another") from None
    try:
        _check(path, os.fstat(handle), limit)
    except BaseException:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def read_plain(path: Path, limit: int) -> bytes:
    """All of a regular file, which may hold `limit` bytes; errors as of `open_plain`."""
    with open_plain(path, limit) as file:
        return file.read(limit)


def _check(path: Path, found: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise InputError(f"{path} is {what} where a file is needed; put the file there")
    if found.st_size > limit:
        size = f"{found.st_size / MEGABYTE:.0f} MB where at most {limit / MEGABYTE:.0f} MB can be right"
        raise InputError(f"{path} has {size}; do not use it")


def is_folder(name: str | os.PathLike) -> bool:
    """Whether there is a folder of this name; a name that no file can have is none."""
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def plain_entries(folder: Path) -> Iterator[Path]:
    """All that lies in a folder, and in those within.

    Raises `InputError` for pipes and devices, for links that lead out of the folder, and for more than a bundle can
    hold. The files of a copy in the Hub's cache are links within that.
    """
    try:
        inside = _root(folder.absolute()).resolve()
        for number, entry in enumerate(_entries(folder), 1):
            path = Path(entry.path)
            if number > MOST_ENTRIES:
                raise InputError(
                    f"{folder} holds more than {MOST_ENTRIES} files: it is no bundle; name another folder"
                )
            if entry.is_symlink() and not path.resolve().is_relative_to(inside):
                raise InputError(
                    f"{path} is a link that leads out of {folder}: the bundle is damaged, for it must hold its JSON, "
                    "weights and pictures itself; put the file there"
                )
            if not (entry.is_file() or entry.is_dir() or entry.is_symlink()):
                raise InputError(f"{path} is a pipe or a device; a bundle holds only files: remove it")
            yield path
    except FileNotFoundError:  # What is needed is missed by who needs it.
        return
    except (OSError, RuntimeError) as error:  # A circle of links is a RuntimeError.
        raise InputError(f"{folder} cannot be read as a bundle ({error}); get it again") from None


def _entries(folder: Path) -> Iterator[os.DirEntry]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))


def _root(folder: Path) -> Path:
    """Where a folder's links may lead: within it; of a copy in the Hub's cache, within the cache."""
    for parent in (folder, *folder.parents[:2]):
        if parent.parent.name == "snapshots" and (parent.parents[1] / "blobs").is_dir():
            return parent.parents[2]
    return folder


def check_plain(content: object) -> None:
    """`ValueError` for a value read from JSON that cannot be written again: numbers that are not finite, words that
    are not Unicode."""
    if isinstance(content, dict):
        for name, value in content.items():
            check_plain(name)
            check_plain(value)
    elif isinstance(content, list):
        for value in content:
            check_plain(value)
    elif isinstance(content, str):
        content.encode()
    elif isinstance(content, float) and not math.isfinite(content):
        raise ValueError(f"{content} is not a number")
