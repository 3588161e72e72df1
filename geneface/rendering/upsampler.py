"""From a coarse feature map to the full picture."""

import torch
import torch.nn.functional as F
from torch import nn


class Upsampler(nn.Module):
    """Coarse features and canonical textures to colours and opacity at full size.

    The textures are added as they are, each with a learned gain: no convolution runs at full size.
    """

    def __init__(self, features: int, scale: int, textures: int, hidden: int = 32):
        super().__init__()
        self.scale = scale
        self.coarse = nn.Sequential(
            nn.Conv2d(features, hidden, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(hidden, 2 * hidden, 3, padding=1),
            nn.PixelShuffle(2),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(hidden // 2, hidden // 2, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
        )
        self.fine = nn.Sequential(
            nn.Conv2d(hidden // 2, 4 * (scale // 2) ** 2, 3, padding=1), nn.PixelShuffle(scale // 2)
        )
        self.gains = nn.Conv2d(hidden // 2, textures, 1)

    def forward(
        self, features: torch.Tensor, *layers: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, C, grid, grid] and (texture, uv, share) layers -> colours [B, 3, size, size], opacity [B, 1, ...]."""
        middle = self.coarse(features)
        out = self.fine(middle)
        rgb = out[:, :3] + 0.5
        gains = 2 * torch.sigmoid(self.gains(middle))
        for index, layer in enumerate(layers):
            rgb = rgb + self._look_up(gains[:, index : index + 1], *layer)
        return rgb, torch.sigmoid(out[:, 3:] + 2)

    def _look_up(
        self, gain: torch.Tensor, texture: torch.Tensor, uv: torch.Tensor, share: torch.Tensor
    ) -> torch.Tensor:
        guide = torch.cat([uv.permute(0, 3, 1, 2), share], dim=1)
        guide = F.interpolate(guide, scale_factor=self.scale, mode="bilinear", align_corners=False)
        gain = F.interpolate(gain, scale_factor=self.scale / 2, mode="bilinear", align_corners=False)
        where = guide[:, :2].permute(0, 2, 3, 1)
        texture = texture.expand(len(uv), -1, -1, -1)
        detail = F.grid_sample(texture, where, align_corners=False, padding_mode="border")
        return detail * (guide[:, 2:] * gain)
