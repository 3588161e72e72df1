"""The baseline of the motion's table: a regression from log-mel to the mouth opening, on the same recordings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

BANDS = 40
HOP = SAMPLES_PER_FRAME // 2


@dataclass(frozen=True)
class Spoken:
    """A recording and its mouth opening."""

    mel: torch.Tensor
    """[T, 2 * BANDS]"""
    opening: torch.Tensor
    """[T], of zero mean and unit deviation"""
    speaker: str


def log_mel(samples: np.ndarray, frames: int) -> torch.Tensor:
    """[T, 2 * BANDS]: two log-mel columns a frame, each band scaled over the clip."""
    import librosa

    padded = np.pad(samples, (0, max(0, SAMPLES_PER_FRAME * frames - len(samples))))
    power = librosa.feature.melspectrogram(
        y=padded, sr=SAMPLING_RATE, n_fft=512, win_length=400, hop_length=HOP, n_mels=BANDS
    )
    bands = np.log(power.T[: 2 * frames] + 1e-5)
    bands = (bands - bands.mean(axis=0)) / (bands.std(axis=0) + 0.1)
    return torch.from_numpy(bands.reshape(frames, 2 * BANDS)).float()


def spoken(samples: np.ndarray, opening: np.ndarray, speaker: str) -> Spoken:
    scaled = (opening - opening.mean()) / max(float(opening.std()), 0.03)
    return Spoken(log_mel(samples, len(opening)), torch.from_numpy(scaled).float(), speaker)


def train_regression(
    clips: Sequence[Spoken], seed: int = 0, steps: int = 300, window: int = 75, batch_size: int = 24
) -> nn.Module:
    """Three convolutions from [B, 2 * BANDS, T] to [B, 1, T]; speakers count by the root of their length."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Dropout1d(0.1),
        nn.Conv1d(2 * BANDS, 96, 5, padding=2),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Conv1d(96, 96, 5, padding=2),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Conv1d(96, 1, 5, padding=2),
    )
    lengths = np.array([len(clip.opening) for clip in clips], np.float64)
    _, index = np.unique([clip.speaker for clip in clips], return_inverse=True)
    chances = lengths / np.sqrt(np.bincount(index, lengths)[index])
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        mel, wanted = [], []
        for number in rng.choice(len(clips), batch_size, p=chances / chances.sum()):
            clip = clips[number]
            places = (rng.integers(max(1, len(clip.opening) - window + 1)) + np.arange(window)) % len(clip.opening)
            mel.append(clip.mel[places])
            wanted.append(clip.opening[places])
        error = net(torch.stack(mel).transpose(1, 2))[:, 0] - torch.stack(wanted)
        loss = error.abs().mean() + 0.5 * error.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def predict(net: nn.Module, mel: torch.Tensor) -> np.ndarray:
    """[T] of [T, 2 * BANDS]."""
    with torch.no_grad():
        return net(mel.T[None])[0, 0].numpy()
