"""Files that users name: opened with one sentence for whatever can be wrong, pipes included; no input written over."""

import errno
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self, cast

from geneface.errors import InputError, os_sentence

STDIN = "-"
"""The name that stands for the standard input."""
ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+", re.IGNORECASE)


def open_file(path: str | os.PathLike, *, pipe: bool = False) -> IO[bytes]:
    """`path` opened for reading, at its beginning and able to seek; `InputError` if that cannot be done.

    With `pipe`, what comes through a pipe or `-` is copied to the disk first; without, it is refused, because a
    pipe can be read only once.
    """
    name = os.fspath(path)
    if name == STDIN or _is_pipe(name):
        if not pipe:
            raise InputError(f"{name} is a pipe, which can be read only once; save it as a file and name that")
        if name != STDIN:
            return _spool(_open(name), name)
        if sys.stdin is None or sys.stdin.buffer.isatty():
            raise InputError("nothing comes in through -; pipe a recording into the command, or name a file")
        return _spool(sys.stdin.buffer, "what comes in through -")
    return _open(name)


def file_identity(path: Path) -> dict[str, str | int]:
    """What tells one file from another, and from itself after a change; `InputError` if it cannot be opened."""
    with open_file(path) as file:
        facts = os.fstat(file.fileno())
    return {"name": path.name, "bytes": facts.st_size, "modified": facts.st_mtime_ns}


@contextmanager
def on_disk(path: str | os.PathLike) -> Iterator[str]:
    """The path of a file that can be read again and again: a copy of what comes through a pipe or `-`."""
    name = os.fspath(path)
    if name != STDIN and not _is_pipe(name):
        yield name
        return
    # Not a temporary file, which Windows does not open again by its name.
    with open_file(name, pipe=True) as source, tempfile.TemporaryDirectory(prefix="geneface.") as folder:
        path = os.path.join(folder, "copy")
        with open(path, "wb") as copy:
            shutil.copyfileobj(source, copy)
        yield path


def _open(name: str) -> IO[bytes]:
    try:
        return open(name, "rb")
    except FileNotFoundError:
        if found := ADDRESS.match(name):
            address = f"{found[1]}://{name[found.end() :]}"
            raise InputError(
                f"{address} is an address, and nothing is fetched; download it and name the file"
            ) from None
        raise InputError(f"{name} does not exist; name an audio or video file") from None
    except (OSError, ValueError) as error:
        if os.path.isdir(name):
            raise InputError(f"{name} is a folder; name an audio or video file") from None
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read ({reason}); name an audio or video file") from None


def _is_pipe(name: str) -> bool:
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _spool(source: IO[bytes], name: str) -> IO[bytes]:
    """All that comes out of a pipe, on the disk."""
    file = temporary_file()
    try:
        shutil.copyfileobj(source, file)
    except OSError as error:
        file.close()
        raise InputError(f"{name} cannot be read ({os_sentence(error)})") from None
    file.seek(0)
    return file


def temporary_file() -> IO[bytes]:
    """A file without a name that is gone when it is closed; `InputError` if there is no place for one."""
    try:
        return cast(IO[bytes], _Temporary(tempfile.TemporaryFile()))
    except OSError as error:
        raise InputError(
            f"no temporary file can be made ({error.strerror}); set TMPDIR to a folder with space"
        ) from None


class _Temporary:
    """A temporary file that names the folder of such files when its disk is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, content: bytes) -> int:
        try:
            return self._file.write(content)
        except OSError as error:
            raise _full(error) from None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)  # What is buffered is written here.
        except OSError as error:
            raise _full(error) from None

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def close(self) -> None:
        with suppress(OSError):  # What could not be written is thrown away anyhow.
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _full(error: OSError) -> OSError:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return error
    return OSError(error.errno, error.strerror, tempfile.gettempdir())


def refuse_overwriting(output: str | os.PathLike, inputs: Iterable[object]) -> None:
    """`InputError` if the file to write is one of those to read; what is not the path of a file is passed over."""
    for given in inputs:
        try:
            same = isinstance(given, str | os.PathLike) and os.path.samefile(output, given)
        except (OSError, ValueError):
            same = False
        if same:
            raise InputError(f"{os.fspath(output)} is the file that is read, and would be lost; choose another name")
