"""A natural blink process, tied to absolute frame numbers so that streaming does not change it."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from geneface.media.audio import FPS

NATURAL, FASTEST = 15.0, 60.0
"""Blinks a minute."""
CHANCE = 0.9
"""Of a blink in a period, in which there is at most one."""
MARGIN = 10
"""Frames without a blink at both ends of a long period."""
CURVE = np.array([0.25, 0.75, 1.0, 1.0, 0.8, 0.5, 0.25, 0.1], dtype=np.float32)
"""Closure of the eyelids in the frames of one blink: closing takes half as long as opening."""


def blink_rate(blink: str | float) -> float:
    """Blinks a minute of "natural", "none" or a number; ValueError for anything else."""
    named: dict[str | float, float] = {"natural": NATURAL, "none": 0.0}
    rate = float(named.get(blink, blink))
    if not 0 <= rate <= FASTEST:
        raise ValueError(f"{rate} blinks a minute")
    return rate


def blink_curve(seed: int, start: int, stop: int, rate: float = NATURAL) -> np.ndarray:
    """Closure of the eyelids in [0, 1] at frames [start, stop), float32 [stop - start]; `rate` in blinks a minute."""
    curve = np.zeros(stop - start, dtype=np.float32)
    if rate <= 0:
        return curve
    length = round(CHANCE * 60 * FPS / rate)
    margin = min(MARGIN, (length - len(CURVE)) // 4)
    for period in range(max(0, start // length - 1), stop // length + 1):
        rng = np.random.default_rng([seed, period])
        if rng.random() > CHANCE:
            continue
        first = period * length + int(rng.integers(margin, length - len(CURVE) - margin)) - start
        begin, end = max(first, 0), min(first + len(CURVE), len(curve))
        if begin < end:
            curve[begin:end] = CURVE[begin - first : end - first]
    return curve


def add_blinks(
    chunks: Iterable[torch.Tensor], closed: torch.Tensor, seed: int, rate: float = NATURAL
) -> Iterator[torch.Tensor]:
    """Chunks of LM3D [n, 68, 3] with `rate` blinks a minute; `closed` [68, 3] is what closed eyes add."""
    start = 0
    for chunk in chunks:
        curve = torch.from_numpy(blink_curve(seed, start, start + len(chunk), rate)).to(chunk)
        yield chunk + curve[:, None, None] * closed
        start += len(chunk)
