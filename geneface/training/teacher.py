"""Whisper's encoder, whose middle layers teach the feature extractor (Radford et al. 2022; MIT)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import load_strict, read_tensors
from geneface.errors import InputError
from geneface.streaming.audio import ArrayStream
from geneface.utils.files import read_json
from geneface.utils.units import SAMPLES_PER_FRAME

WINDOW, HOP, BANDS = 400, 160, 80
SECONDS = 30
"""Of sound that Whisper hears at once."""
RATE = 16000


class Teacher(nn.Module):
    """The first layers of a `WhisperEncoder`; two features a video frame, as of the extractor."""

    filters: torch.Tensor

    def __init__(self, folder: str | Path, layers: Sequence[int] = (3, 4)):
        """`folder` holds the encoder's `config.json` and `model.safetensors`; `layers`: whose features are taken.

        Raises `InputError` if they are missing or do not fit.
        """
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        super().__init__()
        folder = Path(folder)
        config = WhisperConfig(**{k: v for k, v in read_json(folder / "config.json").items() if k != "model_type"})
        encoder = WhisperEncoder(config)
        load_strict(encoder, read_tensors(folder / "model.safetensors"), folder / "model.safetensors")
        if not layers or max(layers) > len(encoder.layers):
            raise InputError(f"{folder} has {len(encoder.layers)} layers; name some of them, not {list(layers)}")
        encoder.layers = encoder.layers[: max(layers)]
        self.encoder, self.layers = encoder.eval().requires_grad_(False), tuple(layers)
        self.feature_size = len(self.layers) * config.d_model
        self.register_buffer("filters", torch.from_numpy(slaney_filters()), persistent=False)

    def log_mel(self, samples: torch.Tensor) -> torch.Tensor:
        """[B, 80, 3000] of [B, 480000] samples, as Whisper's own."""
        window = torch.hann_window(WINDOW, device=samples.device)
        spectrum = torch.stft(samples.float(), WINDOW, HOP, window=window, return_complex=True)[..., :-1]
        mel = (self.filters.T @ spectrum.abs().square()).clamp_min(1e-10).log10()
        return (torch.maximum(mel, mel.amax(dim=(1, 2), keepdim=True) - 8) + 4) / 4

    @torch.no_grad()
    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """[B, 1500, feature_size] of [B, 480000] samples at 16 kHz, the layers beside each other."""
        encoder = self.encoder
        x = self.log_mel(samples).to(encoder.conv1.weight.dtype)
        x = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(x)))).transpose(1, 2)
        x = x + encoder.embed_positions.weight
        found = []
        for number, layer in enumerate(encoder.layers, start=1):
            x = layer(x, None)
            x = x[0] if isinstance(x, tuple) else x
            if number in self.layers:
                found.append(x)
        return torch.cat(found, dim=-1)

    def extract(self, source: ArrayStream) -> torch.Tensor:
        """[2T, feature_size] of a recording; what is longer than 30 s is heard in pieces."""
        length = SECONDS * RATE
        pieces = -(-source.frames * SAMPLES_PER_FRAME // length)
        found = []
        for number in range(pieces):
            samples = torch.from_numpy(source.read(number * length, (number + 1) * length))
            found.append(self(samples[None].to(self.filters.device))[0].float())
        return torch.cat(found)[: 2 * source.frames]


def slaney_filters() -> np.ndarray:
    """[201, 80] float32: Whisper's mel filters, triangles of equal area."""
    from transformers.audio_utils import mel_filter_bank

    bank = mel_filter_bank(1 + WINDOW // 2, BANDS, 0.0, 8000.0, RATE, norm="slaney", mel_scale="slaney")
    return bank.astype(np.float32)
