"""Hair that rides on the face: brows and stubble."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .groom import HairLook, Roots, Strands, beard_cover, scatter
from .noise import Noise, unit
from .outline import Outline


@dataclass(frozen=True)
class Anchored:
    """Strands, every one rooted in a triangle by barycentric coordinates [N, 3]."""

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
    look: HairLook,
    seed: int,
    count: int = 760,
) -> Anchored:
    """Brows on a neutral mesh, where `inside` of the mean mesh's points [N, 3] is true."""
    rng = np.random.default_rng(seed)
    corner = mean[triangles]
    near = (corner[:, :, 2].min(1) > 7.0) & (np.abs(corner[:, :, 1].mean(1) - 6.0) < 2.0)
    roots = scatter(vertices, mean, triangles, near * 1.0, 30 * count, rng)
    roots = roots.chosen(np.flatnonzero(inside(roots.rest + 0.07 * rng.standard_normal(roots.rest.shape)))[:count])
    rest, normal = roots.rest, _normal(normals, roots)
    outward = np.clip((np.abs(rest[:, 0]) - 1.0) / 4.5, 0, 1)
    way = np.stack([np.sign(rest[:, 0]) * (0.35 + outward), 0.85 - 1.25 * outward, np.zeros(len(rest))], -1)
    length = rng.uniform(0.35, 0.75, len(rest)) * (0.7 + 0.3 * look.brow)
    points = _hairs(roots.place, normal, unit(way) + 0.10 * rng.standard_normal(way.shape), length, rise=0.06)
    return _anchored(points, roots, rng.uniform(0.024, 0.034, len(rest)), 0.4 * look.grey, rng)


def grow_stubble(
    vertices: np.ndarray,
    normals: np.ndarray,
    mean: np.ndarray,
    triangles: np.ndarray,
    landmarks: np.ndarray,
    look: HairLook,
    seed: int,
    count: int = 14000,
) -> Anchored:
    """A beard of a few days on a neutral mesh."""
    rng, noise = np.random.default_rng(seed), Noise(seed)
    outline = Outline(landmarks)
    centre = mean[triangles].mean(1)
    weight = beard_cover(centre, noise, np.full(len(centre), 1.0)) > 0
    roots = scatter(vertices, mean, triangles, weight * 1.0, 2 * count, rng)
    cover = beard_cover(roots.rest, noise, outline.lips(roots.rest[:, 0], roots.rest[:, 1]))
    roots = roots.chosen(np.flatnonzero(cover > rng.random(len(cover)))[: int(count * look.stubble)])
    rest, normal = roots.rest, _normal(normals, roots)
    way = np.stack([0.25 * np.sign(rest[:, 0]), np.full(len(rest), -1.0), np.full(len(rest), -0.1)], -1)
    length = rng.uniform(0.12, 0.30, len(rest))
    points = _hairs(roots.place, normal, way + 0.35 * rng.standard_normal(way.shape), length, rise=0.22)
    on_chin = np.exp(-((rest[:, 0] / 2.4) ** 2) - ((rest[:, 1] + 6.0) / 1.6) ** 2)
    return _anchored(points, roots, rng.uniform(0.013, 0.019, len(rest)), look.grey * (0.7 + 0.6 * on_chin), rng)


def _normal(normals: np.ndarray, roots: Roots) -> np.ndarray:
    return unit((normals[roots.corners] * roots.share[..., None]).sum(1))


def _hairs(
    root: np.ndarray, normal: np.ndarray, way: np.ndarray, length: np.ndarray, rise: float, steps: int = 4
) -> np.ndarray:
    """[N, K, 3] short bent hairs that lie along `way` on the skin and rise from it by `rise` of their length or so."""
    way = unit(way - normal * np.sum(way * normal, 1, keepdims=True))
    s = np.linspace(0, 1, steps)[None, :, None]
    bend = (np.array([0.0, -0.25, 0.0]) * s**2 + way[:, None] * s) * length[:, None, None]
    lifted = 0.015 + rise * s * (1 - 0.5 * s) * (length[:, None, None] if rise > 0.1 else 1.5)
    points = root[:, None] + bend + normal[:, None] * lifted
    # The skin falls away below a straight hair: follow its curvature, about that of a 7 cm sphere.
    points -= normal[:, None] * np.sum((points - root[:, None]) ** 2, -1, keepdims=True) / 14
    return points


def _anchored(
    points: np.ndarray, roots: Roots, width: np.ndarray, grey: float | np.ndarray, rng: np.random.Generator
) -> Anchored:
    shade = np.clip(0.5 + 0.2 * rng.standard_normal(len(points)), 0, 1)
    turned = (rng.random(len(points)) < grey) * 1.0
    return Anchored(Strands(points, width, shade, turned), roots.corners, roots.share)
