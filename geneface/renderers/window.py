"""What training asks of the fast renderer: parts of pictures, and more than the picture."""

from dataclasses import dataclass
from typing import NamedTuple

import torch

from geneface.renderers.renderer import Rendering


@dataclass
class FastRendering(Rendering):
    """What training compares besides the picture."""

    head_alpha: torch.Tensor
    """[B, 1, grid, grid] opacity of the head alone."""
    torso_alpha: torch.Tensor
    """[B, 1, grid, grid] opacity of the torso where no head is in front of it."""
    head_rgb: torch.Tensor
    """[B, 3, grid, grid] the head's colour C_head (Eq. 9), premultiplied by its opacity."""
    spread: torch.Tensor
    """[B, R] cm², how far along its ray the head's opacity is spread."""
    canonical: torch.Tensor
    """[B, 3, grid, grid] where each ray ends in the head's canonical space, in [-1, 1] of its box."""


class Window(NamedTuple):
    """A square part of the ray grid: its first row and column, and its side, in cells."""

    top: int
    left: int
    side: int

    def of(self, picture: torch.Tensor, scale: int = 1) -> torch.Tensor:
        """That part of [..., H, W], whose cells are `scale` pixels wide."""
        rows = slice(self.top * scale, (self.top + self.side) * scale)
        columns = slice(self.left * scale, (self.left + self.side) * scale)
        return picture[..., rows, columns]
