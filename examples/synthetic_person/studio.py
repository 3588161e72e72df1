"""The studio's lights and film."""

from dataclasses import dataclass

import numpy as np

from .noise import unit


@dataclass(frozen=True)
class Studio:
    """Directions towards key, fill and rim light in camera space (x right, y down, z away), and linear colours."""

    directions: tuple[tuple[float, float, float], ...] = (
        (-0.62, -0.62, -0.80),
        (0.75, -0.10, -0.65),
        (0.75, -0.55, 0.75),
    )
    colours: tuple[tuple[float, float, float], ...] = ((1.55, 1.45, 1.32), (0.40, 0.43, 0.48), (1.10, 1.12, 1.18))
    above: tuple[float, float, float] = (0.46, 0.48, 0.52)
    below: tuple[float, float, float] = (0.22, 0.19, 0.17)
    exposure: float = 0.72

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
