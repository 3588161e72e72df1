"""A natural blink process, tied to absolute frame numbers so that streaming does not change it."""

import numpy as np

from geneface.options import NATURAL_BLINKS
from geneface.utils.units import FPS

CHANCE = 0.9
"""Of a blink in a period, in which there is at most one."""
MARGIN = 10
"""Frames without a blink at both ends of a long period."""
CURVE = np.array([0.25, 0.75, 1.0, 1.0, 0.8, 0.5, 0.25, 0.1], dtype=np.float32)
"""Closure of the eyelids in the frames of one blink: closing takes half as long as opening."""


def blink_curve(seed: int, start: int, stop: int, rate: float = NATURAL_BLINKS) -> np.ndarray:
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
