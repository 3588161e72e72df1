"""What a small network hears of the mouth in audio features: the measure of features, and the judge of synchrony."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.utils.config import SHARE, WIDTH

KERNELS = (3, 3, 5)
"""Frames: together they hear 4 frames (0.16 s) on each side."""


class SpeechRegression(Component):
    """Features [B, 2T, D] -> [B, T, outputs]: three convolutions over video frames."""

    slot: ClassVar = "training"
    ranges: ClassVar = {"feature_size": WIDTH, "outputs": (1, 1000), "channels": WIDTH, "dropout": SHARE}
    context_frames = sum(kernel // 2 for kernel in KERNELS)

    def __init__(
        self, feature_size: int, outputs: int = 1, channels: int = 64, dropout: float = 0.3, extractor: str = ""
    ):
        """`extractor`: `identity` of the feature extractor that it is trained on; "" if unknown."""
        super().__init__()
        self.feature_size, self.extractor = feature_size, extractor
        sizes = [2 * feature_size, channels, channels, outputs]
        self.norm = nn.LayerNorm(feature_size)
        self.dropout = nn.Dropout(dropout)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel, padding=kernel // 2)
            for before, after, kernel in zip(sizes, sizes[1:], KERNELS, strict=False)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = self.norm(features).unflatten(1, (-1, 2)).flatten(2).transpose(1, 2)
        for number, convolution in enumerate(self.convolutions):
            x = convolution(self.dropout(functional.relu(x) if number else x))
        return x.transpose(1, 2)
