"""Volume rendering: the quadrature of Eq. 7-8."""

import torch
import torch.nn.functional as F


def sample_depths(
    near: torch.Tensor, far: torch.Tensor, samples: int, jitter: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """One sample in each of `samples` equal parts of [near, far].

    Args:
        near, far: [...].
        jitter: Positions inside the parts, [..., samples] in [0, 1); their middles if None.

    Returns:
        Depths [..., samples] and the parts' length [..., 1].
    """
    step = ((far - near) / samples).unsqueeze(-1)
    offsets = torch.arange(samples, device=near.device, dtype=near.dtype) + (0.5 if jitter is None else jitter)
    return near.unsqueeze(-1) + offsets * step, step


def compositing_weights(density: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """Share of each sample in its ray's colour: T_i (1 - exp(-sigma_i * step)).

    Args:
        density: [..., S], per cm.
        step: Broadcastable to it, in cm.

    Returns:
        [..., S]; the sum over S is the ray's opacity.
    """
    optical_depth = density * step
    transmittance = torch.exp(-torch.cumsum(F.pad(optical_depth[..., :-1], (1, 0)), -1))
    return transmittance * (1 - torch.exp(-optical_depth))


def depth_spread(weights: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """Variance of the depth that a ray's weights stand for, times its opacity.

    Args:
        weights: [..., S], of samples `step` cm apart.
        step: [..., 1].

    Returns:
        [...] in cm²; 0 for a surface, large for fog.
    """
    depth = torch.arange(weights.shape[-1], device=weights.device, dtype=weights.dtype) * step
    opacity = weights.sum(-1, keepdim=True)
    mean = (weights * depth).sum(-1, keepdim=True) / opacity.clamp_min(1e-4)
    return (weights * (depth - mean).square()).sum(-1)
