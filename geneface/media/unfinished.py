"""Files that get their name only when they are whole; what a killed process left of them is removed by the next."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from geneface.errors import InputError
from geneface.utils.files import PARTIAL, put_in_place

MARK = ".geneface"
LOCK = f"{MARK}.lock"
STEM = 40


class Unfinished:
    """A new empty file in the folder of `target`, locked as long as this process works on it.

    Attributes:
        path: the file, whose name ends as that of `target`; files beside it that begin with its stem belong to it.
    """

    def __init__(self, target: Path) -> None:
        from filelock import FileLock, Timeout

        sweep(target.parent)
        while True:
            # Made by the system's own call, which says why a file cannot be made; the lock would try for ever.
            handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix=f".{target.stem[:STEM]}{LOCK}", dir=target.parent)
            os.close(handle)
            self._lock = FileLock(name, timeout=0)
            try:
                self._lock.acquire()
            except Timeout:  # Another process sweeps just now.
                continue
            except NotImplementedError:  # The disk has no locks, so nobody sweeps there.
                pass
            self.path = Path(name.removesuffix(".lock") + target.suffix)
            try:
                self.path.touch()
            except BaseException:
                self._free()
                raise
            return

    def take_name(self, target: Path) -> None:
        """The file is whole: it gets its name."""
        put_in_place(self.path, target)
        self._free()

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._free()

    def _free(self) -> None:
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what processes that have been killed left unfinished in a folder."""
    for lock in folder.glob(f"{PARTIAL}*{LOCK}"):
        _remove_if_left(lock)


def _remove_if_left(lock: Path) -> None:
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=0)
    try:
        held.acquire()
    except (Timeout, OSError, NotImplementedError):
        return
    try:
        begin = lock.name.removesuffix(".lock")
        for left in lock.parent.iterdir():
            if left.name.startswith(begin) and left != lock:
                left.unlink(missing_ok=True)
    except OSError:  # Of another user, perhaps.
        return
    finally:
        held.release()
    with suppress(OSError):  # Windows removes no file that is open.
        lock.unlink(missing_ok=True)


def check_target(target: Path, suffix: str) -> None:
    """`InputError` if no file that ends in `suffix` can be written there. Nothing is left."""
    if target.suffix.lower() != suffix:
        raise InputError(f"{target} does not end in {suffix}, the format that is written; choose such a name")
    try:
        os.stat(target)  # A name that is too long is said here.
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise _unwritable(target, error) from None
    else:
        if not target.is_file():
            raise InputError(f"{target} is there and is not a file; choose another name")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist; make it, or choose another place")


def begin(target: Path, suffix: str) -> Unfinished:
    """An unfinished file for `target`; `InputError` if it cannot be written."""
    check_target(target, suffix)
    try:
        return Unfinished(target)
    except OSError as error:
        raise _unwritable(target, error) from None


def _unwritable(target: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(f"{target} cannot be written ({reason}); choose another place")
