"""Outlines through the face's landmarks, as distances in the frontal projection."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from geneface.face.ibug68 import LEFT_EYE, OUTER_LIPS, RIGHT_EYE

_CELL = 0.02
"""Of the frontal raster in which outlines are drawn, in cm."""


class Outline:
    """Signed distances in cm to outlines through the landmarks [68, 3]; negative inside.

    `brow` scales the thickness of the brows, `arch` their bend.
    """

    def __init__(self, landmarks: np.ndarray, brow: float = 1.0, arch: float = 1.0):
        points = landmarks[:, :2]
        self._lips = _signed_distance([_curve(points[OUTER_LIPS])])
        self._eyes = _signed_distance([_curve(points[RIGHT_EYE]), _curve(points[LEFT_EYE])])
        self._brows = _signed_distance([_brow(points[17:22], brow, arch), _brow(points[22:27][::-1], brow, arch)])

    def lips(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _sample(self._lips, x, y)

    def eyes(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _sample(self._eyes, x, y)

    def brows(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _sample(self._brows, x, y)


def brow_test(landmarks: np.ndarray, brow: float, arch: float) -> Callable[[np.ndarray], np.ndarray]:
    """Whether mean-mesh points [N, 3] lie in a brow, given the 68 landmarks."""
    outline = Outline(landmarks, brow, arch)
    return lambda points: (outline.brows(points[:, 0], points[:, 1]) < 0.04) & (points[:, 2] > 7.0)


def curve_distance(line: np.ndarray) -> np.ndarray:
    """Distances in cm to a line through points [N, 2], larger at its ends; raster of 0.04 cm over [-12, 12] cm."""
    side = 600
    image = Image.new("L", (side, side))
    fine = _through(line)
    ImageDraw.Draw(image).line([tuple(point) for point in (fine + 12) / 0.04], fill=1)
    away = 0.04 * distance_transform_edt(~np.asarray(image, bool))
    # Lines run out softly: away from the middle of a line, distances count for more.
    y, x = np.indices((side, side)) * 0.04 - 12
    ends = np.minimum(np.hypot(x - line[0, 0], y - line[0, 1]), np.hypot(x - line[-1, 0], y - line[-1, 1]))
    if line[0, 0] == 0:
        ends = np.hypot(x - line[-1, 0], y - line[-1, 1])
    return away + 0.25 * np.exp(-((ends / 0.5) ** 2))


def _brow(points: np.ndarray, scale: float, arch: float) -> np.ndarray:
    """Closed outline [N, 2] of a brow from its landmarks [5, 2], outer end first: full inside, tapered outside."""
    along = np.linspace(0, 4, 33)
    line = np.stack([np.interp(along, np.arange(5), points[:, axis]) for axis in range(2)], -1)
    straight = np.linspace(line[0, 1], line[-1, 1], len(line))
    line[:, 1] = straight + arch * (line[:, 1] - straight)
    line = gaussian_filter(line, (3, 0), mode="nearest")
    half = scale * np.interp(along, [0, 1, 3, 3.7, 4], [0.03, 0.15, 0.23, 0.22, 0.13])
    # Lower than the landmarks lie, most of all at the inner end: calm rather than worried.
    line[:, 1] -= 0.22 + 0.17 * np.clip((along - 2.3) / 1.7, 0, 1)
    return np.concatenate([line + [0, 0.1] + half[:, None] * [0, 1], (line - half[:, None] * [0, 1])[::-1]])


def _through(points: np.ndarray) -> np.ndarray:
    from scipy.interpolate import PchipInterpolator

    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return PchipInterpolator(along, points)(np.linspace(0, along[-1], 60))


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
