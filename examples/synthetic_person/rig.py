"""How the neck bends and the torso follows."""

import numpy as np

from .noise import smoothstep

NECK_TOP = -7.3
NECK_BASE = -11.5
BACKWARD_RISE = 0.33
"""The neck's cross-sections tilt: at its back they lie higher than under the chin."""


def head_weight(points: np.ndarray) -> np.ndarray:
    """1 where a neutral vertex [..., 3] moves with the head, 0 where with the torso."""
    height = points[..., 1] + BACKWARD_RISE * (points[..., 2] - 4.0)
    return smoothstep(NECK_BASE, NECK_TOP, height)
