"""What the renderers share: one contract, by which the pipeline cannot tell them apart."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch

from geneface.bundles.component import Component
from geneface.renderers.condition import Condition, neighbour_windows, pose_vector
from geneface.renderers.scene import Scene

HEAD_BOX = ((-11.5, -17.0, -5.0), (11.5, 16.5, 14.5))
"""Least and greatest corner of a head's volume, in cm of the head frame; the back of the head, which a talking head
never shows, is left out."""


def box_tensor(box: Sequence[Sequence[float]]) -> torch.Tensor:
    """[2, 3]; `ValueError` if these are not the least and the greatest corner of a volume."""
    corners = torch.tensor(box, dtype=torch.float32, device="cpu")
    if corners.shape != (2, 3) or not (corners[0] < corners[1]).all():
        raise ValueError(f"{box} is no box: it has a least and a greatest corner of three numbers each")
    return corners.to(torch.get_default_device())


@dataclass
class Rendering:
    """What a renderer gives for B frames."""

    rgb: torch.Tensor
    """[B, 3, size, size] in [0, 1], composited on the background (not clamped while training)."""
    alpha: torch.Tensor
    """[B, 1, size, size] opacity of the person."""


class TrainingData(Protocol):
    """What a renderer is prepared from: the tracks of a person dataset (`datasets.person`)."""

    @property
    def tracks(self) -> Mapping[str, torch.Tensor]: ...

    @property
    def masks(self) -> torch.Tensor: ...

    @property
    def background(self) -> torch.Tensor: ...

    @property
    def train(self) -> Sequence[int]:
        """Numbers of the frames that may be learned from."""

    def track(self, name: str) -> torch.Tensor:
        """A track by name, float32 [T, ...]; `InputError` if the dataset has none of that name."""


class Renderer(Component):
    """A person's head and torso.

    Attributes:
        size: Pixels a side of the picture.
        track: What of a person dataset drives it, which the pipeline asks to be "lm3d".
        context_frames: Frames on each side of a frame that it depends on.
        condition: Normalisation of what drives it.
        scene: Camera, background, natural head motion and blink.
    """

    slot: ClassVar = "renderer"
    size: int
    track = "lm3d"
    context_frames = 1
    condition: Condition
    scene: Scene

    def windows(self, track: torch.Tensor) -> torch.Tensor:
        """What each of T frames depends on: of LM3D [T, 68, 3] those of its neighbours, too, [T, 3, 68, 3]."""
        return neighbour_windows(track)

    def torso_state(self, pose: torch.Tensor) -> torch.Tensor:
        """How the torso lies [T, K] while the head has a pose [T, 3, 4]; K numbers of the renderer's own, or none."""
        return pose.new_zeros(len(pose), 0)

    def tracked_torso(self, data: TrainingData) -> torch.Tensor:
        """How the torso lay [T, K] in the frames of a dataset; as their head poses let expect, if that is all."""
        return self.torso_state(data.track("pose").to(self.device))

    @property
    def shown_range(self) -> torch.Tensor:
        """How far training showed the head from its mean pose, [6]: turns in radians, then shifts in cm.

        What lies beyond was never seen: motion that leads there should be held back.
        """
        seen = pose_vector(self.scene.pose_track.float(), self.scene.reference_pose.float(), scale=1.0)
        return seen.abs().amax(0)

    @torch.no_grad()
    def prepare(self, data: TrainingData) -> None:
        """Fill the buffers that come from a person's training frames, not from gradients."""
        train = list(data.train)
        lm3d, pose, blink = (data.track(name)[train] for name in ("lm3d", "pose", "blink"))
        self.condition.fit(data.track(self.track)[train])
        self.scene.fit(lm3d, pose, blink, data.tracks["intrinsics"], data.background)

    @abstractmethod
    def forward(
        self,
        windows: torch.Tensor,
        pose: torch.Tensor,
        background: torch.Tensor | None = None,
        torso: torch.Tensor | None = None,
    ) -> Rendering:
        """Render B frames.

        Args:
            windows: What each frame depends on, as `windows` makes it; of landmarks [B, 3, 68, 3].
            pose: [B, 3, 4], head to camera.
            background: [3, size, size] or [B, 3, size, size] in [0, 1]; the person's own if None.
            torso: [B, K], how the torso lies; `torso_state` of the pose if None.
        """
