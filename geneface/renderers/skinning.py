"""How the head's canonical space goes along with its landmarks, from the first step of a training on."""

import torch
import torch.nn.functional as F
from torch import nn

from geneface.face.ibug68 import LEFT_EYE, LIPS, LOWER_LIP, RIGHT_EYE, UPPER_LIP

FACE_BOX = ((-9.0, -11.5, 1.0), (9.0, 8.5, 14.5))
"""Least and greatest corner of the volume that expressions move, in cm of the head frame."""
NODES = (8, 40, 32)
"""Of the grid on it that displacements are known at, by z, y and x."""
REACH = 3.0
"""cm over which a landmark's motion fades to a third."""
DEPTH, DEEPEST = 1.5, 2.5
"""cm behind the lips at which what shows between them lies at rest, for each cm that they part, and at most."""
GIVE = 0.05
"""How little landmarks that nearly touch are torn apart: added to the diagonal of the interpolation's matrix."""
MOUTH_SIZE, EYE_SIZE = 2.2, 1.7
"""cm, standard deviations of the places round mouth and eyes whose look depends on what these do."""
TAPER = 0.3
"""Share of the face's box, at its border, over which displacements fade."""


class LandmarkSkinning(nn.Module):
    """Interpolates the landmarks' displacements over the face's volume (radial basis functions, exp(-r / REACH)).

    The centres are where the landmarks are now, so that points in the picture are led back to where they lie on the
    resting face; what the landmarks show is followed also where no training frame went.

    Attributes:
        places: [68, 3] cm, the landmarks of the resting face in the head frame.
    """

    places: torch.Tensor
    nodes: torch.Tensor
    box: torch.Tensor
    sizes: torch.Tensor
    fade: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("places", torch.zeros(68, 3))
        box = torch.tensor(FACE_BOX)
        self.register_buffer("box", box, persistent=False)
        self.register_buffer("sizes", torch.tensor([[MOUTH_SIZE], [EYE_SIZE], [EYE_SIZE]]), persistent=False)
        axes = [torch.linspace(-1, 1, count) for count in NODES]
        z, y, x = torch.meshgrid(*axes, indexing="ij")
        unit = torch.stack([x, y, z], dim=-1)
        self.register_buffer("nodes", (box[0] + (unit + 1) / 2 * (box[1] - box[0])).view(-1, 3), persistent=False)
        fade = ((1 - unit.abs()) / TAPER).clamp(0, 1)
        # The face's front is inside of the box; behind, above and below it the head is rigid.
        fade[..., 2] = torch.where(unit[..., 2] > 0, torch.ones_like(unit[..., 2]), fade[..., 2])
        self.register_buffer("fade", fade.prod(-1).view(-1), persistent=False)

    def forward(self, moves: torch.Tensor) -> torch.Tensor:
        """[B, 3, *NODES] cm from a node to where it lies on the resting face; `moves` [B, 68, 3] cm of landmarks."""
        with torch.autocast(moves.device.type, enabled=False):
            now, back = self._centres(moves.float())
            within = torch.exp(torch.cdist(now, now) / -REACH)
            strengths, _ = torch.linalg.solve_ex(within + GIVE * torch.eye(now.shape[1]).to(now), back)
            reach = torch.exp(torch.cdist(self.nodes.float().expand(len(now), -1, -1), now) / -REACH)
            shift = (reach @ strengths) * self.fade[:, None]
        return shift.mT.reshape(-1, 3, *NODES).to(moves.dtype)

    def _centres(self, moves: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, N, 3] each: where known points are, and the way back to where they lie at rest.

        The landmarks, and points between the lips, which come from deeper in the mouth the wider it opens: so that
        teeth and tongue have a place of their own.
        """
        rest = self.places.float()
        now = rest + moves
        between, closed = (now[:, UPPER_LIP] + now[:, LOWER_LIP]) / 2, (rest[UPPER_LIP] + rest[LOWER_LIP]) / 2
        opened = (now[:, UPPER_LIP, 1] - now[:, LOWER_LIP, 1]) - (rest[UPPER_LIP, 1] - rest[LOWER_LIP, 1])
        inward = (DEPTH * opened).clamp(0, DEEPEST)
        inside = closed - between
        inside = torch.cat([inside[..., :2], inside[..., 2:] - inward.unsqueeze(-1)], dim=-1)
        return torch.cat([now, between], dim=1), torch.cat([-moves, inside], dim=1)

    def nearness(self, unit: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
        """[..., 2] of places [..., 3] of the resting head in [-1, 1] of `box` [2, 3]: how near, from 0 to 1, to the
        mouth and to the eyes."""
        middles = torch.stack([self.places[part].mean(0) for part in (LIPS, RIGHT_EYE, LEFT_EYE)]).float()
        half = (box[1] - box[0]).float() / 2
        middles = (middles - box[0]) / half - 1
        steep = (half / self.sizes.float()).square() / -2
        # -steep * |place - middle|^2, multiplied out: one small product for all places.
        factors = torch.cat([-2 * steep * middles, steep], dim=1).T.to(unit.dtype)
        shares = torch.exp(torch.cat([unit, unit.square()], dim=-1) @ factors + (steep * middles.square()).sum(1))
        return torch.cat([shares[..., :1], shares[..., 1:].amax(-1, keepdim=True)], dim=-1).to(unit.dtype)

    def sample(self, volume: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """[B, R, S, C] of a volume [B, C, *NODES] over the face's box at points [B, R, S, 3] cm; 0 outside."""
        unit = (points - self.box[0]) / (self.box[1] - self.box[0]) * 2 - 1
        return F.grid_sample(volume, unit.unsqueeze(1), align_corners=True).squeeze(2).permute(0, 2, 3, 1)
