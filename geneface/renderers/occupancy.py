"""Where a person's head can be seen: a grid of cells, and between which depths each ray meets them."""

import torch
import torch.nn.functional as F
from torch import nn

CELLS = 48


class OccupancyGrid(nn.Module):
    """Cells of a box that contribute to some picture; all of them, until `set` says which.

    Args:
        box: [2, 3] least and greatest corner, in cm of the head frame.
    """

    box: torch.Tensor
    grid: torch.Tensor

    def __init__(self, box: torch.Tensor):
        super().__init__()
        self.register_buffer("box", box)
        self.register_buffer("grid", torch.ones((CELLS,) * 3, dtype=torch.uint8))
        self._centres: tuple[tuple[int, int], torch.Tensor] | None = None

    def set(self, seen: torch.Tensor) -> None:
        """Keep the cells of seen [Z, Y, X] bool and their neighbours."""
        grown = F.max_pool3d(seen[None, None].float(), 3, stride=1, padding=1)[0, 0]
        self.grid.copy_(grown.to(torch.uint8))

    def cells(self, points: torch.Tensor) -> torch.Tensor:
        """Numbers of the cells that points [..., 3] lie in."""
        unit = (points - self.box[0]) * (CELLS / (self.box[1] - self.box[0]))
        x, y, z = unit.long().clamp_(0, CELLS - 1).unbind(-1)
        return (z * CELLS + y) * CELLS + x

    def centres(self) -> torch.Tensor:
        """[N, 3] cm, the middles of the occupied cells."""
        key = (self.grid.data_ptr(), self.grid._version)
        if self._centres is None or self._centres[0] != key:
            index, box = self.grid.nonzero().flip(-1) + 0.5, self.box.float()
            self._centres = key, box[0] + index * ((box[1] - box[0]) / CELLS)
        return self._centres[1]

    def depth_range(
        self, pose: torch.Tensor, intrinsics: torch.Tensor, size: int, grid: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Between which depths each ray meets occupied cells: the cells are splatted on the rays.

        Args:
            pose: [B, 3, 4], head to camera.
            intrinsics: [3, 3], in pixels of a size x size picture.
            grid: Rays a side.

        Returns:
            near and far [B, grid, grid] in cm along the camera's axis; near > far where there are none.
        """
        dtype = pose.dtype
        pose, intrinsics = pose.float(), intrinsics.float()
        cell = (self.box[1] - self.box[0]).float() / CELLS
        seen = self.centres() @ pose[:, :, :3].transpose(1, 2) + pose[:, None, :, 3]
        depth = seen[..., 2]
        place = (seen @ intrinsics.T)[..., :2] / depth.unsqueeze(-1).clamp_min(1e-3) * (grid / size)
        column, row = place.long().clamp_(0, grid - 1).unbind(-1)
        ray = row * grid + column
        far = torch.zeros(len(pose), grid * grid, device=pose.device)
        # The neighbours that `set` keeps already cover a cell's corners.
        margin = 0.25 * cell.norm()
        # One maximum for both ends: a pool over neighbours then widens them as far as a cell reaches on the rays.
        both = torch.stack([far - 1e6, far])
        both[0].scatter_reduce_(1, ray, -depth, "amax")
        both[1].scatter_reduce_(1, ray, depth, "amax")
        reach = int((margin * intrinsics[0, 0] * (grid / size) / pose[:, 2, 3].amin().clamp_min(1.0)).ceil())
        wide = F.max_pool2d(both.view(2, len(pose), grid, grid), 2 * reach + 1, stride=1, padding=reach)
        return (-wide[0] - margin).to(dtype), (wide[1] + margin).to(dtype)
