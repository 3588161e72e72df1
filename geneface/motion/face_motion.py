"""What drives a renderer: how a face moves in the frames of a video, and whose face it is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch


@dataclass
class FaceMotion:
    """The motion of T consecutive frames, in the person's own domain."""

    landmarks: torch.Tensor
    """[T, 68, 3] cm: LM3D (Eq. 2), the face model's 68 points minus those of its mean, head pose removed."""
    head: torch.Tensor
    """[T, 3, 4]: the head's pose, head to camera."""
    eyes: torch.Tensor
    """[T]: how far blinks close the eyelids, 0 to 1; the landmarks have it in them already."""

    def __len__(self) -> int:
        return len(self.landmarks)

    def __getitem__(self, frames: slice) -> Self:
        return type(self)(**{field.name: getattr(self, field.name)[frames] for field in fields(self)})

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        return cls(**{field.name: torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)})


@dataclass(frozen=True)
class Person:
    """What is known of a person besides its networks; all tensors are on the device of its renderer."""

    rest: torch.Tensor
    """[68, 3] cm: LM3D with a closed mouth."""
    usual: torch.Tensor
    """[68, 3] cm: mean LM3D in speech."""
    mean_landmarks: torch.Tensor
    """[68, 3] cm: the points of the face model's mean; LM3D plus these are places on the face."""
    blink: torch.Tensor
    """[68, 3] cm: what closed eyes add to LM3D."""
    pose_track: torch.Tensor
    """[N, 3, 4]: natural head motion, head to camera, 25 a second."""
    reference_pose: torch.Tensor
    """[3, 4]: the mean head pose."""
    shown_range: torch.Tensor
    """[6]: how far the person's video showed the head from its mean pose, turns in radians and shifts in cm."""
    intrinsics: torch.Tensor
    """[3, 3]: the camera, in pixels of the size x size picture."""
    background: torch.Tensor
    """[3, size, size] uint8: the scene without the person."""

    def points(self, landmarks: torch.Tensor | np.ndarray) -> np.ndarray:
        """Absolute places [..., 68, 3] in the head frame, in cm, of LM3D [..., 68, 3]; float32."""
        return np.asarray(torch.as_tensor(landmarks).float().cpu()) + self.mean_landmarks.float().cpu().numpy()
