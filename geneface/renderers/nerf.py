"""The paper's renderer (Section 3.3): a head NeRF, and a head-aware torso NeRF in front of its picture.

Vanilla NeRF after AD-NeRF, with a coarse and a fine field each. Geometry is computed in float32 whatever the weights
are: half precision would move the samples by more than a pixel.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from geneface.renderers.camera import pixel_directions, rays_in_head_frame
from geneface.renderers.condition import Condition, NormalisedLandmarks
from geneface.renderers.field import RadianceField, encoder
from geneface.renderers.renderer import HEAD_BOX, Renderer, Rendering, box_tensor
from geneface.renderers.scene import Scene
from geneface.renderers.volume import box_range, compositing_weights, part_edges, resample_depths, sample_depths
from geneface.utils.config import LAYERS, WIDTH

TORSO_BOX = ((-30.0, -40.0, -20.0), (30.0, 2.0, 12.0))
POSE_NUMBERS = 12
CHUNK_SAMPLES = {"cpu": 2**16, "cuda": 2**19}
"""Samples of a picture that are in memory together, by device; a sample takes about 4 kB."""


class RayColours(NamedTuple):
    """What rays see, by the fine field and by the coarse one; colours are premultiplied by the opacity."""

    rgb: torch.Tensor
    """[B, R, 3]"""
    opacity: torch.Tensor
    """[B, R, 1]"""
    coarse_rgb: torch.Tensor
    coarse_opacity: torch.Tensor

    def over(self, background: torch.Tensor) -> torch.Tensor:
        """The colours [B, R, 3] before a background [B, R, 3]."""
        return self.rgb + (1 - self.opacity) * background

    def coarse_over(self, background: torch.Tensor) -> torch.Tensor:
        return self.coarse_rgb + (1 - self.coarse_opacity) * background


class HierarchicalField(nn.Module):
    """A coarse field that says where a box is opaque, and a fine one that is sampled there too.

    Args:
        box: Least and greatest corner in cm.
        samples: Of the coarse field along each ray.
        fine_samples: Of the fine field along each ray, besides the coarse ones.
    """

    box: torch.Tensor

    def __init__(
        self,
        box: Sequence[Sequence[float]],
        condition: int,
        layers: int,
        hidden: int,
        samples: int,
        fine_samples: int,
    ):
        super().__init__()
        self.samples, self.fine_samples = samples, fine_samples
        self.register_buffer("box", box_tensor(box), persistent=False)
        self.coarse = RadianceField(condition, layers, hidden)
        self.fine = RadianceField(condition, layers, hidden)

    def forward(self, origins: torch.Tensor, directions: torch.Tensor, condition: torch.Tensor) -> RayColours:
        """Render rays (Eq. 7-8).

        Args:
            origins: [B, 1, 3] in cm.
            directions: [B, R, 3] of length 1.
            condition: [B, R, C] or [B, 1, C].
        """
        near, far = box_range(origins, directions, self.box.float())
        depths, _ = sample_depths(near, far, self.samples, self._jitter(near, self.samples))
        edges = part_edges(depths, near, far)
        coarse_rgb, weights = self.composite(self.coarse, depths, edges, origins, directions, condition)
        jitter = self._jitter(near, self.fine_samples)
        fine_depths = resample_depths(edges, weights.detach(), self.fine_samples, jitter)
        depths = torch.cat([depths, fine_depths], dim=-1).sort(dim=-1).values
        edges = part_edges(depths, near, far)
        rgb, fine_weights = self.composite(self.fine, depths, edges, origins, directions, condition)
        return RayColours(rgb, fine_weights.sum(-1, keepdim=True), coarse_rgb, weights.sum(-1, keepdim=True))

    def composite(
        self,
        field: nn.Module,
        depths: torch.Tensor,
        edges: torch.Tensor,
        origins: torch.Tensor,
        directions: torch.Tensor,
        condition: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Colours [B, R, 3] and weights [B, R, S] from samples at depths [B, R, S], each for its part of the ray."""
        box = self.box.float()
        points = origins.unsqueeze(2) + directions.unsqueeze(2) * depths.unsqueeze(-1)
        unit = (points - box.mean(0)) / ((box[1] - box[0]).max() / 2)
        colours, density = field(unit, directions, condition)
        weights = compositing_weights(density, edges.diff(dim=-1))
        return (weights.unsqueeze(-1) * colours).sum(-2), weights

    def _jitter(self, like: torch.Tensor, samples: int) -> torch.Tensor | None:
        return torch.rand(*like.shape, samples, device=like.device) if self.training else None


class HeadNerf(nn.Module):
    """F(x, d, l) -> (c, sigma), Eq. 6; with audio in place of l, AD-NeRF's."""

    def __init__(self, landmark_encoder: nn.Module, encoder_hidden: int, **field: object):
        super().__init__()
        self.landmark_encoder = landmark_encoder
        self.field = HierarchicalField(condition=encoder_hidden, **field)  # type: ignore[arg-type]

    def forward(self, landmarks: torch.Tensor, origins: torch.Tensor, directions: torch.Tensor) -> RayColours:
        """Landmarks [B, 612], normalised, or audio [B, 30 D]; rays in the head frame as of `HierarchicalField`."""
        return self.field(origins, directions, self.landmark_encoder(landmarks).unsqueeze(1))


class TorsoNerf(nn.Module):
    """F(x, C_head; d0, Pi, l) -> (c, sigma), Eq. 9; without C_head if not `head_aware`."""

    def __init__(
        self,
        landmark_encoder: nn.Module,
        head_aware: bool,
        encoder_layers: int,
        encoder_hidden: int,
        **field: object,
    ):
        super().__init__()
        self.landmark_encoder = landmark_encoder
        self.colour_encoder = encoder(3, encoder_hidden, encoder_layers) if head_aware else None
        condition = encoder_hidden * (2 if head_aware else 1) + POSE_NUMBERS
        self.field = HierarchicalField(condition=condition, **field)  # type: ignore[arg-type]

    def forward(
        self,
        landmarks: torch.Tensor,
        pose: torch.Tensor,
        head: torch.Tensor,
        origins: torch.Tensor,
        directions: torch.Tensor,
    ) -> RayColours:
        """Landmarks [B, 612] or audio [B, 30 D], pose [B, 12], the rendered head [B, R, 3] at the rays; rays in
        canonical space."""
        landmarks = self.landmark_encoder(landmarks)
        condition = torch.cat([landmarks, pose.to(landmarks)], dim=-1).unsqueeze(1)
        if self.colour_encoder is not None:
            colours = self.colour_encoder(head.to(next(self.colour_encoder.parameters()).dtype))
            condition = torch.cat([condition.expand(-1, colours.shape[1], -1).to(colours), colours], dim=-1)
        return self.field(origins, directions, condition)


class NerfRenderer(Renderer):
    """A person's head and torso by the paper's two NeRFs.

    Args:
        size: Pixels a side of the picture.
        layers, hidden: Of each radiance field (Table 4).
        encoder_layers, encoder_hidden: Of the landmark and head-colour encoders (Table 4).
        samples, fine_samples: Along each ray, by the coarse field and then where it is opaque.
        head_box, torso_box: Least and greatest corner of their volumes in cm of the head frame; the torso's at the
            reference pose, its canonical space.
        head_aware: Whether the torso sees the rendered head.
        pose_frames: Length of the natural pose track kept with the person.
    """

    renamed: ClassVar = {"scene.body_track": ""}
    ranges: ClassVar = {
        "size": (2, 2048),
        "layers": LAYERS,
        "hidden": (1, 1024),
        "encoder_layers": LAYERS,
        "encoder_hidden": (1, 1024),
        "samples": (1, 512),
        "fine_samples": (1, 512),
        "pose_frames": (1, 1_000_000),
        "audio_features": WIDTH,
    }

    def __init__(
        self,
        *,
        size: int = 512,
        layers: int = 11,
        hidden: int = 256,
        encoder_layers: int = 3,
        encoder_hidden: int = 128,
        samples: int = 64,
        fine_samples: int = 128,
        head_box: Sequence[Sequence[float]] = HEAD_BOX,
        torso_box: Sequence[Sequence[float]] = TORSO_BOX,
        head_aware: bool = True,
        pose_frames: int = 750,
    ):
        super().__init__()
        self.size = size
        self.condition = self.new_condition()
        self.scene = Scene(size, pose_frames)
        field = {"layers": layers, "hidden": hidden, "samples": samples, "fine_samples": fine_samples}
        self.head = HeadNerf(self.new_driver(encoder_hidden, encoder_layers), encoder_hidden, box=head_box, **field)
        driver = self.new_driver(encoder_hidden, encoder_layers)
        self.torso = TorsoNerf(driver, head_aware, encoder_layers, encoder_hidden, box=torso_box, **field)

    def new_condition(self) -> Condition:
        """What normalises that which drives it."""
        return NormalisedLandmarks()

    def new_driver(self, hidden: int, layers: int) -> nn.Module:
        """What encodes it: [B, 612] -> [B, hidden]."""
        return encoder(3 * 204, hidden, layers)

    def forward(
        self,
        windows: torch.Tensor,
        pose: torch.Tensor,
        background: torch.Tensor | None = None,
        torso: torch.Tensor | None = None,
    ) -> Rendering:
        own = self.scene.background.float() / 255
        shown = own if background is None else background.float()
        landmarks, numbers = self.landmarks(windows), self.pose_numbers(pose)
        frames = []
        for t, backdrop in enumerate(shown.expand(len(windows), -1, -1, -1)):
            frame = slice(t, t + 1)
            head, head_alpha = self.render_head(landmarks[frame], pose[frame])
            # What the torso sees is the head before the background of its training, whatever is shown.
            seen = head + (1 - head_alpha) * own.flatten(1).T
            body, body_alpha = self.render_torso(landmarks[frame], numbers[frame], seen)
            behind = head + (1 - head_alpha) * backdrop.flatten(1).T
            alpha = body_alpha + (1 - body_alpha) * head_alpha
            frames.append(torch.cat([body + (1 - body_alpha) * behind, alpha], dim=-1))
        pictures = torch.stack(frames).transpose(1, 2).unflatten(2, (self.size, self.size))
        return Rendering(rgb=pictures[:, :3], alpha=pictures[:, 3:])

    def render_head(self, landmarks: torch.Tensor, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The head of one frame, [N, 3] premultiplied and its opacity [N, 1], for all N = size² pixels.

        Args:
            landmarks: [1, 612], or audio [1, 30 D].
            pose: [1, 3, 4].
        """
        origins, directions = self.rays(pose)
        return self._march(
            self.head.field,
            origins,
            directions,
            lambda chosen: self.head(landmarks, origins, directions[:, chosen]),
        )

    def render_torso(
        self, landmarks: torch.Tensor, numbers: torch.Tensor, head: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The torso of one frame, as `render_head`, with the rendered head [N, 3] as its condition."""
        origins, directions = self.rays(self.scene.reference_pose.unsqueeze(0))
        return self._march(
            self.torso.field,
            origins,
            directions,
            lambda chosen: self.torso(landmarks, numbers, head[None, chosen], origins, directions[:, chosen]),
        )

    def _march(
        self,
        field: HierarchicalField,
        origins: torch.Tensor,
        directions: torch.Tensor,
        colours: Callable[[torch.Tensor], RayColours],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Render the rays [1, N, 3] that meet the field's box, some at a time."""
        near, far = box_range(origins, directions, field.box.float())
        met = (far > near)[0].nonzero()[:, 0]
        out = directions.new_zeros(directions.shape[1], 4)
        samples = 2 * field.samples + field.fine_samples
        for chosen in met.split(max(1, CHUNK_SAMPLES.get(directions.device.type, 2**18) // samples)):
            seen = colours(chosen)
            out[chosen] = torch.cat([seen.rgb, seen.opacity], dim=-1)[0]
        return out[:, :3], out[:, 3:]

    def landmarks(self, windows: torch.Tensor) -> torch.Tensor:
        """The condition l: [B, 612] of landmark windows [B, 3, 68, 3], [B, 30 D] of audio windows [B, 30, D]."""
        return self.condition(windows).flatten(1)

    def pose_numbers(self, pose: torch.Tensor) -> torch.Tensor:
        """Head pose [B, 3, 4] -> its 12 numbers [B, 12] about those of the reference pose, in similar sizes."""
        difference = pose - self.scene.reference_pose
        return (difference * difference.new_tensor([5.0, 5.0, 5.0, 0.2])).flatten(1)

    def rays(self, pose: torch.Tensor, pixels: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Rays in the head frame.

        Args:
            pose: [B, 3, 4].
            pixels: Numbers [B, R] of the pixels, row by row; all if None.

        Returns:
            Origins [B, 1, 3] in cm and directions [B, R, 3] of length 1, in float32.
        """
        directions = F.normalize(pixel_directions(self.scene.intrinsics.float(), self.size, self.size), dim=-1)
        return rays_in_head_frame(directions if pixels is None else directions[pixels], pose.float())
