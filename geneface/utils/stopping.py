"""How work in another thread, or under a signal, is asked to stop, and what it raises then."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Stopped(Exception):
    """Work that was asked to stop has stopped; what is half-written is gone, what it keeps is said."""


@contextmanager
def keeping(words: str) -> Iterator[None]:
    """What stops the block by its user's wish says what is kept of it."""
    try:
        yield
    except (KeyboardInterrupt, Stopped) as stop:
        stop.add_note(words)
        raise


class StopToken:
    """Is asked by `stop` and heeded at the next `check`, from any thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def stop(self) -> None:
        """Ask to stop."""
        self._asked.set()

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._asked.is_set()

    def check(self) -> None:
        """Raise `Stopped` if it was asked to stop."""
        if self.stopped:
            raise Stopped
