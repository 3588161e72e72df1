"""How whoever waits is told how far work on a video is."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


class StepProgress:
    """Is told how far the work is; this one does not mind."""

    def part(self, title: str, done: int, parts: int) -> None:
        """The part of this title begins, after `done` of all `parts`."""

    def each(self, items: Iterable[T], name: str, length: int | None) -> Iterable[T]:
        """What a part goes through: the same items."""
        return items
