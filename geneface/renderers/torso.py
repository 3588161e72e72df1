"""How a torso moves in the picture: with the head's pose, and of itself, as in breathing."""

import torch
import torch.nn.functional as F
from torch import nn

from geneface.renderers.condition import POSE_SIZE

BODY_SIZE = 8
"""Numbers that say how the torso lies, beyond what the head's pose tells."""

LEAST_WEIGHT = 0.02
RIDGE = 1e-2


class TorsoMotion(nn.Module):
    """Displacements on a grid of cells, linear in the head's pose and in a few numbers of the body's own.

    Both are found from the optical flow of a person's video and refined with the renderer.
    """

    modes: torch.Tensor
    pose_part: torch.Tensor
    mean: torch.Tensor

    def __init__(self, cells: int = 16):
        super().__init__()
        self.by_pose = nn.Parameter(torch.zeros(POSE_SIZE, 2, cells, cells))
        self.by_body = nn.Parameter(torch.zeros(BODY_SIZE, 2, cells, cells))
        self.register_buffer("mean", torch.zeros(2, cells, cells))
        self.register_buffer("pose_part", torch.zeros(POSE_SIZE, 2, cells, cells))
        self.register_buffer("modes", torch.zeros(BODY_SIZE, 2, cells, cells))

    def forward(self, turn: torch.Tensor, body: torch.Tensor) -> torch.Tensor:
        """[B, 2, cells, cells] half sides of the picture, from turns [B, 6] and bodies [B, 8]."""
        return torch.einsum("bk,kcyx->bcyx", turn, self.by_pose) + torch.einsum("bk,kcyx->bcyx", body, self.by_body)

    @torch.no_grad()
    def fit(self, flow: torch.Tensor, weight: torch.Tensor, turn: torch.Tensor) -> None:
        """Set all from a person's training frames.

        Args:
            flow: [T, cells, cells, 2] and `weight` [T, cells, cells], of `preprocessing.torso.torso_flow`.
            turn: [T, 6], `condition.pose_vector`.
        """
        flow, weight, turn = flow.permute(0, 3, 1, 2).double(), weight.double(), turn.double()
        known = torch.cat([turn, torch.ones_like(turn[:, :1])], dim=1)
        ridge = RIDGE * torch.eye(POSE_SIZE + 1).to(known)
        hessian = torch.einsum("tyx,ti,tj->yxij", weight, known, known) + ridge
        moments = torch.einsum("tyx,ti,tcyx->yxic", weight, known, flow)
        fitted = torch.linalg.solve(hessian, moments).permute(2, 3, 0, 1)
        near = weight.mean(0)
        fitted = _filled(fitted, near)
        self.by_pose.copy_(fitted[:-1])
        self.pose_part.copy_(fitted[:-1])
        self.mean.copy_(fitted[-1])
        rest = self._rest(flow, turn)
        root = (weight / weight.amax().clamp_min(1e-6)).sqrt().unsqueeze(1)
        left, scales, _ = torch.linalg.svd((rest * root).flatten(1), full_matrices=False)
        body = torch.zeros(len(flow), BODY_SIZE).to(rest)
        count = min(BODY_SIZE, len(scales))
        body[:, :count] = left[:, :count] * len(flow) ** 0.5
        hessian = torch.einsum("tyx,ti,tj->yxij", weight, body, body) + RIDGE * torch.eye(BODY_SIZE).to(body)
        moments = torch.einsum("tyx,ti,tcyx->yxic", weight, body, rest)
        modes = _filled(torch.linalg.solve(hessian, moments).permute(2, 3, 0, 1), near)
        self.modes.copy_(modes)
        self.by_body.copy_(modes)

    @torch.no_grad()
    def body(self, flow: torch.Tensor, weight: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """[T, 8], of about unit variance: what of the flow the pose does not tell; arguments as of `fit`."""
        flow, weight, turn = flow.permute(0, 3, 1, 2).double(), weight.double(), turn.double()
        modes = self.modes.double()
        hessian = torch.einsum("tyx,icyx,jcyx->tij", weight, modes, modes)
        scale = hessian.diagonal(dim1=1, dim2=2).mean().clamp_min(1e-9)
        moments = torch.einsum("tyx,icyx,tcyx->ti", weight, modes, self._rest(flow, turn))
        found = torch.linalg.solve(hessian + RIDGE * scale * torch.eye(BODY_SIZE).to(modes), moments)
        return found.float().clamp(-4, 4)

    def _rest(self, flow: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        told = torch.einsum("tk,kcyx->tcyx", turn, self.pose_part.double())
        return flow - told - self.mean.double()


def _filled(fields: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Fields [..., H, W] with those cells that know little taken from around them."""
    flat = fields.flatten(0, 1).unsqueeze(1)
    known = weight.clamp_max(LEAST_WEIGHT)[None, None]
    kernel = torch.ones(1, 1, 3, 3).to(flat)
    total, share = flat * known, known
    for _ in range(max(fields.shape[-2:])):
        around, near = F.conv2d(total, kernel, padding=1), F.conv2d(share, kernel, padding=1)
        lack = (1 - share / LEAST_WEIGHT).clamp_min(0)
        total = total + lack * LEAST_WEIGHT * around / near.clamp_min(1e-9) * (near > 0)
        share = torch.where(near > 0, share + lack * LEAST_WEIGHT, share)
    return (total / share.clamp_min(1e-9)).squeeze(1).view_as(fields)
