"""What is known of a head before its video: it is solid where the fitted face model is, and empty before a face."""

import torch

from geneface.face.solid import BOX, SOLID
from geneface.renderers.fast import FastRenderer

LAYER = 0.5
"""cm, of whose opacity the prior speaks."""
PLACES = 1024
"""Of a step and frame, at which solidity is asked."""


class HeadPrior:
    """A loss that needs no picture.

    Args:
        volume: Of `face.solid.head_volume`, in a person dataset.
        box: [2, 3] cm, of the renderer.
    """

    def __init__(self, volume: torch.Tensor, box: torch.Tensor):
        index = volume.nonzero()
        corners = torch.from_numpy(BOX).float()
        places = corners[0] + index.flip(-1) / (torch.tensor(volume.shape).flip(0) - 1) * (corners[1] - corners[0])
        self.places = ((places - box[0].cpu()) / (box[1] - box[0]).cpu() * 2 - 1).to(box.device)
        self.solid = (volume[tuple(index.T)] == SOLID).to(box.device)

    def error(self, renderer: FastRenderer, windows: torch.Tensor) -> torch.Tensor:
        """Mean error of the opacity of `LAYER` at places of the resting head where it is known."""
        codes = renderer.condition(renderer.condition.noisy(windows))
        index = torch.randint(len(self.places), (len(codes) * PLACES,), device=self.places.device)
        _, density = renderer.field(self.places[index].view(len(codes), PLACES, 1, 3), codes, None)
        opacity = 1 - torch.exp(-LAYER * density.float())
        return torch.where(self.solid[index].view_as(opacity), 1 - opacity, opacity).mean()
