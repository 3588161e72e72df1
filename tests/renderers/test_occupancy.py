"""The splatted depth ranges against points whose cells are known."""

import torch

from geneface.renderers.camera import pixel_directions, rays_in_head_frame
from geneface.renderers.occupancy import CELLS, OccupancyGrid

BOX = torch.tensor([[-12.0, -12, -6], [12, 12, 12]])
INTRINSICS = torch.tensor([[300.0, 0, 64], [0, 300, 64], [0, 0, 1]])
FRONTAL = torch.tensor([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 100]])


def range_of(grid: OccupancyGrid, pose: torch.Tensor = FRONTAL) -> tuple[torch.Tensor, torch.Tensor]:
    near, far = grid.depth_range(pose[None], INTRINSICS, 128, 64)
    return near[0], far[0]


def test_every_seen_point_lies_in_the_range_of_its_ray():
    grid = OccupancyGrid(BOX)
    seen = torch.rand(CELLS, CELLS, CELLS, generator=torch.Generator().manual_seed(0)) < 0.0005
    grid.set(seen)
    turn = torch.tensor([[0.96, 0, 0.28], [0, 1, 0], [-0.28, 0, 0.96]])
    pose = torch.cat([turn @ FRONTAL[:, :3], FRONTAL[:, 3:]], dim=1)
    near, far = range_of(grid, pose)
    origins, directions = rays_in_head_frame(pixel_directions(INTRINSICS, 128, 64), pose[None])
    depths = torch.linspace(80, 120, 400)
    points = origins.unsqueeze(2) + directions.unsqueeze(2) * depths[:, None]
    inside = ((points > BOX[0]) & (points < BOX[1])).all(-1)[0]
    occupied = inside & seen.view(-1)[grid.cells(points)][0]
    covered = (depths >= near.view(-1, 1)) & (depths <= far.view(-1, 1))
    assert occupied.any() and (covered | ~occupied).float().mean() == 1


def test_empty_rays_are_skipped_and_ranges_are_tight():
    grid = OccupancyGrid(BOX)
    seen = torch.zeros(CELLS, CELLS, CELLS, dtype=torch.bool)
    seen[24, 24, 24] = True
    grid.set(seen)
    near, far = range_of(grid)
    hit = far > near
    assert 4 < hit.sum() < 100 and hit[31, 32]
    assert (far - near)[hit].max() < 3


def test_a_changed_grid_is_seen_at_once():
    grid = OccupancyGrid(BOX)
    everything = (lambda near, far: (far > near).sum())(*range_of(grid))
    grid.set(torch.zeros(CELLS, CELLS, CELLS, dtype=torch.bool))
    near, far = range_of(grid)
    assert everything > 500 and not (far > near).any()
