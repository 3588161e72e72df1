"""Dilated convolutions with a gate, a residual and a skip path (Section 3.1, after WaveNet), causal or not."""

import torch
from torch import nn
from torch.nn import functional


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each time step of [B, C, T]; time steps stay independent."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class WaveNet(nn.Module):
    """[B, C, T] and a condition [B, C_c, T] -> [B, C, T], the sum of the layers' skip paths.

    Layer i has dilation 2 ** (i % dilation_cycle). An output step sees `left` steps before it and `right` after it:
    none if `causal`.
    """

    def __init__(
        self,
        channels: int,
        condition_channels: int,
        kernel_size: int,
        layers: int,
        dilation_cycle: int,
        dropout: float = 0.0,
        causal: bool = False,
    ):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, not {kernel_size}")
        dilations = [2 ** (index % dilation_cycle) for index in range(layers)]
        ahead = 0 if causal else kernel_size // 2
        self.pads = [(d * (kernel_size - 1 - ahead), d * ahead) for d in dilations]
        self.left, self.right = (sum(side) for side in zip(*self.pads, strict=True))
        self.channels = channels
        self.condition = nn.Conv1d(condition_channels, 2 * channels * layers, 1)
        self.dilated = nn.ModuleList(nn.Conv1d(channels, 2 * channels, kernel_size, dilation=d) for d in dilations)
        self.mixers = nn.ModuleList(nn.Conv1d(channels, 2 * channels, 1) for _ in dilations)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        skip = torch.zeros_like(x)
        conditions = self.condition(condition).chunk(len(self.dilated), dim=1)
        for dilated, mixer, bias, pad in zip(self.dilated, self.mixers, conditions, self.pads, strict=True):
            content, gate = (dilated(functional.pad(self.dropout(x), pad)) + bias).chunk(2, dim=1)
            residual, out = mixer(torch.tanh(content) * torch.sigmoid(gate)).chunk(2, dim=1)
            x = (x + residual) * 0.5**0.5
            skip = skip + out
        return skip * len(self.dilated) ** -0.5
