"""Lays a rendered mouth over the source's picture, and leaves everything else of it as it is.

Everything happens in the square that the face was tracked in, 512 pixels a side; the patch alone is brought to the
source's own pixels.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from geneface.face.crop import SIZE, Crop
from geneface.face.ibug68 import CHIN, LIPS, MOUTH_TOP, NOSE_BASE, NOSE_ROOT

JAWS = slice(4, 13)
CHIN_MARGIN, CHEEK_INSET = 1.10, 0.45
"""How far below the chin the region reaches, as a part of its distance from the nose; and how far from the jaw's edge
to the nose its upper corners lie."""
FEATHER = 0.035
"""Sigma of the region's edge, in heights of the face."""
LIGHT, MOST_LIGHT = 14.0, 0.16
"""Light is carried over in patches of this sigma, in pixels, and by no more than this."""
HIDDEN_SIGMA, HIDDEN_FROM, HIDDEN_TO = 4.0, 0.14, 0.22
"""What differs by so much from the face that should be there, in patches of this sigma, lies before it."""
HIDDEN_MOUTH = 0.5
"""A mouth around which this part is hidden keeps its own picture."""
LINGER = 0.5
"""How much of what was hidden is taken for hidden in the next picture, too."""


@dataclass
class Blender:
    """Works through the pictures of a shot in order.

    Attributes:
        hidden: [1, 1, 512, 512] of 0 to 1: what lay before the face in the picture before.
    """

    crop: Crop
    hidden: torch.Tensor = field(default_factory=lambda: torch.zeros(1, 1, SIZE, SIZE))

    def blend(
        self, picture: np.ndarray, own: torch.Tensor, made: torch.Tensor, points: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """The dubbed picture uint8 [H, W, 3]; where the region ends, `picture` as it is.

        Args:
            picture: The source's, uint8 [H, W, 3].
            own, made: [3, 512, 512] in [0, 1], the person rendered as the source shows them, and with another mouth.
            points: Landmarks [68, 2] in pixels of the square, of the source and of `made`.
        """
        grid = _grid(self.crop, picture.shape[0], picture.shape[1])
        source = _sample(picture, grid)
        height = float(np.linalg.norm(points[0][CHIN] - points[0][NOSE_ROOT]))
        region = blur(_drawn([_lower_face(each) for each in points]), FEATHER * height)
        skin = 1 - blur(_drawn([_around_lips(each) for each in points]), 2.0)
        difference = source - own[None]
        shown = self._shown(difference, skin, region)
        trusted = skin * shown
        light = blur(difference * trusted, LIGHT) / blur(trusted, LIGHT).clamp_min(0.05)
        patch = made[None] + light.clamp(-MOST_LIGHT, MOST_LIGHT)
        return _laid(picture, patch.clamp(0, 1), region * shown, self.crop)

    def _shown(self, difference: torch.Tensor, skin: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
        """[1, 1, 512, 512]: 0 where a hand or a microphone lies before the face."""
        seen = blur(skin, HIDDEN_SIGMA)
        strange = (blur(difference * skin, HIDDEN_SIGMA) / seen.clamp_min(0.05)).abs().amax(1, keepdim=True)
        hidden = ((strange - HIDDEN_FROM) / (HIDDEN_TO - HIDDEN_FROM)).clamp(0, 1) * (seen > 0.2)
        hidden = torch.maximum(blur(hidden, HIDDEN_SIGMA), LINGER * self.hidden)
        around = region * skin
        if float((hidden * around).sum() / around.sum().clamp_min(1)) > HIDDEN_MOUTH:
            hidden = torch.ones_like(hidden)
        self.hidden = hidden
        return 1 - hidden


def _lower_face(points: np.ndarray) -> np.ndarray:
    """Corners [n, 2] of the region: from under the nose along the cheeks to below the chin."""
    nose = points[NOSE_BASE] * 0.75 + points[MOUTH_TOP] * 0.25
    jaw = points[JAWS]
    reach = np.interp(np.abs(np.arange(len(jaw)) - len(jaw) // 2), (1, 3, 4), (CHIN_MARGIN, 1.0, 0.95))
    jaw = nose + (jaw - nose) * reach[:, None]
    corners = [nose + (points[side] - nose) * (1 - CHEEK_INSET) for side in (3, 13)]
    return np.array([nose, corners[0], *jaw, corners[1]])


def _around_lips(points: np.ndarray) -> np.ndarray:
    lips = points[LIPS][:12]
    middle = lips.mean(0)
    return middle + (lips - middle) * 1.15


def _drawn(shapes: list[np.ndarray]) -> torch.Tensor:
    """[1, 1, 512, 512]: 1 within any of the polygons [n, 2]."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (SIZE, SIZE))
    for shape in shapes:
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in shape.tolist()], fill=1)
    return torch.from_numpy(np.array(picture, np.float32))[None, None]


def blur(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """[B, C, H, W] through a Gaussian, wide ones in a smaller picture."""
    scale = max(1, int(sigma // 4))
    small = F.avg_pool2d(pictures, scale) if scale > 1 else pictures
    reach = max(1, round(3 * sigma / scale))
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / (sigma / scale)) ** 2)
    kernel = (kernel / kernel.sum()).repeat(pictures.shape[1], 1, 1)
    for dim in (2, 3):
        weights = kernel.unsqueeze(5 - dim)
        pad = [0, 0, reach, reach] if dim == 2 else [reach, reach, 0, 0]
        small = F.conv2d(F.pad(small, pad, mode="replicate"), weights, groups=pictures.shape[1])
    if scale == 1:
        return small
    return F.interpolate(small, size=pictures.shape[2:], mode="bilinear", align_corners=False)


def _grid(crop: Crop, height: int, width: int) -> torch.Tensor:
    """[1, 512, 512, 2]: where the square's pixels lie in the source, as `grid_sample` wants it."""
    centres = (torch.arange(SIZE) + 0.5) * crop.side / SIZE
    across, down = (crop.left + centres) * 2 / width - 1, (crop.top + centres) * 2 / height - 1
    return torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)[None]


def _sample(picture: np.ndarray, grid: torch.Tensor) -> torch.Tensor:
    whole = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    return F.grid_sample(whole, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _laid(picture: np.ndarray, patch: torch.Tensor, region: torch.Tensor, crop: Crop) -> np.ndarray:
    """`picture` with the patch [1, 3, 512, 512] laid over it where the region [1, 1, 512, 512] is over 1/255."""
    rows, columns = (region[0, 0].amax(dim) > 1 / 255 for dim in (1, 0))
    if not bool(rows.any()):
        return picture
    scale = crop.side / SIZE
    box = []
    for used, start, limit in ((rows, crop.top, picture.shape[0]), (columns, crop.left, picture.shape[1])):
        first, last = (int(used.nonzero()[place]) for place in (0, -1))
        box.append((max(int(start + first * scale), 0), min(int(start + (last + 1) * scale) + 1, limit)))
    (top, bottom), (left, right) = box
    down = ((torch.arange(top, bottom) + 0.5 - crop.top) / crop.side) * 2 - 1
    across = ((torch.arange(left, right) + 0.5 - crop.left) / crop.side) * 2 - 1
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)[None].float()
    fine = F.grid_sample(patch, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)
    share = F.grid_sample(region, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    weight = torch.where(share > 1 / 255, share, 0.0)[0].permute(1, 2, 0).numpy()
    result = picture.copy()
    part = picture[top:bottom, left:right].astype(np.float32)
    mixed = part + (fine[0].permute(1, 2, 0).numpy() * 255 - part) * weight
    result[top:bottom, left:right] = np.rint(mixed).astype(np.uint8)
    return result
