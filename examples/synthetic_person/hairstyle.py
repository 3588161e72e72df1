"""The hair of the head: strands that grow from the scalp, combed, falling, and gathered in locks."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from .groom import CENTRE, HairLook, Roots, Scalp, Strands, hair_cover, scatter
from .noise import Noise, smoothstep, unit

_KEPT = 18
"""Points of a long strand."""


def grow(vertices: np.ndarray, mean: np.ndarray, triangles: np.ndarray, look: HairLook, seed: int) -> Strands:
    """Hair on a neutral mesh [V, 3] whose mean is `mean`, rooted on `triangles` [M, 3]."""
    rng, noise = np.random.default_rng(seed), Noise(seed)
    roots = _roots(vertices, mean, triangles, look, rng, noise)
    scalp = Scalp(vertices, mean)
    points, lift = _STYLES[look.style](roots, scalp, look, rng, noise)
    points = _in_locks(points, roots.place, rng, noise, look)
    count = len(points)
    shade = np.clip(0.5 + 0.16 * noise(roots.rest * 1.3, octaves=2) + 0.2 * rng.standard_normal(count), 0, 1)
    at_temple = smoothstep(9.0, 4.0, roots.rest[:, 1]) * 0.25
    grey = (rng.random(count) < look.grey * (0.85 + at_temple + 0.15 * noise(roots.rest * 0.8))) * 1.0
    width = rng.uniform(0.8, 1.25, count) * _WIDTH[look.style]
    # Outermost first: the depth test then spares the shading of most that lies beneath.
    order = np.argsort(-lift, kind="stable")
    return Strands(points, width, shade, grey).chosen(order)


_WIDTH = {"bob": 0.048, "crop": 0.026}


def _roots(
    vertices: np.ndarray,
    mean: np.ndarray,
    triangles: np.ndarray,
    look: HairLook,
    rng: np.random.Generator,
    noise: Noise,
) -> Roots:
    """Dense where hair grows and can be seen."""
    centre = mean[triangles].mean(1)
    seen = np.where(centre[:, 2] < -4.0, 0.35, 1.0) * np.where(centre[:, 1] > 9.0, 1.3, 1.0)
    weight = seen * (hair_cover(centre, noise, look) > 0)
    roots = scatter(vertices, mean, triangles, weight, 2 * look.count, rng)
    dense = hair_cover(roots.rest, noise, look) > rng.random(len(roots.rest)) * 0.92 + 0.08
    return roots.chosen(np.flatnonzero(dense)[: look.count])


def _crop(
    roots: Roots, scalp: Scalp, look: HairLook, rng: np.random.Generator, noise: Noise
) -> tuple[np.ndarray, np.ndarray]:
    """Short hair, brushed forward and to the side on top, close at the sides."""
    steps = 6
    direction = unit(roots.place - CENTRE)
    x, y, z = roots.rest.T
    count = len(x)
    top = smoothstep(6.5, 11.5, y + 0.25 * np.minimum(z, 0))
    front = smoothstep(2.0, 8.0, z) * top
    length = (0.75 + 1.75 * top + 0.35 * front) * rng.uniform(0.65, 1.1, count)
    lift = (0.16 + 0.75 * top + 0.75 * front) * rng.uniform(0.35, 1.0, count)
    wander = np.stack([noise(roots.rest * 0.7 + shift) for shift in (0, 40, 80)], -1) * 0.38
    wander += 0.22 * rng.standard_normal(wander.shape)
    points = np.empty((count, steps, 3))
    for step in range(steps):
        s = step / (steps - 1)
        height = lift * (1 - np.exp(-2.6 * s)) * (1 - 0.2 * s * s) + 0.01
        radius = scalp.distance(direction) + height
        points[:, step] = CENTRE + direction * radius[:, None]
        px, py = points[:, step, 0], points[:, step, 1]
        up = np.stack([np.full(count, -0.75), np.zeros(count), np.full(count, 0.45)], -1)
        down = np.stack([0.05 * np.sign(px), np.full(count, -1.0), -0.35 * np.ones(count)], -1)
        share = smoothstep(8.5, 12.0, py + 0.15 * np.abs(px))[:, None]
        tangent = share * up + (1 - share) * down + wander * (0.6 + s)
        tangent -= direction * np.sum(tangent * direction, 1, keepdims=True)
        direction = unit(direction + unit(tangent) * (length / (steps - 1) / radius)[:, None])
    return points, lift


def _bob(
    roots: Roots, scalp: Scalp, look: HairLook, rng: np.random.Generator, noise: Noise
) -> tuple[np.ndarray, np.ndarray]:
    """Hair to the chin: parted at one side, falling over the ears, its tips turned in."""
    x, y, z = roots.rest.T
    count, steps, pace = len(x), 48, 0.75
    parting = look.parting + 0.12 * noise(roots.rest * 0.9)
    side = np.where(x < parting, -1.0, 1.0)
    behind = smoothstep(0.0, -5.0, z)
    near_parting = np.exp(-(((x - parting) / np.where(x < parting, 2.2, 1.0)) ** 2)) * smoothstep(8.0, 10.5, y)
    rank = rng.random(count) ** 0.8
    top = smoothstep(5.0, 11.0, y)
    # Outer layers lie higher; what grows on top covers what grows below it.
    lift = 0.12 + (0.55 + 1.15 * top) * (0.25 + 0.75 * rank) * (1 - 0.75 * near_parting)
    lift = lift + 0.5 * smoothstep(2.0, 7.0, z) * top * (x < parting) * (1 - near_parting) * rank
    tip = -7.4 - 0.9 * behind + 0.35 * noise(roots.rest * 0.5 + 60.0) + 0.18 * rng.standard_normal(count)
    tip += 0.9 * (1 - rank)
    wander = np.stack([noise(roots.rest * 0.5 + shift) for shift in (0, 40, 80)], -1) * 0.10
    wander += 0.035 * rng.standard_normal(wander.shape)
    path = np.empty((count, steps, 3))
    place = roots.place + unit(roots.place - CENTRE) * 0.02
    way = unit(roots.place - CENTRE)
    front = smoothstep(3.5, 7.5, z) * smoothstep(8.0, 10.0, y)
    framing = smoothstep(1.0, 5.0, z) * smoothstep(5.0, 9.0, y)
    for step in range(steps):
        path[:, step] = place
        grown = step / 8.0
        px, py = place[:, 0], place[:, 1]
        over = np.stack([side, np.zeros(count), np.full(count, -0.30)], -1)
        # Below the temples the hair hangs around a column that narrows towards the chin.
        column, axis = np.array([8.1, 8.0]), np.array([0.0, -0.9])
        offset = (place[:, [0, 2]] - axis) / column
        radius = np.linalg.norm(offset, axis=1)
        wanted = 1.02 + 0.07 * lift + 0.05 * framing - 0.16 * smoothstep(-2.0, -8.5, py)
        inward = np.clip(4.0 * (wanted - radius), -0.5, 0.6)[:, None] * unit(offset)
        fall = np.stack([inward[:, 0], np.full(count, -1.0), inward[:, 1] * (1 - 0.8 * framing)], -1)
        # From the hairline it rises first, then falls to its side.
        rising = (front * max(0.0, 1.0 - grown / 0.8))[:, None]
        over = over + rising * np.array([0.0, 1.3, -0.9])
        level = smoothstep(4.5, 12.5, py + 0.1 * np.abs(px))[:, None]
        pull = level * over + (1 - level) * fall
        way = unit(0.45 * way + 0.55 * unit(pull) + wander * min(1.0, grown))
        place = place + way * pace
        # Never into the skull; up there the hair hugs its layer, lower it hangs.
        outward = unit(place - CENTRE)
        reach = np.linalg.norm(place - CENTRE, axis=1)
        floor = scalp.distance(outward) + lift * (1 - np.exp(-1.3 * grown)) + 0.03
        hug = smoothstep(4.0, 8.0, place[:, 1])
        solid = smoothstep(2.0, 5.0, place[:, 1])
        moved = np.where(reach < floor, solid, 0.85 * hug) * (floor - reach)
        place = place + outward * moved[:, None]
    settled = np.clip(np.arange(steps) / 5.0, 0, 1)[None, :, None]
    path += settled * (gaussian_filter1d(path, 1.3, axis=1, mode="nearest") - path)
    # Short new hair softens the hairline.
    new = (rng.random(count) < 0.16) * smoothstep(4.0, 6.5, z) * smoothstep(11.6, 10.9, y) > 0.5
    most = np.where(new, rng.uniform(1.2, 3.0, count), steps - 1.0)
    return _cut(path, tip, most), lift + 0.4 * top


_STYLES = {"bob": _bob, "crop": _crop}


def _cut(path: np.ndarray, tip: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Strands [N, _KEPT, 3] along paths [N, S, 3] to where they first fall below `tip` [N], or `most` [N] steps."""
    below = path[:, :, 1] < tip[:, None]
    end = np.where(below.any(1), below.argmax(1), path.shape[1] - 1)
    end = np.minimum(end, most)
    along = np.linspace(0, 1, _KEPT) ** 0.9 * end[:, None]
    first = np.minimum(along.astype(int), path.shape[1] - 2)
    share = (along - first)[..., None]
    row = np.arange(len(path))[:, None]
    return (1 - share) * path[row, first] + share * path[row, first + 1]


def _in_locks(
    points: np.ndarray, roots: np.ndarray, rng: np.random.Generator, noise: Noise, look: HairLook
) -> np.ndarray:
    """Every strand drawn towards a leader nearby, the more the nearer its tip; a few go their own way."""
    count, steps = points.shape[:2]
    leaders = rng.choice(count, max(1, count // (60 if look.style == "bob" else 14)), replace=False)
    gap, nearest = cKDTree(roots[leaders]).query(roots)
    pull = (0.62 if look.style == "bob" else 0.45) * rng.uniform(0.5, 1.0, count) * np.exp(-((gap / 1.2) ** 2))
    own = rng.random(count) < 0.03
    pull *= 1 - 0.8 * smoothstep(4.5, 7.0, roots[:, 2])
    pull[own] *= 0.1
    s = np.linspace(0, 1, steps)[None, :, None] ** 1.2
    drawn = points + (points[leaders[nearest]] - points) * pull[:, None, None] * s
    stray = rng.standard_normal((count, 1, 3)) * own[:, None, None] * (0.22 if look.style == "bob" else 0.15)
    return drawn + stray * s**1.5
