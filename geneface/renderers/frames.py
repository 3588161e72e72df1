"""Frames as a renderer gives them, and as the pixels of a video."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass
class FrameChunk:
    """Consecutive frames of a stream."""

    start: int
    frames: np.ndarray
    """[N, H, W, 3] uint8; [N, H, W, 4] with a transparent background"""
    landmarks: np.ndarray
    """[N, 68, 3] LM3D of the person in cm, which the frames were rendered from"""

    @classmethod
    def join(cls, parts: "Sequence[FrameChunk]") -> "FrameChunk":
        frames, landmarks = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("frames", "landmarks")
        )
        return cls(parts[0].start, frames, landmarks)


def as_pixels(rgb: torch.Tensor, alpha: torch.Tensor | None = None, size: int | None = None) -> torch.Tensor:
    """uint8 [N, 3, size, size] of colours [N, 3, S, S] in [0, 1].

    Args:
        alpha: [N, 1, S, S] opacity that the colours are multiplied by: the fourth channel of the result, whose colours
            are not multiplied.
        size: Pixels a side; S if None.
    """
    picture = rgb.float() if alpha is None else torch.cat([rgb.float(), alpha.float()], dim=1)
    if size and size != picture.shape[-1]:
        picture = F.interpolate(picture, size=(size, size), mode="bicubic", antialias=True)
    if alpha is not None:
        picture = torch.cat([picture[:, :3] / picture[:, 3:].clamp_min(1 / 255), picture[:, 3:]], dim=1)
    return picture.mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
