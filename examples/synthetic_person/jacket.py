"""A jacket with lapels over a buttoned shirt."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import PchipInterpolator
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
# Half width of the jacket's opening over height, and the lapel's frontal outline, of the left half; mirrored.
_OPENING = np.array([(-31.0, 0.3), (-27.0, 1.3), (-19.0, 3.5), (-15.0, 4.9), (-12.5, 5.7), (-11.0, 6.0), (-9.0, 5.6)])
_LAPEL = [
    *[(2.0, -8.0), (7.7, -8.0), (7.9, -11.2), (8.9, -13.0), (10.6, -14.9), (9.3, -15.7), (11.7, -16.1), (9.6, -20.0)],
    *[(5.5, -26.0), (1.0, -27.5), (2.3, -19.0), (3.5, -15.0), (4.0, -12.5)],
]


def rim_height(angle: np.ndarray) -> np.ndarray:
    """Height of the shirt's neckline at `angle`."""
    front = np.maximum(np.sin(angle), 0)
    return -9.5 - 2.5 * front**2 + 0.9 * np.maximum(-np.sin(angle), 0)


def make_jacket(neutral: np.ndarray, colours: tuple[Colour, ...], shoulders: float, seed: int) -> list[Cloth]:
    """For a neutral mesh [V, 3]: jacket and shirt in `colours`."""
    angle = around()
    rim = rim_height(angle)
    neck = neck_radius(neutral, angle, rim)
    band = [neck_ring(angle, neck + gap, rim + drop) for drop, gap in ((-1.2, 0.12), (0.0, 0.22), (-0.3, 0.40))]
    shirt = folded(refined(np.concatenate([np.stack(band), body_rings(angle, shoulders)]), 110), seed + 9, 0.35)
    jacket = folded(refined(_jacket_rings(angle, neck, shoulders), 130), seed, 0.75)
    from_opening = _from_opening(jacket)
    lapel = np.where(jacket[..., 2] > 0.0, -_Distance(_LAPEL)(np.abs(jacket[..., 0]), jacket[..., 1]), -9.0)
    raised = jacket + _outward(jacket) * (0.10 + 0.32 * smoothstep(0.0, 0.5, lapel))[..., None]
    under = 1.0 - 0.65 * np.exp(-np.clip(-lapel, 0, None) / 0.35) * (lapel < 0.05)
    inside = -_from_opening(shirt)
    leaves, outline = _leaves(angle, neck, colours[1])
    from_leaf = np.clip(_Distance(outline)(np.abs(shirt[..., 0]), shirt[..., 1]), 0, None)
    shaded = 1.0 - 0.5 * np.exp(-np.clip(inside, 0, None) / 0.35)
    shaded *= 1.0 - 0.45 * np.exp(-from_leaf / 0.30) * (shirt[..., 2] > 0)
    return [
        make_cloth(jacket, colours[0], WOOL, edge=from_opening - 0.3 * smoothstep(0.2, 0.8, lapel), contact=under),
        make_cloth(raised, colours[0], WOOL, edge=np.minimum(lapel, _from_opening(raised))),
        make_cloth(shirt, colours[1], SHIRTING, edge=inside + 1.6, contact=shaded * _placket(shirt)),
        leaves,
    ]


def _jacket_rings(angle: np.ndarray, neck: np.ndarray, shoulders: float) -> np.ndarray:
    """Rings from inside the collar, which stands up around the nape, over the shoulders down."""
    body = body_rings(angle, shoulders, ease=0.75)
    back = smoothstep(0.3, -0.5, np.sin(angle))
    top = body[0, :, 1] + 0.95 + 0.6 * back
    stand = [(-1.5, 1.30), (0.0, 1.45), (0.16, 1.75), (-0.45, 2.25), (-1.3, 2.9)]
    return np.concatenate([np.stack([neck_ring(angle, neck + gap, top + drop) for drop, gap in stand]), body])


def _from_opening(surface: np.ndarray) -> np.ndarray:
    """[R, A] distance from the jacket's opening, negative in it, at points [R, A, 3]."""
    # The collar's inner rows fold back down: they are cut where its rim is.
    height = np.minimum.accumulate(surface[..., 1][::-1], axis=0)[::-1]
    height = np.maximum(surface[..., 1], height)
    half = PchipInterpolator(*_OPENING.T)(np.clip(height, -31.0, -9.0))
    return np.where(surface[..., 2] > 0.0, np.abs(surface[..., 0]) - half, 9.0)


def _leaves(angle: np.ndarray, neck: np.ndarray, colour: Colour) -> tuple[Cloth, list[tuple[float, float]]]:
    """The shirt collar's leaves, a strip from point to point around the nape; and the frontal outline of one."""
    rows = []
    shape = [(-0.9, 0.16, 0.0), (-0.1, 0.22, 0.0), (0.06, 0.36, 0.0), (0.0, 0.52, 0.02)]
    shape += [(0.0, 0.52, share) for share in np.linspace(0.08, 1.0, 16)]
    for lifted, gap, share in shape:
        start = np.pi / 2 + 0.004 + 0.38 * share
        turn = np.linspace(start, start + 2 * (3 * np.pi / 2 - start), 261)
        front = np.maximum(np.sin(turn), 0)
        back = np.maximum(-np.sin(turn), 0)
        radius = np.interp(turn % (2 * np.pi), angle, neck, period=2 * np.pi)
        fallen = share * (2.6 + 2.7 * front**2.5)
        lean = 0.08 + 0.66 * front**2.5
        height = rim_height(turn) + 0.35 + 0.2 * back + lifted - fallen * (0.95 - 0.22 * front)
        rows.append(neck_ring(turn, radius + gap + 0.15 * share * front + fallen * lean * (0.8 + 0.2 * share), height))
    strip = refined(np.stack(rows), 70)
    across = np.minimum(np.arange(261), np.arange(261)[::-1]) * 0.11
    down = (69 - np.arange(70)) * 0.07
    # What the jacket covers is cut away, so that it cannot come through.
    margin = 0.1 + 2.0 * smoothstep(-11.8, -10.4, strip[..., 1])
    covered = np.where(strip[..., 2] > 0, margin - _from_opening(strip), 9.0)
    edge = np.minimum(np.minimum.outer(down, across) + 0.02, covered)
    outline = np.concatenate([strip[12:, 0], strip[-1, :70], strip[12, 70::-1]])[:, :2]
    leaves = make_cloth(strip, colour, SHIRTING, edge=edge, closed=False, threads=90.0)
    return leaves, [(abs(float(x)), float(y)) for x, y in outline]


def _placket(shirt: np.ndarray) -> np.ndarray:
    """[R, A] shade of the line along which the shirt is buttoned."""
    line = np.exp(-(((shirt[..., 0] + 1.1) / 0.10) ** 2)) * (shirt[..., 2] > 0)
    return 1.0 - 0.35 * line


def _outward(surface: np.ndarray) -> np.ndarray:
    return make_cloth(surface, (0, 0, 0), WOOL).normals.reshape(surface.shape)


class _Distance:
    """Signed distance in cm to an outline in the half plane x > 0; negative inside."""

    def __init__(self, outline: list[tuple[float, float]]):
        side = int(50 / _CELL)
        image = Image.new("L", (side, side))
        ImageDraw.Draw(image).polygon([((x + 10) / _CELL, (y + 42) / _CELL) for x, y in outline], fill=1)
        inside = np.asarray(image, bool)
        self._raster = _CELL * (distance_transform_edt(~inside) - distance_transform_edt(inside))

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return map_coordinates(self._raster, [(y + 42) / _CELL, (x + 10) / _CELL], order=1, mode="nearest")
