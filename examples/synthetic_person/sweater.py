"""A crew-neck sweater with a ribbed collar."""

import numpy as np

from .groom import Colour
from .loft import KNIT, RIB, Cloth, around, body_rings, folded, make_cloth, neck_radius, neck_ring, refined

# (height under the collar's rim, gap to the neck) of the ribbed collar's rings, inside to outside.
_COLLAR = ((-1.6, 0.10), (-0.4, 0.16), (0.0, 0.34), (-0.02, 0.55), (-0.5, 0.86), (-1.1, 1.12), (-1.7, 1.34))


def rim_height(angle: np.ndarray) -> np.ndarray:
    """Height of the collar's rim at `angle` (0 the person's left, pi/2 in front)."""
    front = np.maximum(np.sin(angle), 0)
    return -10.0 - 2.6 * front**2 + 0.7 * np.maximum(-np.sin(angle), 0)


def make_sweater(neutral: np.ndarray, colours: tuple[Colour, ...], shoulders: float, seed: int) -> list[Cloth]:
    """For a neutral mesh [V, 3]: the collar fits that neck."""
    angle = around()
    rim = rim_height(angle)
    neck = neck_radius(neutral, angle, rim)
    collar = np.stack([neck_ring(angle, neck + gap, rim + drop) for drop, gap in _COLLAR])
    body = refined(np.concatenate([collar[-1:], body_rings(angle, shoulders)]), 100)
    ribbed = refined(collar, 3 * len(_COLLAR) - 2, crisp=True)
    return [
        make_cloth(folded(body, seed), colours[0], KNIT),
        make_cloth(ribbed, colours[0], RIB),
    ]
