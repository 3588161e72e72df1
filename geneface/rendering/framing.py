"""The person in pictures that are no squares: where the square lies in them, and what goes on around it."""

import torch
import torch.nn.functional as F

from geneface.options import GenerationOptions
from geneface.rendering.backdrop import background_picture
from geneface.rendering.renderer import Renderer, Rendering

PLACES = {"9:16": (1.5, 0.0), "16:9": (1.04, 0.03)}
"""Side of the person's square, in shorter sides of the picture, and the part of it below the lower edge."""
FALL = 0.5, 2.5
"""How a shoulder goes on that leaves the square at its side: down by this part of the way, and of its square."""
BLUR, CLEAR, BLURRED = 0.05, 0.06, 0.1
"""Of the mirrored background beyond the square: how far it is blurred, from where inside, up to where outside; in
squares."""


class Framing:
    """Lays renderings into pictures of another shape, at their final size.

    The person is scaled and stands on the lower edge. The person's own background keeps its place around the person,
    and is mirrored, blurred, where it ends; another one fills the picture. Where a shoulder leaves the square at a
    side, it goes on and falls off, instead of ending in an upright edge.
    """

    def __init__(self, options: GenerationOptions, renderer: Renderer):
        self.width, self.height = options.frame_size(renderer.size)
        zoom, below = PLACES[options.shape]
        self.side = round(zoom * min(self.width, self.height))
        self.left = (self.width - self.side) // 2
        self.top = self.height - round(self.side * (1 - below))
        self.ground: torch.Tensor | None = None
        if not options.transparent:
            ground = background_picture(options.background, self.width, self.height)
            if ground is None:
                ground = self._continued(renderer.scene.background.cpu().float() / 255)
            self.ground = ground.to(renderer.device)
        self._strips = [
            *map(self._strip, ((0, max(self.left, 0), 0), (self.left + self.side, self.width, self.side - 1)))
        ]

    @torch.no_grad()
    def __call__(self, rendering: Rendering) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Pictures [B, 3, H, W] on the background; or with opacity [B, 1, H, W] that they are multiplied by.

        Args:
            rendering: On black, so that its colours are multiplied by its opacity.
        """
        person = torch.cat([rendering.rgb.float(), rendering.alpha.float()], dim=1)
        if self.side != person.shape[-1]:
            person = F.interpolate(person, size=(self.side, self.side), mode="bicubic", antialias=True).clamp_(0, 1)
        laid = person.new_zeros(len(person), 4, self.height, self.width)
        x, y = max(self.left, 0), max(self.top, 0)
        part = person[:, :, y - self.top :, x - self.left :][:, :, : self.height - y, : self.width - x]
        laid[:, :, y : y + part.shape[2], x : x + part.shape[3]] = part
        for place, column, rows, seen in self._strips:
            edge = person[..., column]
            if len(place) and edge[:, 3].max() > 0.02:
                laid[..., place] = edge[..., rows.to(edge.device)] * seen.to(edge.device)
        colours, alpha = laid[:, :3], laid[:, 3:]
        if self.ground is None:
            return colours, alpha
        return colours + (1 - alpha) * self.ground, None

    def _strip(self, where: tuple[int, int, int]) -> tuple[torch.Tensor, int, torch.Tensor, torch.Tensor]:
        """Beside the square: columns of the picture, the square's nearest column, its row for each pixel, and whether
        there is one."""
        first, last, column = where
        place = torch.arange(first, max(first, last))
        away = (place - (self.left + column)).abs() / self.side
        fall = (FALL[0] * away + FALL[1] * away**2) * self.side
        rows = (torch.arange(self.height)[:, None] - self.top - fall[None]).round().long()
        return place, column, rows.clamp(0, self.side - 1), ((rows >= 0) & (rows < self.side)).float()

    def _continued(self, background: torch.Tensor) -> torch.Tensor:
        """[3, H, W] of the scene without the person, [3, S, S] in [0, 1]."""
        x = (torch.arange(self.width) + 0.5 - self.left) / self.side
        y = (torch.arange(self.height) + 0.5 - self.top) / self.side
        grid = torch.stack(torch.meshgrid(2 * x - 1, 2 * y - 1, indexing="xy"), dim=-1)[None]
        sharp = F.grid_sample(background[None], grid, "bicubic", "reflection", align_corners=False).clamp(0, 1)
        beyond = torch.maximum((x - 0.5).abs()[None], (y - 0.5).abs()[:, None]) - 0.5
        weight = ((beyond + CLEAR) / (CLEAR + BLURRED)).clamp(0, 1)
        return torch.lerp(sharp, _blurred(sharp, BLUR * self.side), weight * weight * (3 - 2 * weight))[0]


def _blurred(picture: torch.Tensor, sigma: float) -> torch.Tensor:
    """[1, 3, H, W] by a Gaussian of so many pixels, which at most reaches over the whole picture."""
    for dim in (2, 3):
        reach = min(round(3 * sigma), picture.shape[dim] - 1)
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
        kernel = (weights / weights.sum()).view(1, 1, *((-1, 1) if dim == 2 else (1, -1))).repeat(3, 1, 1, 1)
        pads = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
        picture = F.conv2d(F.pad(picture, pads, mode="reflect"), kernel, groups=3)
    return picture
