"""A crew-neck sweater, lofted around the neck and shoulders of any identity."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from .noise import Noise, smoothstep, unit

AXIS_Z = -1.6
"""Of the vertical axis about which the sweater is lofted, in cm."""
# (height under the collar's rim, gap to the neck) of the ribbed collar's rings, inside to outside.
COLLAR = ((-1.6, 0.10), (-0.4, 0.16), (0.0, 0.34), (-0.02, 0.55), (-0.5, 0.86), (-1.1, 1.12), (-1.7, 1.34))
# Body: half width and height at the side, depth and height in front, depth and height at the back.
BODY = np.array(
    [
        (9.6, -11.1, 7.1, -15.0, -10.2, -11.6),
        (12.4, -12.1, 8.0, -16.2, -11.0, -12.8),
        (15.4, -13.2, 8.9, -17.8, -11.8, -14.4),
        (18.2, -15.2, 9.6, -19.8, -12.4, -16.4),
        (20.1, -17.2, 10.2, -22.0, -12.8, -19.0),
        (21.3, -20.0, 10.7, -25.0, -13.0, -22.0),
        (22.0, -24.0, 11.0, -28.5, -13.0, -26.0),
        (22.4, -30.0, 11.0, -33.5, -13.0, -32.0),
        (22.6, -40.0, 11.0, -42.0, -13.0, -42.0),
    ]
)
_AROUND = 240
_ALONG = 90


@dataclass(frozen=True)
class Garment:
    """`vertices` [K, 3] in the head frame at rest, `uv` [K, 3] (ribs, rings, 1 on the collar), triangles, normals."""

    vertices: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray


def rim_height(angle: np.ndarray) -> np.ndarray:
    """Height of the collar's rim at `angle` (0 the person's left, pi/2 in front)."""
    front = np.maximum(np.sin(angle), 0)
    return -10.0 - 2.6 * front**2 + 0.7 * np.maximum(-np.sin(angle), 0)


def under_collar(vertices: np.ndarray) -> np.ndarray:
    """Which vertices [..., 3] the sweater hides for certain."""
    angle = np.arctan2(vertices[..., 2] - AXIS_Z, vertices[..., 0])
    return vertices[..., 1] < rim_height(angle) - 1.0


def make_sweater(neutral: np.ndarray, seed: int) -> Garment:
    """The sweater for a neutral mesh [V, 3]: its collar fits that neck."""
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    rim, neck = rim_height(angle), _neck_radius(neutral, angle)
    cosine, sine = np.cos(angle), np.sin(angle)
    rings = []
    for drop, gap in COLLAR:
        radius = neck + gap
        rings.append(np.stack([radius * cosine, rim + drop, AXIS_Z + radius * sine], -1))
    for level, (side, side_y, front, front_y, back, back_y) in enumerate(BODY):
        power = 1.0 - 0.22 * min(level / 4, 1.0)
        depth = np.where(sine > 0, front - AXIS_Z, AXIS_Z - back)
        far_y = np.where(sine > 0, front_y, back_y)
        height = side_y + (far_y - side_y) * np.abs(sine) ** 1.6
        x = side * np.sign(cosine) * np.abs(cosine) ** power
        rings.append(np.stack([x, height, AXIS_Z + depth * np.sign(sine) * np.abs(sine) ** power], -1))
    surface = _smooth_between(np.stack(rings), len(COLLAR))
    collar = np.repeat((np.arange(len(surface)) < _collar_rows())[:, None], _AROUND, 1)
    vertices = surface.reshape(-1, 3)
    triangles = _tube(len(surface), _AROUND)
    normals = _normals(vertices, triangles)
    vertices = vertices + normals * _folds(vertices, seed)[:, None]
    ribs = np.broadcast_to(angle / (2 * np.pi) * 110, collar.shape)
    rows = np.broadcast_to(np.arange(len(surface))[:, None] / 2.0, collar.shape)
    uv = np.stack([ribs, rows, collar], -1).reshape(-1, 3).astype(np.float32)
    return Garment(vertices.astype(np.float32), _normals(vertices, triangles).astype(np.float32), uv, triangles)


def _neck_radius(neutral: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Distance [A] of the neck's skin from the loft's axis just under the rim."""
    near = neutral[(neutral[:, 1] < -7.0) & (neutral[:, 1] > -17) & (neutral[:, 2] < 7)]
    offset = near[:, [0, 2]] - [0, AXIS_Z]
    radius, around = np.hypot(*offset.T), np.arctan2(offset[:, 1], offset[:, 0])
    turn = (angle[:, None] - around + np.pi) % (2 * np.pi) - np.pi
    rise = rim_height(angle)[:, None] - 0.2 - near[:, 1]
    weight = np.exp(-((turn / 0.16) ** 2) - (rise / 0.7) ** 2) + 1e-12
    return (weight * radius).sum(1) / weight.sum(1)


def _collar_rows() -> int:
    return 3 * len(COLLAR) - 2


def _smooth_between(rings: np.ndarray, collar: int) -> np.ndarray:
    """Finer rings: the collar's kept crisp, the body's splined."""
    crisp = np.linspace(0, collar - 1, _collar_rows())
    body = np.linspace(collar - 1, len(rings) - 1, _ALONG)[1:]
    crisp_rings = CubicSpline(np.arange(collar), rings[:collar], axis=0)(crisp)
    body_rings = PchipInterpolator(np.arange(collar - 1, len(rings)), rings[collar - 1 :], axis=0)(body)
    return np.concatenate([crisp_rings, body_rings])


def _folds(vertices: np.ndarray, seed: int) -> np.ndarray:
    """Height [K] of soft folds: they run from the armpits over the chest, and hang from the shoulders."""
    noise = Noise(seed)
    x, y, z = vertices.T
    body = smoothstep(-14.5, -18.0, y + 0.1 * np.abs(x))
    run = np.stack([0.10 * x, 0.16 * y + 0.10 * np.abs(x), 0.05 * z], -1)
    creases = np.abs(noise(run * 1.3)) - 0.7
    return body * (0.35 * noise(vertices * 0.11) - 0.30 * creases)


def _tube(rows: int, columns: int) -> np.ndarray:
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
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
    return outward * np.sign((outward * (vertices - [0, -22, AXIS_Z])).sum())
