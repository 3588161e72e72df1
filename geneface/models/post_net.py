"""The domain adaptive post-net: generic landmarks -> one person's landmarks (Section 3.2, Fig. 8)."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.utils.config import KERNEL, LAYERS, WIDTH


class PostNet(Component):
    """Residual 1D convolutions, each followed by ReLU and batch normalisation, in normalised space.

    Landmarks are normalised by their rest (with a closed mouth) and their scale (root mean square distance from the
    rest), in buffers [68, 3]. Untrained, the net maps the source's rest and scale to the person's, point by point.
    """

    slot: ClassVar = "post_net"
    ranges: ClassVar = {"layers": LAYERS, "kernel_size": KERNEL, "channels": WIDTH, "lookahead": (0, 100)}
    source_rest: torch.Tensor
    source_scale: torch.Tensor
    target_rest: torch.Tensor
    target_scale: torch.Tensor

    def __init__(self, layers: int = 8, kernel_size: int = 3, channels: int = 256, lookahead: int | None = None):
        """`lookahead`: frames that all layers together see ahead, the first ones first; centred ones if None."""
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, not {kernel_size}")
        self.input = nn.Conv1d(68 * 3, channels, 1)
        self.convolutions = nn.ModuleList(nn.Conv1d(channels, channels, kernel_size) for _ in range(layers))
        left_over = layers * (kernel_size // 2) if lookahead is None else lookahead
        self.pads: list[tuple[int, int]] = []
        for _ in range(layers):
            ahead = min(kernel_size // 2, left_over)
            left_over -= ahead
            self.pads.append((kernel_size - 1 - ahead, ahead))
        self.context_frames, self.lookahead_frames = (sum(side) for side in zip(*self.pads, strict=True))
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(layers))
        self.output = nn.Conv1d(channels, 68 * 3, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]
        for name in ("source", "target"):
            self.register_buffer(f"{name}_rest", torch.zeros(68, 3))
            self.register_buffer(f"{name}_scale", torch.ones(68, 3))

    def forward(self, lm3d: torch.Tensor) -> torch.Tensor:
        """LM3D of the mean identity [B, T, 68, 3] -> the person's LM3D [B, T, 68, 3], both in cm."""
        normalised = (lm3d - self.source_rest) / self.source_scale
        x = self.input(normalised.flatten(2).transpose(1, 2))
        for convolution, norm, pad in zip(self.convolutions, self.norms, self.pads, strict=True):
            x = x + norm(functional.relu(convolution(functional.pad(x, pad))))
        change = self.output(x).transpose(1, 2).unflatten(-1, (68, 3))
        return (normalised + change) * self.target_scale + self.target_rest
