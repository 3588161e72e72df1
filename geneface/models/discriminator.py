"""The frame-level discriminator that trains the post-net (Section 3.2, Appendix A.3)."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from geneface.bundles.component import Component
from geneface.utils.config import LAYERS, SHARE, WIDTH


class Discriminator(Component):
    """A multi-layer perceptron on single landmark frames; the buffers hold the person's statistics."""

    mean: torch.Tensor
    std: torch.Tensor

    slot: ClassVar = "training"
    ranges: ClassVar = {"layers": LAYERS, "channels": WIDTH, "dropout": SHARE}

    def __init__(self, layers: int = 5, channels: int = 256, dropout: float = 0.25):
        super().__init__()
        sizes = [68 * 3] + [channels] * (layers - 1)
        self.hidden = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout))
                for before, after in pairwise(sizes)
            )
        )
        self.output = nn.Linear(sizes[-1], 1)
        self.register_buffer("mean", torch.zeros(68, 3))
        self.register_buffer("std", torch.ones(68, 3))

    def forward(self, lm3d: torch.Tensor) -> torch.Tensor:
        """LM3D [..., 68, 3] -> [...]: 1 for the person's own frames, 0 for generated ones (Eq. 4)."""
        frames = ((lm3d - self.mean) / self.std).flatten(-2)
        return self.output(self.hidden(frames)).squeeze(-1)
