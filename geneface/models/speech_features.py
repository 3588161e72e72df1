"""The first layers of a speech recogniser (Whisper), made to hear a bounded stretch of sound around each feature.

Log-mel energies, two convolutions, a few layers of self-attention within a band. The level of the sound is taken from
what was heard lately, so neither the recording's level nor its length has a say.
"""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.models.bounded_context import band
from geneface.models.features import MARGIN, AudioFeatures
from geneface.utils.config import SHARE, WIDTH
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

WINDOW, HOP, BANDS = 400, 160, 80
LOWEST_BIN = 3
"""Of the spectrum, in steps of 40 Hz: below lie an offset and the hum of the mains."""
RANGE = 8.0
"""Powers of ten below the loudest band that are heard."""
LOUDEST = 1.0
"""What the loudest band of the last moments is moved to."""
QUIETEST = -4.5
"""A loudest band below this is no speech: about 60 dB below a usual voice."""


class BandedLayer(nn.Module):
    """A layer of Whisper's encoder whose attention hears `left` and `right` features."""

    def __init__(self, width: int, heads: int, inner: int, left: int, right: int, dropout: float):
        super().__init__()
        self.heads, self.left, self.right, self.dropout = heads, left, right, dropout
        self.attention_norm, self.inner_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)
        self.expand, self.shrink = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, N, width] -> the same."""
        y = self.attention_norm(x)
        query, key, value = (
            layer(y).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        bias = band(query, self.left, self.right)
        dropout = self.dropout if self.training else 0.0
        heard = functional.scaled_dot_product_attention(query, key, value, bias, dropout)
        x = x + functional.dropout(self.out(heard.transpose(1, 2).flatten(2)), self.dropout, self.training)
        y = self.shrink(functional.gelu(self.expand(self.inner_norm(x))))
        return x + functional.dropout(y, self.dropout, self.training)


class SpeechFeatures(Component, AudioFeatures):
    """16 kHz sound to `feature_size` numbers, 50 times a second.

    `context`: (left, right) features that each layer's attention hears. `level_features`: how many of them tell the
    level. `identity`: what the extractor is, for what is trained on its features.
    """

    block_frames = 1
    ranges: ClassVar = {
        "feature_size": WIDTH,
        "width": WIDTH,
        "heads": (1, 64),
        "inner": (1, 16384),
        "context": (0, 1000),
        "level_features": (1, 1000),
        "dropout": SHARE,
    }
    filters: torch.Tensor
    window: torch.Tensor

    def __init__(
        self,
        feature_size: int = 256,
        width: int = 512,
        heads: int = 8,
        inner: int = 2048,
        context: tuple[tuple[int, int], ...] = ((16, 3), (16, 2)),
        level_features: int = 75,
        dropout: float = 0.0,
        identity: str = "",
    ):
        super().__init__()
        self.feature_size, self.level_features, self.identity = feature_size, level_features, identity
        self.conv1 = nn.Conv1d(BANDS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.place = nn.Parameter(torch.zeros(width))
        self.layers = nn.ModuleList(BandedLayer(width, heads, inner, left, right, dropout) for left, right in context)
        self.output = nn.Linear(width, feature_size)
        self.norm = nn.LayerNorm(feature_size)
        self.register_buffer("filters", mel_filters(), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        left, right = (sum(side) for side in zip(*context, strict=True))
        # Beyond its attention, a feature's convolutions and spectra reach 200 samples past its own 320.
        self.lookahead_frames = -(-(320 * right + 200) // SAMPLES_PER_FRAME)
        self.context_frames = -(-(left + level_features + 2) // 2)

    def log_mel(self, samples: torch.Tensor) -> torch.Tensor:
        """[B, 80, 4T] of [B, 640T + 80] samples, whatever their level."""
        inside = samples[:, MARGIN:-MARGIN].float()
        frames = functional.pad(inside, (WINDOW // 2, WINDOW // 2 - HOP)).unfold(-1, WINDOW, HOP) * self.window.float()
        energy = torch.fft.rfft(frames).abs().square() @ self.filters.float()
        mel = energy.clamp_min(1e-10).log10()
        lately = 2 * self.level_features
        loudest = functional.max_pool1d(
            functional.pad(mel.amax(dim=-1)[:, None], (lately - 1, 0), value=QUIETEST), lately, 1
        ).transpose(1, 2)
        loudest = loudest.clamp_min(QUIETEST)
        return ((torch.maximum(mel, loudest - RANGE) - loudest + LOUDEST + 4) / 4).transpose(1, 2)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """[B, 640T + 80] samples at 16 kHz, the margins included -> [B, 2T, feature_size]."""
        x = self.log_mel(samples).to(self.conv1.weight.dtype)
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(x)))).transpose(1, 2) + self.place
        for layer in self.layers:
            x = layer(x)
        return self.norm(self.output(x))


def mel_filters() -> torch.Tensor:
    """[201, 80] as Whisper's, without what lies below speech."""
    from transformers.audio_utils import mel_filter_bank

    bank = mel_filter_bank(1 + WINDOW // 2, BANDS, 0.0, 8000.0, SAMPLING_RATE, norm="slaney", mel_scale="slaney")
    filters = torch.from_numpy(bank).float()
    filters[:LOWEST_BIN] = 0
    return filters
