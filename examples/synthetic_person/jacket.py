"""A jacket with lapels over a shirt with an open collar."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, map_coordinates

from .groom import Colour
from .loft import (
    SHIRTING,
    WOOL,
    Cloth,
    around,
    body_rings,
    folded,
    make_cloth,
    neck_radius,
    neck_ring,
    refined,
)
from .noise import smoothstep

_CELL = 0.04
# Frontal outlines in cm of the left half, mirrored to the right.
_OPENING = [(0.0, -6.0), (6.6, -6.0), (6.5, -10.8), (5.6, -13.5), (3.4, -19.0), (1.2, -27.0), (0.0, -31.0)]
_LAPEL = [(6.2, -9.0), (7.2, -10.4), (8.6, -12.6), (10.4, -14.7), (9.1, -15.7), (11.7, -15.9), (9.6, -20.0), (5.5, -26.0)]
_LAPEL_INNER = [(1.0, -27.0), (3.2, -19.0), (5.4, -13.5), (6.3, -10.8)]


def rim_height(angle: np.ndarray) -> np.ndarray:
    """Height of the shirt's neckline at `angle`: open at the throat."""
    front = np.maximum(np.sin(angle), 0)
    return -9.6 - 2.2 * front**2 - 3.4 * front**14 + 0.9 * np.maximum(-np.sin(angle), 0)


def make_jacket(neutral: np.ndarray, colours: tuple[Colour, ...], shoulders: float, seed: int) -> list[Cloth]:
    """For a neutral mesh [V, 3]: jacket and shirt in `colours`."""
    angle = around()
    rim = rim_height(angle)
    neck = neck_radius(neutral, angle, rim)
    band = np.stack([neck_ring(angle, neck + gap, rim + drop) for drop, gap in ((-1.2, 0.12), (0.0, 0.22), (-0.3, 0.45))])
    shirt = refined(np.concatenate([band, body_rings(angle, shoulders)]), 110)
    jacket = folded(refined(_jacket_rings(angle, neck, rim, shoulders), 130), seed, 0.75)
    x, y = np.abs(jacket[..., 0]), jacket[..., 1]
    front = jacket[..., 2] > 0.0
    opening = np.where(front, _distance([_OPENING])(x, y), 9.0)
    lapel = np.where(front, -_distance([_LAPEL + _LAPEL_INNER])(x, y), -9.0)
    raised = jacket + _outward(jacket) * (0.12 + 0.30 * smoothstep(0.0, 0.5, lapel))[..., None]
    under = 1.0 - 0.6 * np.exp(-np.clip(-lapel, 0, None) / 0.35) * (lapel < 0.05)
    shaded = 1.0 - 0.55 * np.exp(-((np.clip(_over(shirt), 0, None) / 1.1) ** 2))
    return [
        make_cloth(jacket, colours[0], WOOL, edge=np.minimum(opening, -lapel + 0.6), contact=under),
        make_cloth(raised, colours[0], WOOL, edge=lapel),
        make_cloth(shirt, colours[1], SHIRTING, edge=_placket(shirt), contact=shaded),
        *_leaves(angle, neck, rim, colours[1]),
    ]


def _jacket_rings(angle: np.ndarray, neck: np.ndarray, rim: np.ndarray, shoulders: float) -> np.ndarray:
    """Rings from inside the collar, which stands up around the nape, over the shoulders down."""
    back = smoothstep(0.35, -0.5, np.sin(angle))
    foot = -9.9 - 1.6 * np.maximum(np.sin(angle), 0) + 0.6 * np.maximum(-np.sin(angle), 0)
    top = foot + 0.9 * back
    stand = [(-1.5, 1.25), (0.0, 1.55), (0.12, 1.85), (-0.5, 2.25), (-1.6, 2.75)]
    rings = [neck_ring(angle, neck + gap, top + drop) for drop, gap in stand]
    return np.concatenate([np.stack(rings), body_rings(angle, shoulders, ease=0.75)])


def _leaves(angle: np.ndarray, neck: np.ndarray, rim: np.ndarray, colour: Colour) -> list[Cloth]:
    """The shirt collar's two leaves: a strip from one point around the nape to the other."""
    gap = 0.42
    turn = np.linspace(np.pi / 2 + gap, 5 * np.pi / 2 - gap, 241)
    radius = np.interp(turn % (2 * np.pi), angle, neck, period=2 * np.pi)
    edge_height = -9.35 - 2.3 * np.maximum(np.sin(turn), 0) ** 2 + 0.9 * np.maximum(-np.sin(turn), 0)
    front = np.maximum(np.sin(turn), 0)
    drop = 3.0 + 3.4 * front**3
    lean = 0.95 - 0.28 * front
    rows = []
    for down, out in ((-1.0, 0.15), (-0.2, 0.2), (0.0, 0.34), (-0.06, 0.52)):
        rows.append(neck_ring(turn, radius + out, edge_height + down))
    for share in np.linspace(0.08, 1.0, 14):
        fallen = drop * share
        out = 0.52 + fallen * lean * (0.62 + 0.38 * share)
        ring = neck_ring(turn, radius + out, edge_height - 0.06 - 0.86 * fallen)
        # The points spread: they lie farther from the throat than the leaf's upper edge.
        ring[:, 0] += np.sign(ring[:, 0]) * 0.5 * share * front**3
        rows.append(ring)
    return [make_cloth(refined(np.stack(rows), 60), colour, SHIRTING, closed=False, threads=90.0)]


def _placket(shirt: np.ndarray) -> np.ndarray:
    """Distance to the shirt's edge: it is cut open above the first button."""
    return np.full(shirt.shape[:2], 9.0)


def _over(shirt: np.ndarray) -> np.ndarray:
    """How far the shirt's points lie inside the jacket's opening, in cm."""
    return -_distance([_OPENING])(np.abs(shirt[..., 0]), shirt[..., 1])


def _outward(surface: np.ndarray) -> np.ndarray:
    return make_cloth(surface, (0, 0, 0), WOOL).normals.reshape(surface.shape)


class _distance:
    """Signed distance in cm to outlines in the half plane x > 0; negative inside."""

    def __init__(self, outlines: list[list[tuple[float, float]]]):
        side = int(50 / _CELL)
        image = Image.new("L", (side, side))
        for outline in outlines:
            ImageDraw.Draw(image).polygon([((x + 10) / _CELL, (y + 42) / _CELL) for x, y in outline], fill=1)
        inside = np.asarray(image, bool)
        self._raster = _CELL * (distance_transform_edt(~inside) - distance_transform_edt(inside))

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return map_coordinates(self._raster, [(y + 42) / _CELL, (x + 10) / _CELL], order=1, mode="nearest")
