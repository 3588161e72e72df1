"""The person's outline before another background."""

import torch
import torch.nn.functional as F

SIGMA, REACH = 3.0, 8
"""Of the blur, in pixels: a step of the parsed masks, whose cells are four pixels wide, is gone."""
OUTER, INNER = 0.4, 0.8
"""Blurred opacities that become 0 and 1; a little inside of the outline, where the old background cannot shine in."""


def smooth_matte(alpha: torch.Tensor) -> torch.Tensor:
    """Opacity [B, 1, H, W] without the steps that masks of coarse cells leave along an outline."""
    offsets = torch.arange(-REACH, REACH + 1, device=alpha.device, dtype=alpha.dtype)
    kernel = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    kernel = kernel / kernel.sum()
    blurred = F.pad(alpha, (REACH,) * 4, mode="replicate")
    blurred = F.conv2d(F.conv2d(blurred, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    share = ((blurred - OUTER) / (INNER - OUTER)).clamp(0, 1)
    return share * share * (3 - 2 * share)
