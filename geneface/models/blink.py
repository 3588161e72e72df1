"""A natural blink process, tied to absolute frame numbers so that streaming does not change it."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

PERIOD = 90
"""Frames in which at most one blink begins: about 15 blinks a minute."""
CHANCE = 0.9
CURVE = np.array([0.25, 0.75, 1.0, 1.0, 0.8, 0.5, 0.25, 0.1], dtype=np.float32)
"""Closure of the eyelids in the frames of one blink: closing takes half as long as opening."""


def blink_curve(seed: int, start: int, stop: int) -> np.ndarray:
    """Closure of the eyelids in [0, 1] at frames [start, stop), float32 [stop - start]."""
    curve = np.zeros(stop - start, dtype=np.float32)
    for period in range(max(0, start // PERIOD - 1), stop // PERIOD + 1):
        rng = np.random.default_rng([seed, period])
        if rng.random() > CHANCE:
            continue
        first = period * PERIOD + int(rng.integers(10, PERIOD - len(CURVE) - 10)) - start
        begin, end = max(first, 0), min(first + len(CURVE), len(curve))
        if begin < end:
            curve[begin:end] = CURVE[begin - first : end - first]
    return curve


def add_blinks(chunks: Iterable[torch.Tensor], closed: torch.Tensor, seed: int) -> Iterator[torch.Tensor]:
    """Chunks of LM3D [n, 68, 3] with blinks; `closed` [68, 3] is what closed eyes add."""
    start = 0
    for chunk in chunks:
        curve = torch.from_numpy(blink_curve(seed, start, start + len(chunk))).to(chunk)
        yield chunk + curve[:, None, None] * closed
        start += len(chunk)
