"""The studio's lights and film."""

from dataclasses import dataclass

import numpy as np

from .noise import unit


@dataclass(frozen=True)
class Studio:
    """Directions towards key, fill and rim light in camera space (x right, y down, z away), and linear colours."""

    directions: tuple[tuple[float, float, float], ...] = (
        (-0.70, -0.50, -0.64),
        (0.80, -0.05, -0.60),
        (0.80, -0.50, 0.70),
    )
    colours: tuple[tuple[float, float, float], ...] = ((1.74, 1.57, 1.37), (0.27, 0.265, 0.275), (1.30, 1.30, 1.36))
    above: tuple[float, float, float] = (0.30, 0.32, 0.36)
    below: tuple[float, float, float] = (0.20, 0.17, 0.15)
    softness: float = 1.3
    """Radius of the key light's penumbra, in cm."""
    exposure: float = 0.60

    def unit_directions(self) -> np.ndarray:
        """[3, 3]"""
        return unit(np.array(self.directions))

    def shadow_clip(self, centre: np.ndarray, extent: float = 24.0) -> np.ndarray:
        """Orthographic clip matrix [4, 4] of the key light's shadow map around `centre` in camera space."""
        towards = self.unit_directions()[0]
        side = unit(np.cross(towards, [0.0, 1.0, 0.0]))
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([side, np.cross(side, towards), -towards]) / extent
        matrix[2, :3] *= 0.6
        matrix[:3, 3] = -matrix[:3, :3] @ centre
        return matrix
