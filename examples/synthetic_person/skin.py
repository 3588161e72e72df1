"""The skin's colour: painted once, in texture space, from positions on the mean mesh.

The face model is in topological correspondence, so what is painted at a place of the mean mesh lands at the
same place of every identity and sticks to the skin under every expression.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from .groom import HairLook, beard_cover, hair_cover
from .noise import Noise, smoothstep
from .outline import Outline

Colour = tuple[float, float, float]
FLUSH = np.array([1.08, 0.76, 0.72])


@dataclass(frozen=True)
class SkinLook:
    """Linear albedo of skin and lips; strengths of what varies it, 1 being usual."""

    base: Colour
    lip: Colour
    flush: float = 1.0
    shade: Colour = (0.80, 0.72, 0.74)
    """Multiplies the colour in eye hollows."""
    mottle: float = 1.0
    freckles: float = 0.0
    pores: float = 1.0
    age: float = 0.15
    oil: float = 0.40
    liner: float = 0.7
    """Darkness of the lids' rim: lashes' roots or make-up."""


def paint(
    positions: np.ndarray, landmarks: np.ndarray, look: SkinLook, hair: HairLook, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """[H, W, 4] float32 of linear albedo and gloss, and [H, W] where lips are, from mean-mesh positions [H, W, 3].

    A position of NaN marks a texel that no polygon covers; its colour is taken from the nearest covered one.
    """
    covered = np.isfinite(positions[..., 0])
    nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    points = positions[tuple(nearest)]
    x, y, z = np.moveaxis(points, -1, 0)
    noise = Noise(seed)
    albedo = np.broadcast_to(np.array(look.base), points.shape).copy()
    gloss = np.full(x.shape, look.oil)

    mottle = noise(points * 0.7, octaves=3)
    fine = noise(points * 4.0, octaves=2)
    albedo *= 1.0 + look.mottle * 0.045 * np.stack([0.5 * mottle, mottle, 1.1 * mottle], -1)
    albedo *= 1.0 + look.mottle * 0.035 * np.stack([0.5 * fine, fine, fine], -1)

    def spot(centre: Sequence[float], radius: float, stretch: Sequence[float] = (1, 1, 1)) -> np.ndarray:
        offset = (np.stack([np.abs(x), y, z], -1) - centre) / stretch
        return np.exp(-np.sum(offset**2, -1) / radius**2)

    def tint(colour: Sequence[float] | np.ndarray, amount: np.ndarray) -> None:
        albedo[...] = albedo * (1.0 + amount[..., None] * (np.asarray(colour) - 1.0))

    flush = look.flush
    tint(FLUSH, flush * 0.6 * spot((4.4, -0.2, 9.0), 2.4, (1, 0.9, 2)) * (1 + 0.15 * mottle))
    tint(FLUSH, flush * (0.7 * spot((0, 0.3, 12.6), 1.5) + 0.5 * spot((1.5, -0.6, 11), 0.9)))
    tint(FLUSH, flush * 0.9 * smoothstep(7.9, 8.9, np.abs(x)))
    tint(FLUSH, flush * (0.35 * spot((0, -6.8, 10), 1.8) + 0.25 * spot((3.2, 4.8, 9), 1.2)))
    tint(FLUSH, flush * 0.15 * smoothstep(-8.0, -10.0, y))
    tint(look.shade, 0.8 * spot((2.9, 2.1, 9.6), 0.9, (1.5, 0.6, 2)) + 0.6 * spot((1.75, 3.0, 9.3), 0.6))
    tint(look.shade, 0.6 * spot((3.3, 4.4, 9.6), 0.75, (1.7, 0.6, 2)))
    tint((1.05, 1.05, 1.02), spot((0, 8.0, 10.5), 2.6, (1.3, 1, 1)) + 0.7 * spot((4.2, 1.2, 9), 1.0))
    gloss += 0.12 * spot((0, 1.5, 12), 1.7, (0.6, 2, 2)) + 0.14 * spot((0, 8.5, 10), 3.0, (1.4, 0.8, 2))
    gloss += 0.10 * spot((4.4, 1.0, 9), 1.5) - 0.10 * spot((5, -4, 7), 2.5)

    if look.freckles:
        grains = noise(points * 5.2 + 50.0) + 0.6 * noise(points * 9.0 + 70.0)
        where = spot((2.6, 0.4, 10.5), 3.2, (1.3, 1, 2)) + 0.35 * spot((0, 8, 10), 4.0) + 0.12
        tint((0.62, 0.47, 0.38), look.freckles * where * smoothstep(1.1, 2.0, grains))

    outline = Outline(landmarks, hair.brow, hair.arch)
    lips = smoothstep(0.12, -0.12, outline.lips(x, y) + 0.04 * mottle) * smoothstep(6.5, 8.0, z)
    line = noise(points * np.array([6.0, 1.2, 1.2]))
    # Darker where the lips meet, paler towards their outer edge.
    depth = np.exp(-(((y + 3.36) / 0.16) ** 2))
    lip_colour = (
        np.array(look.lip) * (1 + 0.09 * line[..., None] + 0.05 * mottle[..., None]) * (1 - 0.25 * depth)[..., None]
    )
    albedo += lips[..., None] * (lip_colour - albedo)
    gloss += lips * (0.72 - gloss)

    eye = outline.eyes(x, y)
    front = smoothstep(8.0, 8.6, z)
    rim = front * np.exp(-((eye / 0.07) ** 2)) * smoothstep(2.6, 3.5, y) ** 0.5
    albedo *= 1 - look.liner * rim[..., None]
    tint((1.05, 0.66, 0.64), front * smoothstep(0.12, -0.05, eye))

    root = np.array(hair.colour)
    brows = outline.brows(x, y)
    shadow_of_brow = 0.55 * front * smoothstep(0.30, -0.25, brows + 0.06 * mottle + 0.05 * fine)
    albedo += (shadow_of_brow * hair.brow_density)[..., None] * (
        1.6 * np.array(hair.brow_colour) + 0.15 * albedo - albedo
    )
    cover = hair_cover(points, noise, hair)
    albedo += (hair.scalp * smoothstep(0.25, 0.85, cover))[..., None] * (root + 0.08 * albedo - albedo)
    gloss -= 0.2 * smoothstep(0.2, 0.8, cover)
    beard = beard_cover(points, noise, outline.lips(x, y)) * hair.stubble
    grain = np.clip(0.75 + 0.22 * noise(points * 9.0) + 0.12 * fine, 0.2, 1.2)
    albedo += (0.42 * beard * grain)[..., None] * (np.array(hair.stubble_colour) - albedo)
    gloss -= 0.12 * beard
    return np.concatenate([np.clip(albedo, 0.008, 0.95), gloss[..., None]], -1).astype(np.float32), lips
