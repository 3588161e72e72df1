"""Lips that must meet, for p, b and m, do meet, and lips that touch are pressed together."""

import torch

from geneface.face.ibug68 import INNER_CORNERS, JAW, LIPS, LOWER_LIP, UPPER_LIP

PRESSED = 0.1
"""Of the way from the mean mouth in speech to the closed one, gone once more: a renderer that learned from noisy
landmarks leaves a line of light between lips that only touch."""
MEETING = 0.05
"""The same beside it for lips that must meet: it learned from three frames together, of which one is closed. More
would cross the lips, and distances between them grow again."""
TOUCHING = 0.1
"""cm more than the closed mouth's gap, from where on lips are pressed."""
BESIDE = 0.8
"""How much of what must close in a frame closes in the two beside it."""


def mouth_opening(points: torch.Tensor) -> torch.Tensor:
    """In cm [...], of 68 points [..., 68, 3]: `metrics.lm3d_opening`, for tensors and gradients."""
    return (points[..., UPPER_LIP, :] - points[..., LOWER_LIP, :]).norm(dim=-1).mean(dim=-1)


def mouth_width(points: torch.Tensor) -> torch.Tensor:
    """In cm [...], of 68 points [..., 68, 3]: `metrics.lm3d_width`, for tensors and gradients."""
    right, left = INNER_CORNERS
    return (points[..., right, :] - points[..., left, :]).norm(dim=-1)


def press_lips(
    lm3d: torch.Tensor,
    closed: torch.Tensor,
    usual: torch.Tensor,
    mean_landmarks: torch.Tensor,
    closures: torch.Tensor | None = None,
) -> torch.Tensor:
    """LM3D [..., 68, 3] in which lips that touch go beyond; others stay as they are.

    Args:
        closed: [68, 3], the person's LM3D with a closed mouth.
        usual: [68, 3], the person's mean LM3D in speech.
        mean_landmarks: [68, 3] cm, of the face model.
        closures: [...], 0 to 1: how surely the lips must meet; the mouth closes by that share of its opening first.
    """
    pressed: float | torch.Tensor = PRESSED
    if closures is not None:
        # Its width stays as it is: what is said before and after shows in it.
        share = torch.zeros(68, 3).to(lm3d)
        share[JAW, 1:] = share[LIPS, 1:] = 1
        closures = closures[..., None, None]
        lm3d = lm3d + closures * share * (closed - lm3d)
        pressed = PRESSED + MEETING * closures
    gap = mouth_opening(lm3d + mean_landmarks) - mouth_opening(closed + mean_landmarks)
    touch = (1 - gap / TOUCHING).clamp(0, 1)[..., None, None]
    return lm3d + pressed * touch * (closed - usual)


def spread_closures(closures: torch.Tensor) -> torch.Tensor:
    """[n] from [n + 2], one frame more on each side: lips come together and part within the frames beside, too."""
    return torch.maximum(closures[1:-1], BESIDE * torch.maximum(closures[:-2], closures[2:]))
