"""Cloth lofted around the neck and shoulders of any identity: what all garments share."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from .groom import Colour
from .noise import Noise, smoothstep, unit

AXIS_Z = -1.6
"""Of the vertical axis about which cloth is lofted, in cm."""
AROUND = 360
NO_EDGE = 9.0
KNIT, RIB, SHIRTING, WOOL = range(4)
# Half width and height at the side, depth and height in front, depth and height at the back.
_BODY = np.array(
    [
        (9.6, -11.1, 7.1, -15.0, -10.2, -11.6),
        (12.6, -12.0, 8.0, -16.2, -11.0, -12.8),
        (15.4, -13.0, 8.9, -17.8, -11.8, -14.4),
        (17.8, -14.7, 9.6, -19.8, -12.4, -16.4),
        (19.2, -17.0, 10.2, -22.0, -12.8, -19.0),
        (19.9, -20.0, 10.7, -25.0, -13.0, -22.0),
        (20.3, -24.0, 11.0, -28.5, -13.0, -26.0),
        (20.7, -30.0, 11.0, -33.5, -13.0, -32.0),
        (21.0, -40.0, 11.0, -42.0, -13.0, -42.0),
    ]
)


@dataclass(frozen=True)
class Cloth:
    """One piece: `vertices` and `normals` [K, 3] in the head frame at rest, triangles [M, 3].

    `uv` [K, 3]: place in the weave, and distance to the piece's edge in cm, cut off where negative.
    `contact` [K]: 1, or less where another piece lies close by.
    """

    colour: Colour
    weave: int
    vertices: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    contact: np.ndarray
    grid: tuple[int, int]
    """Rows and columns of the vertices."""


def make_cloth(
    surface: np.ndarray,
    colour: Colour,
    weave: int,
    edge: np.ndarray | None = None,
    contact: np.ndarray | None = None,
    closed: bool = True,
    threads: float = 110.0,
) -> Cloth:
    """A piece over a grid of points [R, A, 3]; `closed` joins the last column to the first."""
    rows, columns = surface.shape[:2]
    vertices = surface.reshape(-1, 3)
    triangles = _grid(rows, columns, closed)
    across = np.broadcast_to(np.linspace(0, threads, columns, endpoint=False), (rows, columns))
    down = np.broadcast_to(np.arange(rows)[:, None] / 2.0, (rows, columns))
    border = np.full((rows, columns), NO_EDGE) if edge is None else edge
    uv = np.stack([across, down, border], -1).reshape(-1, 3).astype(np.float32)
    near = np.ones(len(vertices)) if contact is None else contact.reshape(-1)
    return Cloth(
        colour, weave, vertices.astype(np.float32), _normals(vertices, triangles), uv, triangles, near, (rows, columns)
    )


def around(count: int = AROUND) -> np.ndarray:
    """Angles [A]: 0 the person's left, pi/2 in front."""
    return np.linspace(0, 2 * np.pi, count, endpoint=False)


def neck_ring(angle: np.ndarray, radius: np.ndarray, height: np.ndarray) -> np.ndarray:
    """[A, 3]"""
    return np.stack(
        [radius * np.cos(angle), np.broadcast_to(height, angle.shape), AXIS_Z + radius * np.sin(angle)], -1
    )


def body_rings(angle: np.ndarray, shoulders: float, ease: float = 0.0) -> np.ndarray:
    """[9, A, 3] from the collar's foot over the shoulders down, `ease` cm wider than the shirt."""
    cosine, sine = np.cos(angle), np.sin(angle)
    rings = []
    for level, (side, side_y, front, front_y, back, back_y) in enumerate(_BODY):
        power = 1.0 - 0.22 * min(level / 4, 1.0)
        side = 9.6 + (side - 9.6) * shoulders + ease
        depth = np.where(sine > 0, front - AXIS_Z, AXIS_Z - back) + ease
        far_y = np.where(sine > 0, front_y, back_y)
        height = side_y + (far_y - side_y) * np.abs(sine) ** 1.6 + 0.7 * ease
        x = side * np.sign(cosine) * np.abs(cosine) ** power
        rings.append(np.stack([x, height, AXIS_Z + depth * np.sign(sine) * np.abs(sine) ** power], -1))
    return np.stack(rings)


def refined(rings: np.ndarray, rows: int, crisp: bool = False) -> np.ndarray:
    """[rows, A, 3] through rings [R, A, 3]: splined, or without overshoot and then smoothed, but for the first."""
    spline = CubicSpline if crisp else PchipInterpolator
    surface = spline(np.arange(len(rings)), rings, axis=0)(np.linspace(0, len(rings) - 1, rows))
    if crisp:
        return surface
    free = np.clip(np.arange(rows) / rows * len(rings) - 2.0, 0, 1)[:, None, None]
    return surface + free * (gaussian_filter1d(surface, 0.45 * rows / len(rings), axis=0, mode="nearest") - surface)


def folded(surface: np.ndarray, seed: int, amount: float = 1.0) -> np.ndarray:
    """`surface` [R, A, 3] with soft folds: from the armpits over the chest, and hanging from the shoulders."""
    noise = Noise(seed)
    vertices = surface.reshape(-1, 3)
    x, y, z = vertices.T
    body = smoothstep(-13.0, -17.5, y + 0.1 * np.abs(x))
    run = np.stack([0.10 * x, 0.16 * y + 0.10 * np.abs(x), 0.05 * z], -1)
    creases = np.abs(noise(run * 1.3)) - 0.7
    draped = np.abs(noise(np.stack([0.16 * x - 0.05 * np.sign(x) * y, 0.05 * y, 0.1 * z], -1) * 1.6 + 11.0)) - 0.7
    height = body * (0.35 * noise(vertices * 0.11) - 0.34 * creases - 0.26 * draped)
    normals = _normals(vertices, _grid(*surface.shape[:2], True))
    return surface + (normals * (amount * height)[:, None]).reshape(surface.shape)


def neck_radius(neutral: np.ndarray, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Distance [A] of the neck's skin from the loft's axis just under `height` [A]."""
    near = neutral[(neutral[:, 1] < -7.0) & (neutral[:, 1] > -17) & (neutral[:, 2] < 7)]
    offset = near[:, [0, 2]] - [0, AXIS_Z]
    radius, direction = np.hypot(*offset.T), np.arctan2(offset[:, 1], offset[:, 0])
    turn = (angle[:, None] - direction + np.pi) % (2 * np.pi) - np.pi
    rise = height[:, None] - 0.2 - near[:, 1]
    weight = np.exp(-((turn / 0.16) ** 2) - (rise / 0.7) ** 2) + 1e-12
    return (weight * radius).sum(1) / weight.sum(1)


def _grid(rows: int, columns: int, closed: bool) -> np.ndarray:
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    first, beside = row * columns + column, row * columns + (column + 1) % columns
    corners = np.stack([first, beside, first + columns, beside, beside + columns, first + columns], -1)
    return corners.reshape(-1, 3).astype(np.int32)


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corner = vertices[triangles]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(vertices)
    for axis in range(3):
        np.add.at(total, triangles[:, axis], face)
    outward = unit(total)
    return (outward * np.sign((outward * (vertices - [0, -22, AXIS_Z])).sum())).astype(np.float32)
