"""The head from a little to the side: it is a model in three dimensions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from geneface.pipelines.pipeline import GeneFacePipeline

MOST_YAW, MOST_PITCH = 12.0, 5.0
"""Degrees from the person's mean pose; beyond them the embedded persons' collar and hair fall apart, for no video
of a talking head shows them from there."""


def turned_heads(
    pipe: "GeneFacePipeline", angles: Sequence[tuple[float, float]], *, closed_eyes: bool = False
) -> np.ndarray:
    """uint8 [N, S, S, 3]: the person at rest, its head turned by (yaw, pitch) degrees from its mean pose."""
    import torch

    from geneface.motion.face_motion import FaceMotion

    person = pipe.person
    eyes = torch.full((len(angles),), float(closed_eyes))
    landmarks = (person.rest + closed_eyes * person.blink.to(person.rest)).repeat(len(angles), 1, 1)
    head = torch.stack([turned(person.reference_pose, *angle) for angle in angles])
    return pipe.render(FaceMotion(landmarks, head, eyes)).frames


def turned(pose: "torch.Tensor", yaw: float, pitch: float) -> "torch.Tensor":
    """A head pose [3, 4] turned in the head's own frame, whose x is to the person's left and y up.

    Args:
        yaw: Degrees; more is to the picture's right.
        pitch: Degrees; more is down.
    """
    import torch

    a, b = np.deg2rad(yaw), np.deg2rad(pitch)
    about_y = torch.tensor([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = torch.tensor([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    turn = (about_y @ about_x).to(pose)
    return torch.cat([pose[:, :3] @ turn, pose[:, 3:]], dim=1)
