"""Long work over a video in parts, which may be kept: who goes on after a kill makes only those that are missing."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol

import numpy as np
import torch

Tensors = dict[str, torch.Tensor]


class Keep(Protocol):
    """Gives a part by its name: what was kept of it, or else what `make` makes."""

    def __call__(self, name: str, make: Callable[[], Tensors]) -> Tensors: ...


def make_anew(name: str, make: Callable[[], Tensors]) -> Tensors:
    """Keeps nothing."""
    return make()


def ranges(frames: int, size: int) -> Iterator[range]:
    """All frames in parts of `size`; the last one may be shorter."""
    return (range(start, min(start + size, frames)) for start in range(0, frames, size))


def join(parts: Iterable[Tensors]) -> Tensors:
    """The same tensors of successive parts, each as one, [T, ...]."""
    listed = list(parts)
    return {name: torch.cat([part[name] for part in listed]) for name in listed[0]}


class Course:
    """One run through successive pictures, of which parts are taken in order that may overlap.

    Args:
        pictures: uint8 [H, W, 3] each; looked at no further than is asked for.
        overlap: how many pictures the end of a part may share with the beginning of the next.
    """

    def __init__(self, pictures: Iterable[np.ndarray], overlap: int = 0):
        self._pictures = iter(pictures)
        self._seen: deque[np.ndarray] = deque(maxlen=overlap)
        self._next = 0

    def part(self, first: int, stop: int) -> Iterator[np.ndarray]:
        """The pictures [first, stop), or as many as there are."""
        yield from list(self._seen)[len(self._seen) - (self._next - first) :] if first < self._next else ()
        for picture in islice(self._pictures, stop - self._next):
            self._seen.append(picture)
            self._next += 1
            if self._next > first:
                yield picture
