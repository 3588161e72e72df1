"""Smooth tileable noise in space, for everything that must not look printed."""

import numpy as np
from scipy.ndimage import map_coordinates

_LATTICE = 64


class Noise:
    """Values of about unit variance, fixed by `seed`, smooth over one unit of length."""

    def __init__(self, seed: int):
        lattice = np.random.default_rng(seed).standard_normal((_LATTICE,) * 3).astype(np.float32)
        self._lattice = lattice * 1.9

    def __call__(self, points: np.ndarray, octaves: int = 1) -> np.ndarray:
        """[...] at points [..., 3]; every octave is twice as fine and half as strong."""
        flat = points.reshape(-1, 3).T
        total = np.zeros(flat.shape[1], np.float32)
        for octave in range(octaves):
            where = flat * 2.0**octave + 17.3 * octave
            total += 0.5**octave * map_coordinates(self._lattice, where, order=2, mode="grid-wrap", prefilter=False)
        return total.reshape(points.shape[:-1])


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, smooth between; `low` may exceed `high`."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
