"""The scene without the person, from the pictures in which each place is not covered."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

MOST_PICTURES = 60
SAFETY = 2
"""Cells of a mask around the person that may show hair or a shadow."""
FEWEST = 3
"""Pictures that must show a place."""


class Plate(NamedTuple):
    picture: np.ndarray
    """uint8 [H, W, 3]"""
    seen: float
    """Share of the picture that was seen; the rest is filled in from around it."""
    unrest: float
    """Mean deviation from the plate where the scene was seen, in levels of 255."""


def clean_plate(pictures: Iterable[np.ndarray], masks: Iterable[np.ndarray]) -> Plate:
    """The median over pictures [H, W, 3] of the places that masks [h, w] (0: background) leave free."""
    from scipy import ndimage

    shown = np.stack(list(pictures))
    free = []
    for mask in masks:
        covered = ndimage.binary_dilation(mask > 0, iterations=SAFETY)
        scale = shown.shape[1] // len(mask)
        free.append(~covered.repeat(scale, 0).repeat(scale, 1))
    visible = np.stack(free)
    plate = np.zeros(shown.shape[1:], np.float32)
    deviation = 0.0
    for row in range(shown.shape[1]):
        values = np.ma.masked_array(shown[:, row], np.broadcast_to(~visible[:, row, :, None], shown[:, row].shape))
        plate[row] = np.ma.median(values, axis=0).filled(0)
        deviation += float(np.where(values.mask, 0, np.abs(values.data - plate[row])).sum())
    seen = visible.sum(0) >= min(FEWEST, len(shown))
    filled = fill(plate, seen)
    return Plate(
        np.clip(filled + 0.5, 0, 255).astype(np.uint8),
        float(seen.mean()),
        deviation / max(3.0 * float(visible.sum()), 1.0),
    )


def fill(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """float32 [H, W, 3] with what is not `known` [H, W] taken from ever coarser means of what is around it."""
    if known.all():
        return picture
    if not known.any():
        return np.full_like(picture, 127.0)
    height, width = known.shape
    odd = ((0, height % 2), (0, width % 2))
    weight = np.pad(known.astype(np.float32), odd)
    total = np.pad(picture * known[..., None], (*odd, (0, 0)))
    weight = weight[::2, ::2] + weight[1::2, ::2] + weight[::2, 1::2] + weight[1::2, 1::2]
    total = total[::2, ::2] + total[1::2, ::2] + total[::2, 1::2] + total[1::2, 1::2]
    coarse = fill(total / np.maximum(weight, 1)[..., None], weight > 0)
    return np.where(known[..., None], picture, _enlarge(coarse, height, width))


def _enlarge(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    from PIL import Image

    size = (2 * picture.shape[1], 2 * picture.shape[0])
    channels = (Image.fromarray(picture[..., k]).resize(size, Image.Resampling.BILINEAR) for k in range(3))
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)[:height, :width]
