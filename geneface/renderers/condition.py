"""What the renderers are conditioned on: landmarks of three neighbouring frames, and the head pose."""

from abc import abstractmethod

import torch
from torch import nn

from geneface.face.ibug68 import BROWS, EYES, JAW, LIPS
from geneface.renderers.camera import exact_product


def neighbour_windows(lm3d: torch.Tensor) -> torch.Tensor:
    """[T, 68, 3] -> [T, 3, 68, 3]: the frames before, at and after each (Section 3.3); ends are repeated."""
    return torch.stack([torch.cat([lm3d[:1], lm3d[:-1]]), lm3d, torch.cat([lm3d[1:], lm3d[-1:]])], dim=1)


LANDMARK_NOISE = 0.03
"""cm: what tracking and the motion generator leave uncertain in each coordinate of a landmark."""
LEAST_DEVIATION = 0.02
"""cm: points that never move do not amplify noise."""


class Condition(nn.Module):
    """What drives a renderer, of zero mean and unit variance over a person's training frames.

    Attributes:
        frames: That are seen together, the middle one being that which is rendered.
        mean, std: Of the track, of its `shape`.
    """

    frames: int
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.ones(shape))

    @abstractmethod
    def fit(self, track: torch.Tensor, /) -> None:
        """Set the statistics from a person's training frames [T, ...]."""

    def noisy(self, windows: torch.Tensor, /) -> torch.Tensor:
        """Windows for training, as uncertain as they will be; here as they are."""
        return windows


class NormalisedLandmarks(Condition):
    """Point-wise normalisation of LM3D (Section 3.3): "some facial landmarks only change in a small range"."""

    frames = 3

    def __init__(self) -> None:
        super().__init__(68, 3)

    @torch.no_grad()
    def fit(self, lm3d: torch.Tensor, *, floor: float = LEAST_DEVIATION) -> None:
        """Set the statistics from a person's training frames [T, 68, 3]; `floor` is the least deviation in cm."""
        self.mean.copy_(lm3d.mean(0))
        self.std.copy_(lm3d.std(0).clamp_min(floor))

    def forward(self, lm3d: torch.Tensor) -> torch.Tensor:
        """[..., 68, 3] -> [..., 204] of zero mean and unit variance over the person's training frames."""
        return ((lm3d - self.mean) / self.std).flatten(-2)


class LandmarkCondition(NormalisedLandmarks):
    """Point-wise normalisation, then the first principal components.

    A short video shows only a small part of what 204 numbers can say; without the projection the fast renderer
    learns each frame by heart and the mouth stops following.
    """

    basis: torch.Tensor
    limit: torch.Tensor

    def __init__(self, components: int):
        super().__init__()
        self.register_buffer("basis", torch.zeros(components, 204))
        self.register_buffer("limit", torch.full((components,), 3.0))

    @torch.no_grad()
    def fit(self, lm3d: torch.Tensor, weights: torch.Tensor | None = None, *, floor: float = LEAST_DEVIATION) -> None:
        """Set the statistics from a person's training frames.

        Args:
            lm3d: [T, 68, 3].
            weights: [68] importance of each point for the principal components; the lips' is highest if None.
            floor: Least standard deviation in cm.
        """
        super().fit(lm3d, floor=floor)
        if weights is None:
            weights = torch.ones(68)
            weights[JAW], weights[LIPS] = 0.3, 3.0
        self.basis.copy_(self.principal(lm3d, weights, len(self.basis)))
        self.limit.copy_(self.reached(lm3d))

    def principal(self, lm3d: torch.Tensor, weights: torch.Tensor, count: int) -> torch.Tensor:
        """[count, 204]: principal components of frames [T, 68, 3], points weighted by [68]."""
        points = ((lm3d - self.mean) / self.std * weights.to(lm3d)[:, None]).flatten(1)
        _, scales, directions = torch.linalg.svd(points, full_matrices=False)
        basis = weights.to(lm3d).repeat_interleave(3) * directions[:count]
        noise = (basis * (LANDMARK_NOISE / self.std.flatten())).norm(dim=1)
        scales = (scales[:count].square() / (len(points) - 1) + noise.square()).sqrt()
        return basis / scales[:, None].clamp_min(LEAST_SCALE)

    def reached(self, lm3d: torch.Tensor) -> torch.Tensor:
        """[components]: how far frames [T, 68, 3] go."""
        codes = NormalisedLandmarks.forward(self, lm3d) @ self.basis.T
        return torch.quantile(codes.abs(), 0.995, dim=0)

    def noisy(self, lm3d: torch.Tensor) -> torch.Tensor:
        """Landmarks [..., 68, 3] for training: exact ones would tell the field which frame of the video to repeat."""
        return lm3d + LANDMARK_NOISE * torch.randn_like(lm3d)

    def forward(self, lm3d: torch.Tensor) -> torch.Tensor:
        """[..., 68, 3] -> [..., components], of unit variance over the person's noisy training frames.

        Values beyond those of the training frames are held back: the field knows nothing out there.
        """
        return torch.clamp(super().forward(lm3d) @ self.basis.T, -self.limit, self.limit)


class PartedCondition(LandmarkCondition):
    """Codes of the mouth, then of the eyes, along components of many people's faces.

    What the mouth does must not tell the eyes which frame of the video to repeat. Codes approach the limits of what
    was seen smoothly: the shape goes on beyond them (`skinning`), the look does not.
    """

    @torch.no_grad()
    def fit(self, lm3d: torch.Tensor, weights: torch.Tensor | None = None, *, floor: float = LEAST_DEVIATION) -> None:
        """Of all people, [T, 68, 3] about each one's mean; once they are known, only a person's mean and limits."""
        if not self.basis.any():
            NormalisedLandmarks.fit(self, lm3d, floor=floor)
            mouth, eyes = torch.zeros(68), torch.zeros(68)
            mouth[JAW], mouth[LIPS], eyes[BROWS], eyes[EYES] = 0.3, 1.0, 0.5, 1.0
            count = mouth_codes(len(self.basis))
            parts = ((mouth, count), (eyes, len(self.basis) - count))
            self.basis.copy_(torch.cat([self.principal(lm3d, points, count) for points, count in parts]))
        self.mean.copy_(lm3d.mean(0))
        self.limit.copy_(torch.minimum(self.limit, self.reached(lm3d)))

    def forward(self, lm3d: torch.Tensor) -> torch.Tensor:
        """[..., 68, 3] -> [..., components], of about unit variance over many people."""
        return held_back(NormalisedLandmarks.forward(self, lm3d) @ self.basis.T, self.limit)


def codes_by_part(codes: torch.Tensor) -> torch.Tensor:
    """[B, frames, components] of a `PartedCondition` -> [B, 2, frames * components]: the mouth's alone, the eyes'."""
    mouth = torch.arange(codes.shape[-1], device=codes.device) < mouth_codes(codes.shape[-1])
    return torch.stack([codes * mouth, codes * ~mouth], dim=1).flatten(2)


def mouth_codes(components: int) -> int:
    """How many of the codes are the mouth's; the rest are the eyes'."""
    return round(MOUTH_SHARE * components)


LEAST_SCALE = 1e-6
"""Of a component; one of points that never move is nothing."""
POSE_SIZE = 6
MOUTH_SHARE = 2 / 3
"""Of a face's codes."""
FREE = 0.7
"""Share of a limit up to which values are left as they are."""


def held_back(values: torch.Tensor, limit: torch.Tensor) -> torch.Tensor:
    """Values [..., K] that approach their limits [K] smoothly and never pass them."""
    free = FREE * limit
    room = (limit - free).clamp_min(1e-6)
    beyond = (values.abs() - free).clamp_min(0)
    return values.clamp(-free, free) + values.sign() * room * torch.tanh(beyond / room)


def pose_vector(pose: torch.Tensor, reference: torch.Tensor, scale: float = 5.0) -> torch.Tensor:
    """Head pose as six numbers relative to a reference pose.

    Args:
        pose: [B, 3, 4].
        reference: [3, 4].
        scale: Multiplies radians; translations are divided by it (cm).

    Returns:
        [B, 6]: a rotation vector (small-angle) and a translation.
    """
    relative = exact_product(pose[:, :, :3], reference[:, :3].T)
    turn = 0.5 * torch.stack(
        [
            relative[:, 2, 1] - relative[:, 1, 2],
            relative[:, 0, 2] - relative[:, 2, 0],
            relative[:, 1, 0] - relative[:, 0, 1],
        ],
        dim=-1,
    )
    return torch.cat([turn * scale, (pose[:, :, 3] - reference[:, 3]) / scale], dim=-1)
