"""The sync-expert: do these landmarks and this audio belong together? (Appendix A.2, Fig. 7, Eq. 11)"""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.utils.config import LAYERS, SHARE, WIDTH

MOUTH_POINTS = (*range(3, 14), *range(48, 68))
"""Chin and lips of the 68 points: what speech moves."""


class ConvStack(nn.Module):
    """[B, C, T] -> [B, channels]: 1D convolutions, batch normalisation, ReLU; halves T twice, then averages it."""

    def __init__(self, input_channels: int, channels: int, layers: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout1d(dropout)
        strides = [2 if index in (layers // 3, 2 * layers // 3) and index > 0 else 1 for index in range(layers)]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(input_channels if index == 0 else channels, channels, 3, stride=stride, padding=1)
            for index, stride in enumerate(strides)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in strides)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = norm(convolution(self.dropout(x)))
            x = functional.relu(x + y if x.shape == y.shape else y)
        return x.mean(dim=-1)


class SyncExpert(Component):
    """Cosine similarity of a landmark window and an audio window, in [0, 1].

    Both encoders end in a ReLU, so the cosine is never negative; the buffers [68, 3] normalise the landmarks.
    """

    landmark_mean: torch.Tensor
    landmark_std: torch.Tensor
    mouth_points: torch.Tensor

    slot: ClassVar = "training"
    ranges: ClassVar = {
        "feature_size": WIDTH,
        "layers": LAYERS,
        "channels": WIDTH,
        "window": (1, 100),
        "dropout": SHARE,
    }

    def __init__(
        self,
        feature_size: int,
        layers: int = 14,
        channels: int = 512,
        window: int = 5,
        dropout: float = 0.0,
        extractor: str = "",
    ):
        """
        Args:
            window: Frames of landmarks, and of audio.
            dropout: Share of the channels left out in training.
            extractor: `identity` of the feature extractor that it is trained on; "" if unknown.
        """
        super().__init__()
        self.feature_size, self.extractor = feature_size, extractor
        self.window = window
        self.landmark_encoder = ConvStack(len(MOUTH_POINTS) * 3, channels, layers, dropout)
        self.feature_norm = nn.LayerNorm(feature_size)
        self.audio_encoder = ConvStack(feature_size, channels, layers, dropout)
        self.register_buffer("landmark_mean", torch.zeros(68, 3))
        self.register_buffer("landmark_std", torch.ones(68, 3))
        self.register_buffer("mouth_points", torch.tensor(MOUTH_POINTS), persistent=False)

    def embed_landmarks(self, lm3d: torch.Tensor) -> torch.Tensor:
        """LM3D windows [B, window, 68, 3] -> [B, channels]."""
        points = ((lm3d - self.landmark_mean) / self.landmark_std)[:, :, self.mouth_points]
        return self.landmark_encoder(points.flatten(2).transpose(1, 2))

    def embed_audio(self, features: torch.Tensor) -> torch.Tensor:
        """Windows of features [B, 2 * window, D] -> [B, channels]."""
        return self.audio_encoder(self.feature_norm(features).transpose(1, 2))

    def forward(self, lm3d: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """LM3D windows [B, window, 68, 3] and features [B, 2 * window, D] -> cosine [B]."""
        audio, landmark = self.embed_audio(features), self.embed_landmarks(lm3d)
        return functional.cosine_similarity(audio, landmark, dim=-1, eps=1e-6).clamp(0, 1)

    def score(self, lm3d: torch.Tensor, features: torch.Tensor, step: int = 1) -> torch.Tensor:
        """Cosines [B, n] of every `step`-th window of LM3D [B, T, 68, 3] with features [B, 2T, D]; T >= window."""
        landmarks = lm3d.unfold(1, self.window, step).movedim(-1, 2)
        audio = features.unfold(1, 2 * self.window, 2 * step).movedim(-1, 2)
        return self(landmarks.flatten(0, 1), audio.flatten(0, 1)).unflatten(0, landmarks.shape[:2])


def sync_loss(cosine: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of the cosine as a probability (Eq. 11); `target` is 1 in sync, 0 out of sync."""
    # By hand: torch's own refuses to run under autocast.
    cosine, target = cosine.float().clamp(1e-4, 1 - 1e-4), target.float()
    return -(target * cosine.log() + (1 - target) * (1 - cosine).log()).mean()
