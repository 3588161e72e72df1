"""Pinhole camera in OpenCV's convention (x right, y down, z forward), pixel centres at +0.5."""

import torch
import torch.nn.functional as F


def pixel_directions(intrinsics: torch.Tensor, size: int, grid: int) -> torch.Tensor:
    """Ray directions in the camera frame, z = 1.

    Args:
        intrinsics: [3, 3], in pixels of a `size` x `size` picture.
        size: Pixels a side of that picture.
        grid: Rays a side, spread evenly over the picture.

    Returns:
        [grid * grid, 3], row by row.
    """
    centres = (torch.arange(grid, device=intrinsics.device, dtype=intrinsics.dtype) + 0.5) * (size / grid)
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(-1, 3)
    return exact_product(pixels, torch.linalg.inv(intrinsics).T)


def rays_in_head_frame(directions: torch.Tensor, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Move camera rays into the head frame.

    Args:
        directions: [R, 3] or [B, R, 3] in the camera frame.
        pose: [B, 3, 4] = [R | t], head to camera.

    Returns:
        Origins [B, 1, 3] and directions [B, R, 3] in the head frame, as long as they were: where z was 1, a step of 1
        is 1 cm of depth.
    """
    rotation, translation = pose[:, :, :3], pose[:, :, 3]
    return -exact_product(translation.unsqueeze(1), rotation), exact_product(directions, rotation)


def exact_product(rows: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """[..., R, 3] @ [..., 3, 3], which autocast does not round to half precision: that would bend the rays."""
    with torch.autocast(rows.device.type, enabled=False):
        return rows @ matrix


def project(points: torch.Tensor, pose: torch.Tensor, intrinsics: torch.Tensor) -> torch.Tensor:
    """Pixels [T, N, 2] of points [T, N, 3] in the head frame; pose [T, 3, 4], head to camera, intrinsics [3, 3]."""
    seen = points @ pose[:, :, :3].transpose(1, 2) + pose[:, None, :, 3]
    return (seen @ intrinsics.T)[..., :2] / seen[..., 2:]


def triangulate(
    points: torch.Tensor, moves: torch.Tensor, pose: torch.Tensor, intrinsics: torch.Tensor
) -> torch.Tensor:
    """Where points lie in the head frame, from their pictures in many frames: nearest to all rays.

    Args:
        points: [T, N, 2] pixels.
        moves: [T, N, 3] cm, each point's known motion about the place that is sought.
        pose: [T, 3, 4], head to camera.
        intrinsics: [3, 3].

    Returns:
        [N, 3] in cm.
    """
    pixels = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1)
    directions = F.normalize(pixels @ torch.linalg.inv(intrinsics).T @ pose[:, :, :3], dim=-1)
    origins = -(pose[:, None, :, 3] @ pose[:, :, :3]) - moves
    across = torch.eye(3).to(points) - directions.unsqueeze(-1) * directions.unsqueeze(-2)
    return torch.linalg.solve(across.sum(0), (across @ origins.unsqueeze(-1)).sum(0)).squeeze(-1)
