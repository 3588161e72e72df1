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


def box_range(origins: torch.Tensor, directions: torch.Tensor, box: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Near and far bound of rays in a box (Eq. 7), equal where a ray misses it.

    Args:
        origins, directions: [..., 3], broadcastable.
        box: [2, 3] least and greatest corner.

    Returns:
        [...] each, in lengths of the directions; never behind the origin.
    """
    tiny = 1e-9
    inverse = 1 / torch.where(directions.abs() < tiny, tiny, directions)
    first, second = (box[0] - origins) * inverse, (box[1] - origins) * inverse
    near = torch.minimum(first, second).amax(-1).clamp_min(0)
    return near, torch.maximum(near, torch.maximum(first, second).amin(-1))


def part_edges(depths: torch.Tensor, near: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
    """Edges [..., S + 1] of the parts of [near, far] that sorted samples [..., S] stand for: halfway between them."""
    middles = (depths[..., 1:] + depths[..., :-1]) / 2
    return torch.cat([near.unsqueeze(-1), middles, far.unsqueeze(-1)], dim=-1)


def resample_depths(
    edges: torch.Tensor, weights: torch.Tensor, samples: int, jitter: torch.Tensor | None = None
) -> torch.Tensor:
    """Fine samples where the weights are: equal steps of their cumulative distribution, inverted.

    Args:
        edges: [..., S + 1] of the parts that the weights belong to.
        weights: [..., S].
        jitter: Positions inside the steps, [..., samples] in [0, 1); their middles if None.

    Returns:
        Sorted depths [..., samples].
    """
    shares = weights + 1e-5
    shares = shares / shares.sum(-1, keepdim=True)
    cumulative = F.pad(shares.cumsum(-1), (1, 0))
    offsets = torch.arange(samples, device=edges.device, dtype=edges.dtype) + (0.5 if jitter is None else jitter)
    wanted = (offsets / samples).expand(*edges.shape[:-1], samples).contiguous()
    part = torch.searchsorted(cumulative[..., 1:].contiguous(), wanted, right=True).clamp_max(weights.shape[-1] - 1)
    inside = (wanted - cumulative.gather(-1, part)) / shares.gather(-1, part)
    start, stop = edges.gather(-1, part), edges.gather(-1, part + 1)
    return torch.lerp(start, stop, inside.clamp(0, 1))


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
