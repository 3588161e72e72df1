"""Log-mel energies in place of HuBERT's features: the ablation of what the features know of phonemes."""

from typing import ClassVar

import numpy as np
import torch

from geneface.bundles.component import Component
from geneface.models.features import MARGIN, AudioFeatures
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

HOP = SAMPLES_PER_FRAME // 2
WINDOW = HOP + 2 * MARGIN
FLOOR = 1e-6
"""Energy that counts as silence: -60 dB of a sine of full scale, about."""
CENTRE, SCALE = -9.0, 3.0
"""Of the logarithm in speech, so that features are of about zero mean and unit variance."""


class LogMel(Component, AudioFeatures):
    """The logarithm of the energy in `bands` mel bands; nothing in it is learned.

    A feature sees the same 400 samples as one of HuBERT's convolutions.
    """

    identity = "log_mel"
    context_frames = lookahead_frames = 0
    block_frames = 1
    slot: ClassVar = "feature_extractor"
    ranges: ClassVar = {"bands": (1, 1024)}
    filters: torch.Tensor
    window: torch.Tensor

    def __init__(self, bands: int = 80):
        super().__init__()
        self.feature_size = bands
        self.register_buffer("filters", mel_filters(bands))
        self.register_buffer("window", torch.hann_window(WINDOW))

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """[B, 640T + 80] samples at 16 kHz, the margins included -> [B, 2T, bands]."""
        frames = samples.unfold(-1, WINDOW, HOP) * self.window
        energy = torch.fft.rfft(frames).abs().square() @ self.filters / WINDOW
        return ((energy + FLOOR).log() - CENTRE) / SCALE


def mel_filters(bands: int) -> torch.Tensor:
    """[WINDOW // 2 + 1, bands]: triangles, evenly spread on the mel scale from 0 to 8 kHz."""
    highest = 2595 * np.log10(1 + SAMPLING_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, bands + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE)[:, None]
    rising = (frequencies - corners[:-2]) / np.diff(corners[:-1])
    falling = (corners[2:] - frequencies) / np.diff(corners[1:])
    return torch.from_numpy(np.clip(np.minimum(rising, falling), 0, None).astype(np.float32))
