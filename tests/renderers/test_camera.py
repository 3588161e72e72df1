"""Rays against a projection computed the other way round."""

import torch

from geneface.renderers.camera import pixel_directions, rays_in_head_frame

INTRINSICS = torch.tensor([[1400.0, 0, 250], [0, 1400, 260], [0, 0, 1]])


def random_pose() -> torch.Tensor:
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(3)))
    return torch.cat([rotation * torch.det(rotation), torch.tensor([[1.0], [-2.0], [90.0]])], dim=1)


def test_points_on_a_ray_project_to_its_pixel():
    pose = random_pose()
    origins, directions = rays_in_head_frame(pixel_directions(INTRINSICS, 512, 128), pose[None])
    row, column = 40, 101
    point = origins[0, 0] + 87.0 * directions[0, row * 128 + column]
    projected = INTRINSICS @ (pose[:, :3] @ point + pose[:, 3])
    assert torch.allclose(projected[2], torch.tensor(87.0), atol=1e-3), "a step of 1 is 1 cm of depth"
    assert torch.allclose(projected[:2] / projected[2], torch.tensor([(column + 0.5) * 4, (row + 0.5) * 4]), atol=1e-2)
