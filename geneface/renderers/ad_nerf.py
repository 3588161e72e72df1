"""AD-NeRF (Guo et al. 2021), the paper's end-to-end baseline: both renderers driven by audio features alone."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from geneface.renderers.condition import Condition
from geneface.renderers.fast import FastRenderer
from geneface.renderers.nerf import NerfRenderer

WINDOW = 16
"""Audio features that one code is made of."""
SMOOTHED = 8
"""Codes of neighbouring frames that attention joins to one."""
SPAN = WINDOW + 2 * (SMOOTHED - 1)
"""Audio features that a frame depends on."""
SLOPE = 0.02


class NormalisedAudio(Condition):
    """Audio features of zero mean and unit variance over a person's training frames."""

    frames = 1

    @staticmethod
    def windows(features: torch.Tensor) -> torch.Tensor:
        """[T, 2, D] -> [T, 30, D], a view: the features round each frame; ends are repeated."""
        flat = features.flatten(0, 1).T[None]
        before = (SPAN - 2) // 2
        padded = F.pad(flat, (before, SPAN - 2 - before), mode="replicate")[0]
        return padded.unfold(1, SPAN, 2).permute(1, 2, 0)

    @torch.no_grad()
    def fit(self, features: torch.Tensor) -> None:
        """Set the statistics from a person's training frames [T, 2, D]."""
        flat = features.flatten(0, 1)
        self.mean.copy_(flat.mean(0))
        self.std.copy_(flat.std(0).clamp_min(1e-2))

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """[B, 30, D] -> [B, 30, D]"""
        return (windows - self.mean) / self.std


class AudioEncoder(nn.Module):
    """AD-NeRF's: each window through strided convolutions, then attention over the codes of neighbouring frames."""

    def __init__(self, feature_size: int, code_size: int):
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((feature_size, 32, 32, 64), (32, 32, 64, 64), strict=True):
            layers += [nn.Conv1d(inputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        self.convolutions = nn.Sequential(*layers)
        self.code = nn.Sequential(nn.Linear(64, 64), nn.LeakyReLU(SLOPE), nn.Linear(64, code_size))
        layers = []
        for inputs, outputs in zip((code_size, 16, 8, 4, 2), (16, 8, 4, 2, 1), strict=True):
            layers += [nn.Conv1d(inputs, outputs, 3, padding=1), nn.LeakyReLU(SLOPE)]
        self.attention = nn.Sequential(*layers, nn.Flatten(), nn.Linear(SMOOTHED, SMOOTHED), nn.Softmax(dim=-1))
        for layer in (*self.convolutions, *self.code):
            if isinstance(layer, nn.Conv1d | nn.Linear):
                # As large as normalised landmarks from the start; torch's own would leave a thirtieth of it.
                nn.init.kaiming_normal_(layer.weight, a=SLOPE)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """[B, 30, D] -> [B, code_size]"""
        each = windows.unfold(1, WINDOW, 2)
        codes = self.code(self.convolutions(each.flatten(0, 1)).squeeze(-1)).unflatten(0, each.shape[:2])
        weights = self.attention(codes.transpose(1, 2))
        return (weights.unsqueeze(-1) * codes).sum(1)


class AudioCondition(NormalisedAudio):
    """A code for each frame, of audio features alone."""

    def __init__(self, feature_size: int, code_size: int):
        super().__init__(feature_size)
        self.encoder = AudioEncoder(feature_size, code_size)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """[B, 30, D] -> [B, 1, code_size]"""
        return self.encoder(super().forward(windows)).unsqueeze(1)


class AudioDrivenFastRenderer(FastRenderer):
    """A `FastRenderer` whose head is driven by audio features of size `audio_features`.

    `components` is then the size of the code that is made of them.
    """

    track = "features"

    def __init__(self, *, audio_features: int, **settings: Any):
        self.audio_features = audio_features  # first, for the parent's constructor asks for the condition
        super().__init__(**settings)

    def new_condition(self, components: int) -> Condition:
        return AudioCondition(self.audio_features, components)

    def windows(self, track: torch.Tensor) -> torch.Tensor:
        return NormalisedAudio.windows(track)


class AudioDrivenNerfRenderer(NerfRenderer):
    """A `NerfRenderer` driven by audio features of size `audio_features`."""

    track = "features"

    def __init__(self, *, audio_features: int, **settings: Any):
        self.audio_features = audio_features  # first, for the parent's constructor asks for the condition
        super().__init__(**settings)

    def new_condition(self) -> Condition:
        return NormalisedAudio(self.audio_features)

    def new_driver(self, hidden: int, layers: int) -> nn.Module:
        encode = AudioEncoder(self.audio_features, hidden)
        return nn.Sequential(nn.Unflatten(1, (SPAN, self.audio_features)), encode)

    def windows(self, track: torch.Tensor) -> torch.Tensor:
        return NormalisedAudio.windows(track)
