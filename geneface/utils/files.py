"""Files and folders that are there whole or not at all, JSON that is read strictly, folders of work that goes on."""

import errno
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Literal, Self

from geneface.errors import InputError
from geneface.utils.stopping import Stopped
from geneface.utils.untrusted import LIMITS, MEGABYTE, check_plain, read_plain

Kind = Literal["bundle", "weights", "dataset", "corpus", "settings", "run"]
ADVICE: dict[Kind, tuple[str, str]] = {
    "bundle": ("the bundle is incomplete", "get the bundle again"),
    "weights": ("the weights are incomplete", "get the file again"),
    "dataset": ("the dataset is incomplete", "preprocess the video again"),
    "corpus": ("the corpus is incomplete", "make the corpus again"),
    "settings": ("there are no such settings", "name another file of settings"),
    "run": ("what was begun is incomplete", "remove its folder and begin again"),
}
"""What it means if a file of this kind is missing, and what to do about one that is missing or damaged."""
WINDOWS = os.name == "nt"
LARGEST_OWN = 1024 * MEGABYTE
"""Of JSON that is not a stranger's."""
PARTIAL = ".partial."
"""How the name of a file begins that does not have its own name yet."""
JOB, LOCK = "job.json", ".lock"
WORKING = ".unwritten."
"""In the name of the hidden folder in which a new folder is written."""
PATIENCE = 20
"""Tries, 50 ms apart, to rename what another process holds on Windows."""
_UMASK = threading.Lock()


def read_json(path: Path, kind: Kind = "bundle") -> dict[str, Any]:
    """The JSON object in `path`, a file of this kind; `InputError` if it is missing or not an object.

    A bundle's is a stranger's: a regular file of limited size, whose numbers are finite.
    """
    lack, advice = ADVICE[kind]
    try:
        content = json.loads(read_plain(path, LIMITS[".json"] if kind == "bundle" else LARGEST_OWN).decode("utf-8"))
        if kind == "bundle":
            check_plain(content)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: {lack}; {advice}") from None
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); {advice}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} does not hold a JSON object; {advice}")
    return content


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object; whoever reads `path` meanwhile sees the old or the new one."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def write_text(path: Path, text: str) -> None:
    """The same for words."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


class Record:
    """A dataclass that is kept as a JSON object."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `path` holds, without entries that this release does not know; `InputError` if it cannot be read."""
        content = read_json(path, "run")
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        try:
            return cls(**{name: value for name, value in content.items() if name in known})
        except (TypeError, ValueError) as error:
            raise InputError(f"{path} does not hold what it should ({error}); {ADVICE['run'][1]}") from None

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))  # type: ignore[call-overload]


def put_in_place(made: Path, target: Path) -> None:
    """Give a file or a folder its name when all of it has reached the disk: a power cut leaves the old or the new."""
    for path in [made, *made.rglob("*")] if made.is_dir() else [made]:
        _flush(path)
    for left in range(PATIENCE if WINDOWS else 0, -1, -1):
        try:
            os.replace(made, target)
            break
        except PermissionError:  # Of a virus scanner that looks at the new file, perhaps.
            if not left:
                raise
            time.sleep(0.05)
    _flush(target.parent)


def _flush(path: Path) -> None:
    if WINDOWS and path.is_dir():  # It opens none.
        return
    try:
        handle = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise
        # Not every disk can, and not every folder that may be written may be opened.


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, of the same suffix, that takes its name when the block ends without an error."""
    suffix = f".{path.stem[:40]}{path.suffix}"
    try:
        handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix=suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror}); choose another place") from None
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o666 & ~_umask())
        put_in_place(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """A fresh folder beside `target` that takes its name when the block ends without an error.

    A folder of that name is renamed aside first and deleted last: at no time is there half of either. What a process
    left that was killed meanwhile, the next one puts right.
    """
    target = target.absolute()
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is there and is not a folder; choose another name")
    with ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            recover(target)
            work = stack.enter_context(working_folder(target))
            fresh, old = work / "new", work / "old" / target.name
            for folder in (fresh, old.parent):
                folder.mkdir()
        except OSError as error:
            raise InputError(f"cannot write {target} ({error.strerror}); choose another place") from None
        yield fresh
        if target.exists():
            os.replace(target, old)
        try:
            put_in_place(fresh, target)
        except OSError:
            if old.exists():
                os.replace(old, target)
            raise


@contextmanager
def working_folder(target: Path) -> Iterator[Path]:
    """A hidden folder beside `target`, locked as long as this process uses it, then removed."""
    work = Path(tempfile.mkdtemp(prefix=_hidden(target), dir=target.parent))
    try:
        with locked(work):
            yield work
    finally:
        remove_left(work)


def _hidden(target: Path) -> str:
    return f".{target.name[:100]}{WORKING}"


def recover(target: Path) -> None:
    """Remove what killed processes left of a folder that they were writing; the one that was there before them comes
    back if they were killed between taking it away and putting the new one there."""
    with suppress(OSError, ValueError):
        for work in [path for path in target.parent.iterdir() if path.name.startswith(_hidden(target))]:
            if not (work / LOCK).is_file():
                continue
            with suppress(InputError), locked(work):
                old = work / "old" / target.name
                if old.exists() and not target.exists():
                    os.replace(old, target)
            remove_left(work)


def remove_left(folder: Path) -> None:
    """Remove a folder that has a lock in it, if no process holds that; the lock last, so that the rest can be told
    from what is in use if this is interrupted."""
    with suppress(InputError, OSError):
        with locked(folder):
            for path in folder.iterdir():
                if path.name != LOCK and path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif path.name != LOCK:
                    path.unlink(missing_ok=True)
        # Windows removes no file that is open.
        shutil.rmtree(folder, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _umask() -> int:
    # It can be read only by setting it, which is for all threads.
    with _UMASK:
        mask = os.umask(0)
        os.umask(mask)
    return mask


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder; `InputError` if one is in it. The system frees it when a process ends."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"another process works in {folder}; wait until it is done, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def finished(target: Path, note: str, made_of: Mapping[str, object], kind: Kind) -> dict[str, Any] | None:
    """The note in a finished folder that says what it was `made_of`; None if there is no such folder.

    Raises `InputError` if what is there was made of something else.
    """
    if not target.exists():
        return None
    if (target / note).is_file() and (content := read_json(target / note, kind)).get("made_of") == made_of:
        return content
    raise InputError(f"{target} exists and is something else; remove it, or choose another name")


class ResumableFolder:
    """A folder made in steps, hidden beside its place until it is whole; a later run goes on with what was made.

    A context manager, in whose block no other process can work on the same folder.

    >>> with ResumableFolder(target, {"video": "anna.mp4"}) as work:
    ...     with work.making("frames.mp4") as partial:
    ...         write_frames(partial)
    ...     work.finish()

    Args:
        target: Where it shall be.
        made_of: What was made of something else is thrown away.
    """

    def __init__(self, target: Path, made_of: Mapping[str, object]):
        self.target, self.made_of = target.absolute(), made_of
        self.path = self.target.with_name(f".{self.target.name}.unfinished")
        self._held = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._held.enter_context(locked(self.path))
        except OSError as error:
            raise InputError(f"cannot write {self.target} ({error.strerror}); choose another place") from None
        job = self.path / JOB
        same = job.is_file() and read_json(job, "run") == self.made_of
        for left in self.path.glob(f"*{PARTIAL}*" if same else "*"):
            if left.name != LOCK:
                _remove(left)
        write_json(job, self.made_of)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt | Stopped):
            kept = [path for path in self.path.glob("*") if path.name not in (JOB, LOCK)]
            if self.path.is_dir() and not kept:
                self.discard()
            elif kept:
                error.add_note(f"what is done is kept in {self.path}: the same command goes on with it")
        # Windows removes no file that is open, and elsewhere nobody must lock one that is about to go.
        if WINDOWS:
            self._held.close()
        for folder in (self.path, self.target):
            (folder / LOCK).unlink(missing_ok=True)
        self._held.close()

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """Where to write the file of this name, which it gets when the block ends without an error."""
        with atomic_write(self.path / name) as partial:
            yield partial

    def finish(self, without: Iterable[str] = ()) -> None:
        """The folder is whole: it gets its name, `without` what only its making needed."""
        for name in (JOB, *without):
            _remove(self.path / name)
        if WINDOWS:  # It renames no folder with an open file in it.
            self._held.close()
        put_in_place(self.path, self.target)

    def discard(self) -> None:
        """Leave nothing behind."""
        if WINDOWS:
            self._held.close()
        shutil.rmtree(self.path)
