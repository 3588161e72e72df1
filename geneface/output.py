"""What the pipeline gives."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

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


@dataclass
class GeneFacePipelineOutput:
    """What a call gives: pictures, the sound they belong to, and the landmarks that drove them."""

    frames: Any
    """uint8 [T, H, W, 3] ("np"), float [T, 3, H, W] in [0, 1] ("pt"), or a list of PIL images ("pil"); with a
    transparent background four channels, the last one opacity"""
    audio: np.ndarray
    """[N] float32 mono"""
    sampling_rate: int
    fps: int
    landmarks: np.ndarray
    """[T, 68, 3] cm: the LM3D (Eq. 2) that the frames were rendered from, in the person's own domain: displacements
    from the face model's mean, head pose removed; `GeneFacePipeline.person.points` gives absolute places."""

    def to_tuple(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))


def as_type(frames: np.ndarray, output_type: str) -> Any:
    """uint8 [T, H, W, 3] as "np", "pt" or "pil"; see `GeneFacePipelineOutput`."""
    if output_type == "pt":
        return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    if output_type == "pil":
        from PIL import Image

        return [Image.fromarray(frame) for frame in frames]
    return frames


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
