"""What the renderers share: one interface, by which the pipeline cannot tell them apart."""

from abc import abstractmethod
from dataclasses import dataclass

import torch

from geneface.bundle import Component
from geneface.rendering.audio_condition import NormalisedAudio
from geneface.rendering.condition import NormalisedLandmarks
from geneface.rendering.scene import BODY_SIZE, Scene

HEAD_BOX = ((-11.5, -17.0, -5.0), (11.5, 16.5, 14.5))
"""Least and greatest corner of a head's volume, in cm of the head frame; the back of the head, which a talking head
never shows, is left out."""


@dataclass
class Rendering:
    """What a renderer gives for B frames."""

    rgb: torch.Tensor
    """[B, 3, size, size] in [0, 1], composited on the background (not clamped while training)."""
    alpha: torch.Tensor
    """[B, 1, size, size] opacity of the person."""


class Renderer(Component):
    """A person's head and torso.

    Attributes:
        size: Pixels a side of the picture.
        condition: Normalisation of what drives it: landmarks, or audio features for a baseline of the paper.
        scene: Camera, background, natural head motion and blink.
    """

    size: int
    condition: NormalisedLandmarks | NormalisedAudio
    scene: Scene

    def fit_torso(self, flow: torch.Tensor, weight: torch.Tensor, turn: torch.Tensor, seen: torch.Tensor) -> None:
        """Learn from training frames how the torso moves, and where it is.

        Args:
            flow, weight, turn: As of `body_of`.
            seen: [S, S], share of the frames that show the torso there.
        """

    def body_of(self, flow: torch.Tensor, weight: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """How the torso lies [T, 8], beyond what the head's pose tells: nothing, for a renderer that does not care.

        Args:
            flow: [T, cells, cells, 2] and `weight` [T, cells, cells], of `data.torso.torso_flow`.
            turn: [T, 6], `condition.pose_vector`.
        """
        return torch.zeros(len(turn), BODY_SIZE)

    @abstractmethod
    def forward(
        self,
        windows: torch.Tensor,
        pose: torch.Tensor,
        background: torch.Tensor | None = None,
        body: torch.Tensor | None = None,
    ) -> Rendering:
        """Render B frames.

        Args:
            windows: What each frame depends on, as `condition.windows` makes it; of landmarks [B, 3, 68, 3].
            pose: [B, 3, 4], head to camera.
            background: [3, size, size] or [B, 3, size, size] in [0, 1]; the person's own if None.
            body: [B, 8], how the torso lies; as the head's pose lets expect if None.
        """
