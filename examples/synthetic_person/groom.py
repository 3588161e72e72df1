"""Where hair grows, what it is made of, and the scalp that it lies on."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .noise import Noise, smoothstep, unit

Colour = tuple[float, float, float]
CENTRE = np.array([0.0, 4.0, 0.0])
"""Of the head, about which the scalp is a smooth function of direction, in cm."""
# Azimuth from the face's midline in degrees, height of the hairline in cm on the mean mesh.
_HAIRLINES = {
    "full": [
        *[(0, 10.9), (18, 11.0), (34, 10.6), (42, 9.4), (50, 7.6), (58, 6.0), (64, 4.0), (68, 2.2), (76, 2.0)],
        *[(80, 4.2), (90, 5.6), (100, 5.4), (108, 3.0), (116, -0.5), (130, -3.2), (150, -4.4), (180, -4.8)],
    ],
    "round": [
        *[(0, 10.35), (18, 10.4), (30, 10.1), (38, 9.2), (46, 7.6), (54, 6.2), (62, 4.4), (68, 2.2), (76, 2.0)],
        *[(80, 4.2), (90, 5.6), (100, 5.4), (108, 3.0), (116, -0.5), (130, -3.2), (150, -4.4), (180, -4.8)],
    ],
    "receding": [
        *[(0, 11.4), (14, 11.8), (26, 12.6), (36, 12.2), (43, 10.5), (50, 8.0), (58, 6.2), (64, 4.2), (68, 2.0)],
        *[(76, 1.2), (80, 3.6), (90, 5.4), (100, 5.2), (108, 3.0), (116, -0.5), (130, -3.0), (150, -4.0), (180, -4.3)],
    ],
}


@dataclass(frozen=True)
class HairLook:
    """Hair of head, brows and face: linear colours, shares from 0 to 1."""

    style: str
    """"bob" or "crop"."""
    colour: Colour
    count: int
    hairline: str = "full"
    ragged: float = 0.2
    """Of the hairline, in cm."""
    second: Colour = (0.42, 0.41, 0.40)
    """Of the strands that have turned grey, or are bleached."""
    grey: float = 0.0
    scalp: float = 0.8
    """How much of the scalp's skin the roots hide."""
    parting: float = 3.4
    brow: float = 1.0
    """Thickness of the brows."""
    arch: float = 1.0
    """Their bend."""
    brow_colour: Colour = (0.060, 0.034, 0.021)
    brow_density: float = 0.6
    stubble: float = 0.0
    stubble_colour: Colour = (0.06, 0.05, 0.045)


def hair_cover(points: np.ndarray, noise: Noise, look: HairLook) -> np.ndarray:
    """How densely hair grows, 0 to 1, at mean-mesh points [..., 3]; ragged along the hairline."""
    azimuth = np.degrees(np.arctan2(np.abs(points[..., 0]), points[..., 2]))
    table = np.array(_HAIRLINES[look.hairline])
    line = np.interp(azimuth, table[:, 0], table[:, 1])
    above = points[..., 1] - line + look.ragged * noise(points * 1.5, octaves=2)
    scalp = smoothstep(8.6, 8.2, np.abs(points[..., 0]))
    return smoothstep(-0.45, 0.75, above) * scalp


def beard_cover(points: np.ndarray, noise: Noise, to_lips: np.ndarray) -> np.ndarray:
    """How densely a beard grows at mean-mesh points [..., 3] that lie `to_lips` [...] cm from the lips."""
    x, y, z = np.moveaxis(points, -1, 0)
    side = np.abs(x)
    ragged = 0.22 * noise(points * 1.2 + 20.0, octaves=2)
    # The cheek's line falls from the ear to the mouth's corner.
    line = np.interp(side, [0, 1.0, 2.6, 4.0, 5.5, 6.8, 7.8], [-1.35, -1.5, -2.2, -2.7, -1.5, 1.2, 3.6])
    cheek = smoothstep(0.30, -0.55, y - line + ragged)
    throat = smoothstep(-10.2, -8.2, y + 0.35 * (z - 6.0) + ragged)
    clear = smoothstep(0.02, 0.26, to_lips)
    below = np.exp(-(((side - 1.5) / 0.7) ** 2) - ((y + 4.9) / 0.5) ** 2)
    front = smoothstep(2.2, 3.4, z + 0.35 * (side < 8))
    return cheek * throat * clear * front * (1 - 0.5 * below) * smoothstep(8.2, 7.7, side)


@dataclass(frozen=True)
class Strands:
    """Ribbons' centre lines [N, K, 3] in the head frame, root first; per strand width in cm, shade and greyness."""

    points: np.ndarray
    width: np.ndarray
    shade: np.ndarray
    grey: np.ndarray

    def tangents(self) -> np.ndarray:
        """Unit directions [N, K, 3] from root to tip."""
        return unit(np.gradient(self.points, axis=1))

    def chosen(self, index: np.ndarray | slice) -> "Strands":
        return Strands(self.points[index], self.width[index], self.shade[index], self.grey[index])

    def thinned(self, most: int = 5000) -> "Strands":
        """At most so many strands, that much wider: as dense, and cheaper, for casting shade."""
        share = max(1, -(-len(self.points) // most))
        few = self.chosen(slice(None, None, share))
        return Strands(few.points, few.width * share, few.shade, few.grey)

    def ribbons(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices [N * K * 2, 3] and triangles of ribbons that lie flat on the head: casters of shade."""
        side = unit(np.cross(self.tangents(), self.points - CENTRE)) * self.width[:, None, None] / 2
        vertices = np.stack([self.points - side, self.points + side], axis=2).reshape(-1, 3)
        return vertices, ribbon_triangles(*self.points.shape[:2])


def ribbon_triangles(strands: int, points: int) -> np.ndarray:
    """[M, 3] for vertices ordered strand by strand, point by point, left then right."""
    first = (np.arange(strands)[:, None] * points + np.arange(points - 1)).reshape(-1, 1) * 2
    return np.concatenate([first + np.array(corners) for corners in ((0, 1, 2), (1, 3, 2))]).astype(np.int32)


class Scalp:
    """The skull as distance from `CENTRE` by direction, ears left out."""

    def __init__(self, vertices: np.ndarray, mean: np.ndarray):
        skull = (mean[:, 1] > -6.5) & ((mean[:, 1] > 6.3) | (np.abs(mean[:, 0]) < 7.7)) & (np.abs(mean[:, 0]) < 8.3)
        offset = vertices[skull] - CENTRE
        self._distance = np.linalg.norm(offset, axis=1)
        self._tree = cKDTree(unit(offset))

    def distance(self, direction: np.ndarray) -> np.ndarray:
        """[...] for unit vectors [..., 3]."""
        gap, index = self._tree.query(direction.reshape(-1, 3), k=24)
        weight = np.exp(-((gap / 0.09) ** 2)) + 1e-6
        smooth = (self._distance[index] * weight).sum(-1) / weight.sum(-1)
        return smooth.reshape(direction.shape[:-1])


@dataclass(frozen=True)
class Roots:
    """Places in triangles: corners [N, 3], barycentric shares [N, 3]; on the mesh and on the mean mesh [N, 3]."""

    corners: np.ndarray
    share: np.ndarray
    place: np.ndarray
    rest: np.ndarray

    def chosen(self, index: np.ndarray) -> "Roots":
        return Roots(self.corners[index], self.share[index], self.place[index], self.rest[index])


def scatter(
    vertices: np.ndarray,
    mean: np.ndarray,
    triangles: np.ndarray,
    weight: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> Roots:
    """`count` places on `triangles` [M, 3], as many on each as its area on the mean mesh times `weight` [M]."""
    corner = mean[triangles]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    chance = area * weight
    chosen = triangles[rng.choice(len(triangles), count, p=chance / chance.sum())]
    share = rng.dirichlet([1, 1, 1], len(chosen))
    place, rest = ((mesh[chosen] * share[..., None]).sum(1) for mesh in (vertices, mean))
    return Roots(chosen, share, place, rest)
