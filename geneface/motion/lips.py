"""Lips that touch are pressed together: what a renderer that learned from noisy landmarks has to be told."""

import torch

from geneface.metrics import LM3D_LIPS

PRESSED = 0.1
"""Of the way from the mean mouth in speech to the closed one, gone once more."""
TOUCHING = 0.1
"""cm more than the closed mouth's gap, from where on lips are pressed."""


def press_lips(
    lm3d: torch.Tensor, closed: torch.Tensor, usual: torch.Tensor, mean_landmarks: torch.Tensor
) -> torch.Tensor:
    """LM3D [..., 68, 3] in which lips that touch go beyond; others stay as they are.

    Args:
        closed: [68, 3], the person's LM3D with a closed mouth.
        usual: [68, 3], the person's mean LM3D in speech.
        mean_landmarks: [68, 3] cm, of the face model.
    """
    upper, lower = (list(side) for side in zip(*LM3D_LIPS, strict=True))

    def opening(moves: torch.Tensor) -> torch.Tensor:
        points = moves + mean_landmarks
        return (points[..., upper, :] - points[..., lower, :]).norm(dim=-1).mean(-1)

    touch = (1 - (opening(lm3d) - opening(closed)) / TOUCHING).clamp(0, 1)[..., None, None]
    return lm3d + PRESSED * touch * (closed - usual)
