"""What the actor wears."""

from dataclasses import dataclass

import numpy as np

from . import jacket, sweater
from .groom import Colour
from .loft import AXIS_Z, Cloth

_RIMS = {"sweater": sweater.rim_height, "jacket": jacket.rim_height}
_MAKERS = {"sweater": sweater.make_sweater, "jacket": jacket.make_jacket}


@dataclass(frozen=True)
class Outfit:
    """`kind` is "sweater" or "jacket"; linear colours of its pieces, outermost first."""

    kind: str
    colours: tuple[Colour, ...]
    shoulders: float = 1.0
    """Width, as a share of a broad man's."""


def dress(neutral: np.ndarray, outfit: Outfit, seed: int) -> list[Cloth]:
    """The clothes for a neutral mesh [V, 3]."""
    return _MAKERS[outfit.kind](neutral, outfit.colours, outfit.shoulders, seed)


def under_collar(vertices: np.ndarray, outfit: Outfit) -> np.ndarray:
    """Which vertices [..., 3] the clothes hide for certain."""
    angle = np.arctan2(vertices[..., 2] - AXIS_Z, vertices[..., 0])
    return vertices[..., 1] < _RIMS[outfit.kind](angle) - 1.0
