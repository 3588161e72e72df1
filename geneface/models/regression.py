"""The paper's "simple regression model" (Table 5): the motion generator's decoder, with nothing to draw."""

import torch
from torch import nn

from geneface.models.motion_generator import MotionGenerator, Reconstruction


class MotionRegressor(MotionGenerator):
    """One answer for each audio: what encoder, posterior and prior know of the motion is held at nothing.

    The size of what decodes is that of the generator with the same settings; noise and temperature have no say.
    """

    def __init__(
        self,
        feature_size: int,
        channels: int = 192,
        kernel_size: int = 5,
        decoder_layers: int = 4,
        decoder_dilation_cycle: int = 4,
        latent_channels: int = 16,
        stride: int = 4,
        dropout: float = 0.0,
        smoothing: float = 0.8,
        extractor: str = "",
    ):
        super().__init__(
            feature_size,
            channels,
            kernel_size,
            encoder_layers=1,
            decoder_layers=decoder_layers,
            decoder_dilation_cycle=decoder_dilation_cycle,
            latent_channels=latent_channels,
            stride=stride,
            flow_layers=0,
            dropout=dropout,
            smoothing=smoothing,
            extractor=extractor,
        )
        # Several processes that train together must not hold weights that no loss reaches.
        del self.encoder_conv, self.encoder_norm, self.encoder, self.posterior
        self.latent_condition = nn.Identity()  # type: ignore[assignment]

    def reconstruct(self, lm3d: torch.Tensor, features: torch.Tensor, noise: torch.Tensor) -> Reconstruction:
        return Reconstruction(self.sample(features, noise), lm3d.new_zeros(len(lm3d)))

    def sample(
        self, features: torch.Tensor, noise: torch.Tensor, temperature: float | torch.Tensor = 1.0
    ) -> torch.Tensor:
        return super().sample(features, torch.zeros_like(noise), 0.0)
