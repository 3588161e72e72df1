"""A natural blink process, tied to absolute frame numbers so that streaming does not change it."""

import numpy as np

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
