"""The skin's colour: painted once, in texture space, from positions on the mean mesh.

The face model is in topological correspondence, so what is painted at a place of the mean mesh lands at the
same place of every identity and sticks to the skin under every expression.
"""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from .groom import hair_cover
from .noise import Noise, smoothstep

BASE = (0.60, 0.375, 0.275)
LIP = (0.49, 0.185, 0.160)
FLUSH = np.array([1.06, 0.80, 0.78])
SHADE = np.array([0.84, 0.76, 0.76])
HAIR_TINT = np.array([0.075, 0.042, 0.026])
_CELL = 0.02
"""Of the frontal raster in which outlines are drawn, in cm."""


def paint(positions: np.ndarray, landmarks: np.ndarray, seed: int) -> np.ndarray:
    """[H, W, 4] float32: linear albedo and gloss, from mean-mesh positions [H, W, 3] and 68 landmarks [68, 3].

    A position of NaN marks a texel that no polygon covers; its colour is taken from the nearest covered one.
    """
    covered = np.isfinite(positions[..., 0])
    nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    points = positions[tuple(nearest)]
    x, y, z = np.moveaxis(points, -1, 0)
    noise = Noise(seed)
    albedo = np.broadcast_to(np.array(BASE), points.shape).copy()
    gloss = np.full(x.shape, 0.36)

    mottle = noise(points * 0.7, octaves=3)
    fine = noise(points * 5.0, octaves=2)
    albedo *= 1.0 + 0.035 * np.stack([0.6 * mottle, mottle, mottle], -1)
    albedo *= 1.0 + 0.02 * np.stack([0.5 * fine, fine, fine], -1)

    def spot(centre: Sequence[float], radius: float, stretch: Sequence[float] = (1, 1, 1)) -> np.ndarray:
        offset = (np.stack([np.abs(x), y, z], -1) - centre) / stretch
        return np.exp(-np.sum(offset**2, -1) / radius**2)

    def tint(colour: np.ndarray, amount: np.ndarray) -> None:
        albedo[...] = albedo * (1.0 + amount[..., None] * (colour - 1.0))

    tint(FLUSH, 0.75 * spot((4.6, -0.2, 9.0), 2.4, (1, 0.9, 2)) * (1 + 0.25 * mottle))
    tint(FLUSH, 0.7 * spot((0, 0.3, 12.6), 1.5) + 0.5 * spot((1.5, -0.6, 11), 0.9))
    tint(FLUSH, 0.8 * smoothstep(7.9, 8.9, np.abs(x)))
    tint(FLUSH, 0.3 * spot((0, -6.8, 10), 1.8) + 0.25 * spot((3.2, 4.8, 9), 1.2))
    tint(SHADE, 0.55 * spot((2.9, 2.1, 9.6), 0.9, (1.5, 0.6, 2)) + 0.35 * spot((1.75, 3.0, 9.3), 0.6))
    tint(SHADE, 0.4 * spot((3.3, 4.4, 9.6), 0.75, (1.7, 0.6, 2)))
    gloss += 0.14 * spot((0, 1.5, 12), 1.7, (0.7, 2, 2)) + 0.08 * spot((0, 8.5, 10), 3.0, (1.4, 0.8, 2))

    outline = _Outline(landmarks)
    lips = smoothstep(0.10, -0.10, outline.lips(x, y) + 0.03 * mottle) * smoothstep(6.5, 8.0, z)
    line = noise(points * np.array([6.0, 1.2, 1.2]))
    lip_colour = np.array(LIP) * (1 + 0.07 * line[..., None])
    albedo += lips[..., None] * (lip_colour - albedo)
    gloss += lips * (0.62 - gloss)

    eye = outline.eyes(x, y)
    front = smoothstep(8.0, 8.6, z)
    albedo *= 1 - 0.72 * (front * np.exp(-((eye / 0.07) ** 2)))[..., None] * smoothstep(2.6, 3.5, y)[..., None] ** 0.5
    tint(np.array([1.05, 0.72, 0.70]), front * smoothstep(0.12, -0.05, eye))

    brows = outline.brows(x, y)
    tint(HAIR_TINT * 4.0, 0.7 * front * smoothstep(0.24, -0.2, brows + 0.05 * mottle))
    cover = hair_cover(points, noise)
    albedo += (0.8 * smoothstep(0.25, 0.75, cover))[..., None] * (HAIR_TINT - albedo)
    gloss -= 0.2 * smoothstep(0.2, 0.8, cover)
    return np.concatenate([np.clip(albedo, 0.01, 0.95), gloss[..., None]], -1).astype(np.float32)


class _Outline:
    """Signed distances in cm, in the frontal projection, to outlines through the landmarks; negative inside."""

    def __init__(self, landmarks: np.ndarray):
        points = landmarks[:, :2]
        self._lips = _signed_distance([_curve(points[48:60])])
        self._eyes = _signed_distance([_curve(points[36:42]), _curve(points[42:48])])
        self._brows = _signed_distance([brow_outline(points[17:22]), brow_outline(points[22:27][::-1])])

    def lips(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _sample(self._lips, x, y)

    def eyes(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _sample(self._eyes, x, y)

    def brows(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _sample(self._brows, x, y)


def brow_outline(points: np.ndarray) -> np.ndarray:
    """Closed outline [N, 2] of a brow from its landmarks [5, 2], outer end first: full inside, tapered outside."""
    along = np.linspace(0, 4, 33)
    line = np.stack([np.interp(along, np.arange(5), points[:, axis]) for axis in range(2)], -1)
    line = gaussian_filter(line, (3, 0), mode="nearest")
    half = np.interp(along, [0, 1, 3, 3.7, 4], [0.03, 0.16, 0.25, 0.24, 0.14])
    return np.concatenate([line + [0, 0.1] + half[:, None] * [0, 1], (line - half[:, None] * [0, 1])[::-1]])


def _curve(points: np.ndarray) -> np.ndarray:
    """Closed Catmull-Rom curve [8 N, 2] through points [N, 2]."""
    p0, p1, p2, p3 = (np.roll(points, shift, axis=0)[:, None] for shift in (1, 0, -1, -2))
    t = np.linspace(0, 1, 8, endpoint=False)[None, :, None]
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return curve.reshape(-1, 2)


def _signed_distance(outlines: list[np.ndarray]) -> np.ndarray:
    """Raster over x, y in [-10, 10] cm."""
    side = int(20 / _CELL)
    image = Image.new("L", (side, side))
    for outline in outlines:
        ImageDraw.Draw(image).polygon([tuple(point) for point in (outline + 10) / _CELL], fill=1)
    inside = np.asarray(image, bool)
    return _CELL * (distance_transform_edt(~inside) - distance_transform_edt(inside))


def _sample(raster: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return map_coordinates(raster, [(y + 10) / _CELL, (x + 10) / _CELL], order=1, mode="nearest")


def brow_test(landmarks: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Whether mean-mesh points [N, 3] lie in a brow, given the 68 landmarks."""
    outline = _Outline(landmarks)
    return lambda points: (outline.brows(points[:, 0], points[:, 1]) < 0.04) & (points[:, 2] > 7.0)
