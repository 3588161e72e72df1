"""The skin's relief: pores, lines of the lips, wrinkles, as slopes of a height over the mean mesh."""

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates

from .noise import Noise, smoothstep
from .outline import curve_distance
from .skin import SkinLook

_STEP = 0.012
"""Of the differences that give the slopes, in cm."""
# Wrinkles of the left half of the face, mirrored to the right: frontal points in cm, depth and width in cm.
_FOLDS: tuple[tuple[list[tuple[float, float]], float, float], ...] = (
    ([(1.45, -0.6), (2.1, -1.3), (2.75, -2.3), (3.1, -3.3), (3.1, -4.0)], 0.10, 0.22),  # nose to mouth
    ([(2.65, -3.7), (2.9, -4.4), (2.95, -5.1)], 0.045, 0.18),  # below the mouth's corner
    ([(1.75, 2.75), (2.5, 2.15), (3.4, 2.0), (4.2, 2.3)], 0.045, 0.15),  # under the eye
    ([(2.0, 1.9), (2.9, 1.25), (3.9, 1.2)], 0.04, 0.25),  # under that
    ([(4.75, 3.4), (5.4, 3.6), (6.0, 3.95)], 0.022, 0.07),  # crow's feet
    ([(4.75, 3.15), (5.5, 3.05), (6.1, 3.1)], 0.022, 0.07),
    ([(4.7, 2.9), (5.3, 2.55), (5.8, 2.3)], 0.020, 0.07),
    ([(0.0, 7.6), (1.6, 7.75), (3.0, 7.9), (4.6, 7.5)], 0.030, 0.13),  # forehead
    ([(0.0, 8.5), (1.8, 8.75), (3.4, 8.75), (4.8, 8.3)], 0.034, 0.14),
    ([(0.0, 9.5), (1.7, 9.7), (3.5, 9.5)], 0.022, 0.13),
    ([(1.75, 3.75), (2.3, 4.28), (3.2, 4.52), (4.1, 4.3), (4.75, 3.7)], 0.0, 0.09),  # the lid's crease
    ([(0.42, 5.3), (0.5, 6.0), (0.62, 6.7)], 0.030, 0.10),  # between the brows
    ([(0.0, -9.3), (2.5, -9.1), (4.8, -8.3)], 0.05, 0.16),  # neck
    ([(0.0, -10.6), (2.5, -10.4), (5.0, -9.7)], 0.05, 0.16),
)


def carve(positions: np.ndarray, lips: np.ndarray, look: SkinLook, seed: int) -> np.ndarray:
    """[H, W, 4] float32: slope of the height (x, y, z) and openness of hollows, at mean-mesh positions [H, W, 3].

    `lips` [H, W] is 1 on the lips; a position of NaN marks a texel that no polygon covers, filled from its neighbour.
    """
    covered = np.isfinite(positions[..., 0])
    points, lips = positions[covered], lips[covered]
    height = _Height(look, seed)
    here = height(points, lips)
    slope = np.stack([height(points + _STEP * axis, lips) - here for axis in np.eye(3)], -1) / _STEP
    carved = np.zeros((*positions.shape[:2], 4), np.float32)
    carved[covered, :3] = slope
    carved[covered, 3] = np.clip(1.0 + 9.0 * np.minimum(here, 0.0), 0.35, 1.0)
    nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    return carved[tuple(nearest)]


class _Height:
    """In cm, at mean-mesh points [N, 3]."""

    def __init__(self, look: SkinLook, seed: int):
        self._noise, self._look = Noise(seed + 5), look
        self._folds = [(curve_distance(np.array(line)), depth, width) for line, depth, width in _FOLDS]

    def __call__(self, points: np.ndarray, lips: np.ndarray) -> np.ndarray:
        x, y, z = points.T
        noise, look = self._noise, self._look
        front = smoothstep(3.0, 7.0, z)
        height = 0.007 * noise(points * 1.6)
        pores = noise(points * 5.1) + 0.7 * noise(points * 8.7 + 9.0)
        nose = np.exp(-((np.abs(x) / 2.6) ** 2) - ((y - 0.5) / 2.2) ** 2)
        height += look.pores * (1 - lips) * pores * 0.0034 * (0.55 + 0.45 * front + 0.5 * nose)
        height += lips * (0.008 * noise(points * [8.5, 1.3, 1.3]) + 0.004 * noise(points * [16.0, 2.0, 2.0]))
        wander = 0.10 * noise(points * 0.9 + 30.0)
        mirrored = np.stack([np.abs(x), y + wander])
        for distance, depth, width in self._folds:
            away = map_coordinates(distance, (mirrored[::-1] + 12.0) / 0.04, order=1, mode="nearest")
            amount = look.age * depth if depth else 0.055
            height -= amount * (front if depth < 0.05 else 1.0) * np.exp(-((away / width) ** 2)) * (1 - lips)
        return height
