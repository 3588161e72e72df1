"""Progress bars of the commands."""

from collections.abc import Iterable
from typing import TypeVar

from geneface.preprocessing.progress import StepProgress

T = TypeVar("T")


class Bars(StepProgress):
    """A bar for each part, silent off a terminal."""

    def each(self, items: Iterable[T], name: str, length: int | None) -> Iterable[T]:
        from tqdm import tqdm

        return tqdm(items, desc=name, total=length, unit="frame", leave=False, disable=None)
