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
        last = nn.Conv2d(hidden // 2, 4 * (scale // 2) ** 2, 3, padding=1)
        # A grey and nearly opaque picture at first.
        last.bias = nn.Parameter(torch.tensor([0.5, 0.5, 0.5, 2.0]).repeat_interleave((scale // 2) ** 2))
        self.fine = nn.Sequential(last, nn.PixelShuffle(scale // 2))
        self.gains = nn.Conv2d(hidden // 2, textures, 1)

    def forward(
        self, features: torch.Tensor, *layers: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, C, grid, grid] and (texture, uv, share) layers -> colours [B, 3, size, size], opacity [B, 1, ...]."""
        # Convolutions with few channels are twice as fast in this layout on a CPU.
        middle = self.coarse(features.contiguous(memory_format=torch.channels_last))
        out = self.fine(middle).float()
        rgb, alpha = out[:, :3].contiguous(), torch.sigmoid(out[:, 3:])
        gains = 2 * torch.sigmoid(self.gains(middle))
        for index, (texture, uv, share) in enumerate(layers):
            rows, columns = _covered(share)
            where = self._enlarged(uv[:, :, rows, columns], self.scale).permute(0, 2, 3, 1)
            detail = F.grid_sample(
                texture.expand(len(uv), -1, -1, -1), where, align_corners=False, padding_mode="border"
            )
            gain = gains[:, index : index + 1, _scaled(rows, 2), _scaled(columns, 2)]
            gain = self._enlarged(gain, self.scale / 2) * self._enlarged(share[:, :, rows, columns], self.scale)
            rgb[:, :, _scaled(rows, self.scale), _scaled(columns, self.scale)].addcmul_(detail, gain)
        return rgb, alpha

    @staticmethod
    def _enlarged(picture: torch.Tensor, scale: float) -> torch.Tensor:
        return F.interpolate(picture, scale_factor=scale, mode="bilinear", align_corners=False)


def _covered(share: torch.Tensor) -> tuple[slice, slice]:
    """Rows and columns of [B, 1, H, W] outside of which it is 0, and one more on each side."""
    if share.device.type != "cpu":  # a GPU is done before it could say where
        return slice(0, share.shape[2]), slice(0, share.shape[3])
    spans = []
    for axes in ((0, 1, 3), (0, 1, 2)):
        found = share.detach().amax(axes).nonzero().flatten().tolist() or [0]
        spans.append(slice(max(found[0] - 1, 0), found[-1] + 2))
    return spans[0], spans[1]


def _scaled(span: slice, scale: int) -> slice:
    return slice(span.start * scale, span.stop * scale)
