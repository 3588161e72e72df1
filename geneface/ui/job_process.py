"""The one process that may train on this machine, known to all servers by a lock on a file of the persons' folder.

The system lets go of the lock when the process ends, however it ends.
"""

import importlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TypedDict

import geneface
from geneface.errors import InputError

# Windows has no locks of this kind, and there nothing is trained behind the page.
fcntl: ModuleType | None = None if os.name == "nt" else importlib.import_module("fcntl")
HOME = Path(geneface.__file__).resolve().parent.parent
"""From here `python -m geneface` runs the GeneFace that serves, even a clone that is not installed."""
LOCK = ".training.lock"
BUSY = "Another training runs on this machine; wait until it is done, or stop it."


class Runs(TypedDict, total=False):
    """The process that runs, and for whom; empty if none does."""

    person: str
    pid: int


class JobProcess:
    """Starts, finds and ends the process.

    Args:
        folder: Where the lock lies.
        patience: Seconds that a process has to end by itself.
    """

    def __init__(self, folder: Path, patience: float) -> None:
        self._folder, self._patience = folder, patience
        self._process: subprocess.Popen | None = None
        self._started = ""

    def start(self, person: str, arguments: Sequence[str], log: Path) -> None:
        """Raises `InputError` if another one runs."""
        with self._taken() as lock, log.open("wb") as words:
            _rewrite(lock, {"person": person})
            self._process = subprocess.Popen(
                arguments, cwd=HOME, stdin=subprocess.DEVNULL, stdout=words, stderr=words, pass_fds=[lock]
            )
            _rewrite(lock, {"person": person, "pid": self._process.pid})
        self._started = person

    def runs(self) -> Runs:
        """The running process, whichever server started it."""
        if fcntl is None:
            return {}
        with suppress(FileNotFoundError), (self._folder / LOCK).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                with suppress(json.JSONDecodeError):
                    found: Runs = json.loads(file.read())
                    return found
        return {}

    def end(self, pid: int) -> None:
        """Ask the process that holds the lock, which cannot be another one's by then, to stop; else kill it."""

        def kill() -> None:
            if self.runs().get("pid") == pid:
                os.kill(pid, signal.SIGKILL)

        os.kill(pid, signal.SIGTERM)
        timer = threading.Timer(self._patience, kill)
        timer.daemon = True
        timer.start()

    def exit_code(self, person: str) -> int | None:
        """How the process of this server ended; None if it was not for this person."""
        return self._process.wait(self._patience) if self._process and self._started == person else None

    def close(self) -> None:
        """Stop what this server has started."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    @contextmanager
    def _taken(self) -> Iterator[int]:
        """The lock, as a descriptor that a process may inherit."""
        if fcntl is None:
            raise InputError("Training in the browser needs Linux or macOS; on Windows use WSL, or geneface train.")
        lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
        except BlockingIOError:
            raise InputError(BUSY) from None
        finally:
            os.close(lock)


def _rewrite(descriptor: int, content: Runs) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)
