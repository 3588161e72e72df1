"""The variational motion generator: audio features -> 3D landmarks (Section 3.1, Fig. 2 and 6)."""

import math
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.models.flow import ConditionalFlow
from geneface.models.wavenet import ChannelNorm, WaveNet
from geneface.utils.config import KERNEL, LAYERS, SHARE, WIDTH

NOISE_BLOCK = 64
MOST_CONTEXT = 1500
"""Frames on each side of a frame, a minute, that it may depend on: as many are computed again for each chunk."""


class Reconstruction(NamedTuple):
    """What one pass through posterior and decoder gives, for the loss of Eq. 3."""

    landmarks: torch.Tensor
    """[B, T, 68, 3], normalised, before smoothing."""
    kl: torch.Tensor
    """[B]: Monte-Carlo KL(q(z|l,a) || p(z|a)) in nats per latent number."""


class MotionGenerator(Component):
    """A VAE with a flow prior; all of it convolutional, so any length works and chunks equal the whole.

    Latent step j stands for frames [stride * j, stride * (j + 1)). An output frame depends on nothing more than
    `context_frames` frames before it, a multiple of `stride`, and `lookahead_frames` after it.

    With `lookahead` everything is causal but the features' convolution, which hears that much ahead, less the one
    frame that the smoothing sees; the posterior, which only a training knows, sees all. Without it, the look-ahead is
    that of centred convolutions.

    The buffers `landmark_mean` and `landmark_std` [68, 3] turn the decoder's output into LM3D in centimetres;
    `mean_landmarks` [68, 3] are the mean mesh's own points, for measures such as the mouth opening.
    """

    slot: ClassVar = "motion_generator"
    ranges: ClassVar = {
        "feature_size": WIDTH,
        "channels": WIDTH,
        "kernel_size": KERNEL,
        "encoder_layers": LAYERS,
        "encoder_dilation_cycle": (1, 12),
        "decoder_layers": LAYERS,
        "decoder_dilation_cycle": (1, 12),
        "latent_channels": (2, 1024),
        "stride": (2, 64),
        "flow_layers": (0, 64),
        "flow_kernel_size": KERNEL,
        "flow_channels": WIDTH,
        "flow_coupling_layers": LAYERS,
        "dropout": SHARE,
        "smoothing": (0, 100),
        "lookahead": (1, 100),
    }
    landmark_mean: torch.Tensor
    landmark_std: torch.Tensor
    mean_landmarks: torch.Tensor

    def __init__(
        self,
        feature_size: int,
        channels: int = 192,
        kernel_size: int = 5,
        encoder_layers: int = 8,
        encoder_dilation_cycle: int = 2,
        decoder_layers: int = 4,
        decoder_dilation_cycle: int = 4,
        latent_channels: int = 16,
        stride: int = 4,
        flow_layers: int = 4,
        flow_kernel_size: int = 3,
        flow_channels: int = 64,
        flow_coupling_layers: int = 2,
        dropout: float = 0.0,
        smoothing: float = 0.8,
        lookahead: int | None = None,
        extractor: str = "",
    ):
        """
        Args:
            stride: Frames per latent step.
            smoothing: Sigma of the Gaussian filter, in frames; 0 is none.
            lookahead: Frames, at least 1; that of centred convolutions if None.
            extractor: `identity` of the feature extractor that it is trained on; "" if unknown.
        """
        super().__init__()
        if stride < 2 or stride % 2:
            raise ValueError(f"stride must be an even number, not {stride}")
        self.feature_size, self.extractor = feature_size, extractor
        self.stride = stride
        self.latent_channels = latent_channels
        self.smoothing = smoothing
        causal = lookahead is not None
        if lookahead is not None and lookahead < 1:
            raise ValueError(f"lookahead must be at least 1 frame, not {lookahead}")
        self.smoothing_radius = min(1, _radius(smoothing)) if causal else _radius(smoothing)
        ahead = 1 if lookahead is None else lookahead - self.smoothing_radius
        self.feature_pad = (2, 2 * ahead)

        self.feature_norm = nn.LayerNorm(feature_size)
        self.feature_conv = nn.Conv1d(feature_size, channels, kernel_size=2 * ahead + 4, stride=2)
        self.condition_norm = ChannelNorm(channels)
        self.latent_condition = nn.Conv1d(channels, channels, 2 * stride, stride)
        self.latent_pad = (2 * stride - 1, 0) if causal else (stride // 2, stride // 2)

        self._build_posterior(channels, kernel_size, encoder_layers, encoder_dilation_cycle, dropout)
        self.prior = ConditionalFlow(
            latent_channels, channels, flow_channels, flow_kernel_size, flow_layers, flow_coupling_layers, causal
        )

        self._build_decoder(channels, kernel_size, decoder_layers, decoder_dilation_cycle, dropout, causal)
        self.register_buffer("landmark_mean", torch.zeros(68, 3))
        self.register_buffer("landmark_std", torch.ones(68, 3))
        self.register_buffer("mean_landmarks", torch.zeros(68, 3))

        self.context_frames = self._context(ahead, causal)
        self.lookahead_frames = self.context_frames if lookahead is None else lookahead

    def _build_posterior(self, channels: int, kernel_size: int, layers: int, cycle: int, dropout: float) -> None:
        """Landmarks [B, 68 * 3, T] to mean and log deviation of the latent steps."""
        self.encoder_conv = nn.Conv1d(68 * 3, channels, 2 * self.stride, self.stride, self.stride // 2)
        self.encoder_norm = ChannelNorm(channels)
        self.encoder = WaveNet(channels, channels, kernel_size, layers, cycle, dropout)
        self.posterior = nn.Conv1d(channels, 2 * self.latent_channels, 1)

    def _build_decoder(
        self, channels: int, kernel_size: int, layers: int, cycle: int, dropout: float, causal: bool
    ) -> None:
        """Latent steps and condition to landmarks."""
        self.decoder_conv = nn.ConvTranspose1d(self.latent_channels, channels, 2 * self.stride, self.stride)
        self.decoder_start = 0 if causal else self.stride // 2
        self.decoder_norm = ChannelNorm(channels)
        self.decoder = WaveNet(channels, channels, kernel_size, layers, cycle, dropout, causal)
        self.output = nn.Conv1d(channels, 68 * 3, 1)

    def _context(self, ahead: int, causal: bool) -> int:
        """Frames before one that it depends on: whole latent steps."""
        # Transposed convolution and latent condition reach over 2 * stride - 1 frames together with their own step.
        step = 2 * self.stride - 1 if causal else 3 * self.stride // 2 - 1
        left = self.smoothing_radius + self.decoder.left + self.stride * self.prior.left + 2 * step + 1
        right = self.smoothing_radius + self.decoder.right + self.stride * self.prior.right + 2 * step + ahead
        frames = math.ceil((left if causal else max(left, right)) / self.stride) * self.stride
        if frames > MOST_CONTEXT:
            raise ValueError(f"a frame depends on {frames} frames before it, over {MOST_CONTEXT}")
        return frames

    def latent_frames(self, frames: int) -> int:
        """Latent steps of a sequence of `frames` frames."""
        return math.ceil(frames / self.stride)

    def _condition(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """features [B, 2T, D] -> condition per frame [B, C, stride * N] and per latent step [B, C, N]."""
        frames = features.shape[1] // 2
        missing = self.latent_frames(frames) * self.stride - frames
        features = self.feature_norm(features).transpose(1, 2)
        features = functional.pad(features, (0, 2 * missing), mode="replicate")
        features = functional.pad(features, self.feature_pad)
        per_frame = self.condition_norm(functional.relu(self.feature_conv(features)))
        return per_frame, functional.relu(self.latent_condition(functional.pad(per_frame, self.latent_pad)))

    def _decode(self, latent: torch.Tensor, per_frame: torch.Tensor, frames: int) -> torch.Tensor:
        """latent [B, C, N], condition [B, C, stride * N] -> normalised landmarks [B, T, 68, 3]."""
        x = self.decoder_conv(latent)[..., self.decoder_start :][..., : per_frame.shape[-1]]
        x = self.decoder_norm(functional.relu(x))
        x = self.output(functional.relu(self.decoder(x, per_frame)))
        return x[..., :frames].transpose(1, 2).unflatten(-1, (68, 3))

    def normalise(self, lm3d: torch.Tensor) -> torch.Tensor:
        return (lm3d - self.landmark_mean) / self.landmark_std

    def denormalise(self, landmarks: torch.Tensor) -> torch.Tensor:
        return landmarks * self.landmark_std + self.landmark_mean

    def reconstruct(self, lm3d: torch.Tensor, features: torch.Tensor, noise: torch.Tensor) -> Reconstruction:
        """LM3D [B, T, 68, 3], features [B, 2T, D] and noise [B, N, C] through q(z|l,a), then p(l|z,a)."""
        frames = lm3d.shape[1]
        per_frame, per_latent = self._condition(features)
        landmarks = self.normalise(lm3d).flatten(2).transpose(1, 2)
        landmarks = functional.pad(landmarks, (0, per_frame.shape[-1] - frames), mode="replicate")
        hidden = self.encoder_norm(functional.relu(self.encoder_conv(landmarks)))
        mean, log_std = self.posterior(self.encoder(hidden, per_latent)).chunk(2, dim=1)
        log_std = log_std.clamp(-6, 3)
        noise = noise.transpose(1, 2)
        latent = mean + log_std.exp() * noise
        gaussian, log_det = self.prior(latent, per_latent)
        log_posterior = (-0.5 * noise**2 - log_std).sum(dim=(1, 2))
        log_prior = (-0.5 * gaussian**2).sum(dim=(1, 2)) + log_det
        kl = (log_posterior - log_prior) / (latent.shape[1] * latent.shape[2])
        return Reconstruction(self._decode(latent, per_frame, frames), kl)

    def sample(
        self, features: torch.Tensor, noise: torch.Tensor, temperature: float | torch.Tensor = 1.0
    ) -> torch.Tensor:
        """As `forward`, but normalised and before smoothing; `temperature` may be [B, 1, 1]."""
        per_frame, per_latent = self._condition(features)
        latent = self.prior.inverse(temperature * noise.transpose(1, 2), per_latent)
        return self._decode(latent, per_frame, features.shape[1] // 2)

    def forward(self, features: torch.Tensor, noise: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """features [B, 2T, D] and noise [B, ceil(T / stride), latent_channels] -> LM3D [B, T, 68, 3] in cm.

        `temperature` scales the noise: 0 gives one answer, 1 the learned spread. The noise of a chunk is that of
        its absolute latent steps: see `latent_noise`.
        """
        return self.denormalise(
            smooth(self.sample(features, noise, temperature), self.smoothing, self.smoothing_radius)
        )


def _radius(sigma: float) -> int:
    return math.ceil(3 * sigma)


def smooth(sequence: torch.Tensor, sigma: float, radius: int | None = None) -> torch.Tensor:
    """Gaussian filter over dimension 1 of [B, T, ...] with the edges repeated.

    `sigma` in frames, 0 is none; `radius` in frames, as far as it matters if None.
    """
    radius = _radius(sigma) if radius is None else radius
    if radius == 0:
        return sequence
    offsets = torch.arange(-radius, radius + 1, dtype=sequence.dtype, device=sequence.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    flat = sequence.flatten(2).transpose(1, 2)
    batch, channels, frames = flat.shape
    padded = functional.pad(flat, (radius, radius), mode="replicate").reshape(batch * channels, 1, -1)
    filtered = functional.conv1d(padded, (kernel / kernel.sum())[None, None])
    return filtered.reshape(batch, channels, frames).transpose(1, 2).reshape(sequence.shape)


def latent_noise(seed: int, start: int, stop: int, channels: int) -> torch.Tensor:
    """Standard normal noise [stop - start, channels] of the latent steps start..stop-1 of the sequence `seed`.

    Depends on the absolute steps alone, so that a sequence made in chunks gets the noise of the whole.
    """
    first, last = start // NOISE_BLOCK, math.ceil(stop / NOISE_BLOCK)
    blocks = [
        np.random.default_rng([seed, block]).standard_normal((NOISE_BLOCK, channels), dtype=np.float32)
        for block in range(first, last)
    ]
    noise = np.concatenate([np.zeros((0, channels), np.float32), *blocks])
    return torch.from_numpy(noise[start - first * NOISE_BLOCK : stop - first * NOISE_BLOCK].copy())
