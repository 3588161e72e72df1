"""What the pipeline gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch

if TYPE_CHECKING:
    from PIL import Image

Pictures: TypeAlias = "np.ndarray | torch.Tensor | list[Image.Image]"
Fields: TypeAlias = tuple[Pictures, np.ndarray, int, int, np.ndarray]


@dataclass
class GeneFacePipelineOutput:
    """What a call gives: pictures, the sound they belong to, and the landmarks that drove them."""

    frames: Pictures
    """uint8 [T, H, W, 3] ("np"), float [T, 3, H, W] in [0, 1] ("pt"), or a list of PIL images ("pil"); with a
    transparent background four channels, the last one opacity"""
    audio: np.ndarray
    """[N] float32 mono"""
    sampling_rate: int
    fps: int
    landmarks: np.ndarray
    """[T, 68, 3] cm: the LM3D (Eq. 2) that the frames were rendered from, in the person's own domain: displacements
    from the face model's mean, head pose removed; `GeneFacePipeline.person.points` gives absolute places."""

    def to_tuple(self) -> "Fields":
        return self.frames, self.audio, self.sampling_rate, self.fps, self.landmarks


def as_type(frames: np.ndarray, output_type: str) -> Pictures:
    """uint8 [T, H, W, 3] as "np", "pt" or "pil"; see `GeneFacePipelineOutput`."""
    if output_type == "pt":
        return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    if output_type == "pil":
        from PIL import Image

        return [Image.fromarray(frame) for frame in frames]
    return frames
