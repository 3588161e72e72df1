"""Where hair grows, and short hair combed to one side: every strand a curve over a smooth scalp."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .noise import Noise, smoothstep, unit

CENTRE = np.array([0.0, 4.0, 0.0])
"""Of the head, about which the scalp is a smooth function of direction, in cm."""
# Azimuth from the face's midline in degrees, height of the hairline in cm on the mean mesh.
HAIRLINE = np.array(
    [
        *[(0, 10.9), (18, 11.0), (34, 10.6), (42, 9.4), (50, 7.6), (58, 6.0), (64, 4.0), (68, 2.2), (76, 2.0)],
        *[(80, 4.2), (90, 5.6), (100, 5.4), (108, 3.0), (116, -0.5), (130, -3.2), (150, -4.4), (180, -4.8)],
    ]
)


def hair_cover(points: np.ndarray, noise: Noise) -> np.ndarray:
    """How densely hair grows, 0 to 1, at mean-mesh points [..., 3]; ragged along the hairline."""
    azimuth = np.degrees(np.arctan2(np.abs(points[..., 0]), points[..., 2]))
    line = np.interp(azimuth, HAIRLINE[:, 0], HAIRLINE[:, 1])
    above = points[..., 1] - line + 0.22 * noise(points * 1.5, octaves=2)
    scalp = smoothstep(8.6, 8.2, np.abs(points[..., 0]))
    return smoothstep(-0.35, 0.45, above) * scalp


@dataclass(frozen=True)
class Strands:
    """Ribbons' centre lines [N, K, 3] in the head frame, root first, and per strand width in cm and shade."""

    points: np.ndarray
    width: np.ndarray
    shade: np.ndarray

    def tangents(self) -> np.ndarray:
        """Unit directions [N, K, 3] from root to tip."""
        return unit(np.gradient(self.points, axis=1))

    def thinned(self, share: int = 3) -> "Strands":
        """One strand in `share`, that much wider: as dense, and cheaper, for casting shade."""
        return Strands(self.points[::share], self.width[::share] * share, self.shade[::share])

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


def comb(points: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Where hair at points [N, 3] is combed to: over the top (towards the sign of `over` [N]), else downwards."""
    x, y, z = np.moveaxis(points, -1, 0)
    top = np.stack([over, np.zeros_like(x), np.full_like(x, -0.75)], -1)
    down = np.stack([0.08 * np.sign(x), np.full_like(x, -1.0), -0.55 * smoothstep(-4.0, 5.0, z)], -1)
    share = smoothstep(8.0, 12.0, y + 0.15 * np.abs(x))[..., None]
    return share * top + (1 - share) * down


def grow(
    vertices: np.ndarray, mean: np.ndarray, triangles: np.ndarray, seed: int, count: int = 12000, steps: int = 7
) -> Strands:
    """Short hair on a neutral mesh [V, 3] whose mean is `mean`, rooted on `triangles` [M, 3]."""
    rng = np.random.default_rng(seed)
    noise = Noise(seed)
    roots, rest = _scatter(vertices, mean, triangles, count, rng, noise)
    scalp = Scalp(vertices, mean)
    direction = unit(roots - CENTRE)
    x, y, z = rest.T
    top = smoothstep(6.5, 11.0, y + 0.25 * np.minimum(z, 0))
    front = smoothstep(2.0, 8.0, z) * top
    low = smoothstep(5.0, 0.0, y)
    jitter = rng.uniform(0.75, 1.1, len(roots))
    length = (1.7 + 4.1 * top - 0.7 * low) * jitter
    lift = (0.42 + 1.25 * top + 0.55 * front - 0.22 * low) * rng.uniform(0.15, 1.0, len(roots)) ** 0.7
    parting = 3.4 + 0.15 * noise(rest * 0.9)
    near_parting = np.exp(-(np.where(x < parting, (x - parting) / 1.1, (x - parting) / 2.6) ** 2))
    lift *= 1 - 0.62 * near_parting * smoothstep(8.0, 10.5, y) * smoothstep(-6.0, -1.0, z)

    wander = np.stack([noise(rest * 0.55 + shift) for shift in (0, 40, 80)], -1) * 0.20
    wander += 0.08 * rng.standard_normal(wander.shape)
    over = np.where(x < parting, -1.0, 0.9)
    points = np.empty((len(roots), steps, 3))
    for step in range(steps):
        s = step / (steps - 1)
        height = lift * (1 - np.exp(-3.2 * s)) * (1 - 0.35 * s * s) + 0.02
        radius = scalp.distance(direction) + height
        points[:, step] = CENTRE + direction * radius[:, None]
        tangent = comb(points[:, step], over) + wander * (0.5 + s)
        tangent -= direction * np.sum(tangent * direction, 1, keepdims=True)
        direction = unit(direction + unit(tangent) * (length / (steps - 1) / radius)[:, None])
    shade = np.clip(0.5 + 0.22 * noise(rest * 1.3, octaves=2) + 0.16 * rng.standard_normal(len(roots)), 0, 1)
    # Outermost first: the depth test then spares the shading of most that lies beneath.
    order = np.argsort(-lift, kind="stable")
    return Strands(points[order], rng.uniform(0.065, 0.10, len(roots)), shade[order])


def _scatter(
    vertices: np.ndarray, mean: np.ndarray, triangles: np.ndarray, count: int, rng: np.random.Generator, noise: Noise
) -> tuple[np.ndarray, np.ndarray]:
    """Roots [N, 3] on the mesh and the same places on the mean mesh, dense where hair grows and can be seen."""
    corner = mean[triangles]
    centre = corner.mean(1)
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    seen = np.where(centre[:, 2] < -4.0, 0.25, 1.0) * np.where(centre[:, 1] > 9.0, 1.3, 1.0)
    weight = area * seen * (hair_cover(centre, noise) > 0)
    chosen = rng.choice(len(triangles), 2 * count, p=weight / weight.sum())
    share = rng.dirichlet([1, 1, 1], len(chosen))[:, :, None]
    rest = (mean[triangles[chosen]] * share).sum(1)
    roots = (vertices[triangles[chosen]] * share).sum(1)
    kept = np.flatnonzero(hair_cover(rest, noise) > rng.random(len(rest)) * 0.9 + 0.1)[:count]
    return roots[kept], rest[kept]


@dataclass(frozen=True)
class Brows:
    """Strands that ride on the face: every one rooted in a triangle by barycentric coordinates [N, 3]."""

    strands: Strands
    corners: np.ndarray
    share: np.ndarray

    def points(self, moved: np.ndarray) -> np.ndarray:
        """Centre lines [N, K, 3] when the mesh's vertices have moved by [V, 3]."""
        offset = (moved[self.corners] * self.share[..., None]).sum(1)
        return (self.strands.points + offset[:, None]).astype(np.float32)


def grow_brows(
    vertices: np.ndarray,
    normals: np.ndarray,
    mean: np.ndarray,
    triangles: np.ndarray,
    inside: Callable[[np.ndarray], np.ndarray],
    seed: int,
    count: int = 800,
    steps: int = 4,
) -> Brows:
    """Brows on a neutral mesh, where `inside` of the mean mesh's points [N, 3] is true."""
    rng = np.random.default_rng(seed)
    corner = mean[triangles]
    near = np.flatnonzero((corner[:, :, 2].min(1) > 7.0) & (np.abs(corner[:, :, 1].mean(1) - 6.0) < 2.0))
    area = np.linalg.norm(np.cross(corner[near, 1] - corner[near, 0], corner[near, 2] - corner[near, 0]), axis=1)
    chosen = triangles[rng.choice(near, 30 * count, p=area / area.sum())]
    share = rng.dirichlet([1, 1, 1], len(chosen))
    rest = (mean[chosen] * share[..., None]).sum(1)
    kept = np.flatnonzero(inside(rest))[:count]
    chosen, share, rest = chosen[kept], share[kept], rest[kept]
    root = (vertices[chosen] * share[..., None]).sum(1)
    normal = unit((normals[chosen] * share[..., None]).sum(1))
    outward = np.clip((np.abs(rest[:, 0]) - 1.0) / 4.5, 0, 1)
    way = np.stack([np.sign(rest[:, 0]) * (0.35 + outward), 0.85 - 1.25 * outward, np.zeros(len(rest))], -1)
    way = unit(way) + 0.08 * rng.standard_normal(way.shape)
    way = unit(way - normal * np.sum(way * normal, 1, keepdims=True))
    length = rng.uniform(0.4, 0.75, len(root))[:, None, None]
    s = np.linspace(0, 1, steps)[None, :, None]
    bend = (np.array([0.0, -0.25, 0.0]) * s**2 + way[:, None] * s) * length
    points = root[:, None] + bend + normal[:, None] * (0.02 + 0.09 * s * (1 - 0.5 * s))
    # The skin falls away below a straight hair: follow its curvature, about that of a 7 cm sphere.
    points[..., 2] -= np.sum((points - root[:, None]) ** 2, -1) / 14
    shade = np.clip(0.5 + 0.2 * rng.standard_normal(len(root)), 0, 1)
    return Brows(Strands(points, rng.uniform(0.028, 0.045, len(root)), shade), chosen, share)
