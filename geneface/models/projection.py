"""Landmark projection: predicted landmarks drawn to the person's own, without any training.

What GeneFace's later versions use in place of the adversarial post-net of Section 3.2.
"""

from typing import ClassVar

import torch

from geneface.bundles.component import Component
from geneface.utils.config import SHARE

REGULARISATION = 1e-3
"""Of the weights, as a share of the mean squared distance to the neighbours; keeps them from jumping."""


class LandmarkProjection(Component):
    """Locally linear embedding of each frame in the person's own frames; takes the place of a `PostNet`.

    A frame of the generic domain is mapped to the person's rest and scale, point by point, as by an untrained
    `PostNet`; then it is drawn towards the combination of its nearest own frames, with weights that sum to one, that
    comes closest to it. A frame depends on no other, so a stream equals the whole.

    The buffers: `frames` [N, 68, 3], the person's own LM3D, one of them the rest; the others as in `PostNet`.
    """

    slot: ClassVar = "post_net"
    ranges: ClassVar = {"frames": (1, 1_000_000), "neighbours": (1, 1000), "blend": SHARE}
    frames: torch.Tensor
    source_rest: torch.Tensor
    source_scale: torch.Tensor
    target_rest: torch.Tensor
    target_scale: torch.Tensor
    context_frames = lookahead_frames = 0

    def __init__(self, frames: int, neighbours: int = 10, blend: float = 0.5):
        """`blend`: share of the projected frame, from 0 (none) to 1."""
        super().__init__()
        if not 0 <= blend <= 1:
            raise ValueError(f"blend must lie between 0 and 1, not {blend}")
        if not 1 <= neighbours <= frames:
            raise ValueError(f"neighbours must lie between 1 and frames ({frames}), not {neighbours}")
        self.neighbours, self.blend = neighbours, blend
        self.register_buffer("frames", torch.zeros(frames, 68, 3))
        for name in ("source", "target"):
            self.register_buffer(f"{name}_rest", torch.zeros(68, 3))
            self.register_buffer(f"{name}_scale", torch.ones(68, 3))

    def forward(self, lm3d: torch.Tensor) -> torch.Tensor:
        """LM3D of the mean identity [B, T, 68, 3] -> the person's LM3D [B, T, 68, 3], both in cm."""
        mapped = (lm3d - self.source_rest) / self.source_scale * self.target_scale + self.target_rest
        return mapped + self.blend * (self.project(mapped.flatten(0, 1)).view_as(mapped) - mapped)

    def project(self, lm3d: torch.Tensor) -> torch.Tensor:
        """[N, 68, 3] as weighted sums of its nearest own frames; the weights of a frame sum to one."""
        # In float32: half precision cannot solve for the weights.
        points, own = lm3d.flatten(1).float(), self.frames.flatten(1).float()
        distance = own.square().sum(1) - 2 * points @ own.T
        nearest = distance.topk(self.neighbours, largest=False).indices
        offsets = own[nearest] - points[:, None]
        products = offsets @ offsets.transpose(1, 2)
        ridge = REGULARISATION * products.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-8)
        products = products + ridge[:, None, None] * torch.eye(self.neighbours, device=products.device)
        weights = torch.linalg.solve(products, torch.ones_like(products[..., 0]))
        weights = weights / weights.sum(1, keepdim=True)
        return (weights[:, None] @ own[nearest]).view_as(lm3d).to(lm3d.dtype)
