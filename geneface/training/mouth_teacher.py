"""What the teacher's features say of the whole mouth: a few small regressions, and their mean.

The tracked faces are few; the regressions carry what they know over to all the speech that there is.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.datasets.motion import MotionData
from geneface.models.speech_regression import SpeechRegression
from geneface.motion.lips import mouth_opening
from geneface.utils.config import WIDTH

COMPONENTS = 16
LIPS_WEIGHT = 3.0
STILL = 0.03
"""cm: a standard deviation of the opening under which the mouth does not speak."""


class MouthTeacher(Component):
    """Teacher's features [B, 2T, D] -> LM3D [B, T, 68, 3] of the mean identity.

    Buffers: `mean` [68, 3] and `basis` [K, 68, 3], principal components, each of the size that it moves.
    """

    slot: ClassVar = "training"
    ranges: ClassVar = {"feature_size": WIDTH, "count": (1, 100)}
    mean: torch.Tensor
    basis: torch.Tensor

    def __init__(self, feature_size: int, count: int = 6):
        super().__init__()
        self.nets = nn.ModuleList(SpeechRegression(feature_size, COMPONENTS) for _ in range(count))
        self.register_buffer("mean", torch.zeros(68, 3))
        self.register_buffer("basis", torch.zeros(COMPONENTS, 68, 3))

    def components(self, features: torch.Tensor) -> torch.Tensor:
        """[B, T, K], of about unit variance: the mean of all regressions."""
        return torch.stack([net(features) for net in self.nets]).mean(dim=0)

    def lm3d(self, components: torch.Tensor) -> torch.Tensor:
        return self.mean + torch.einsum("btk,kpc->btpc", components, self.basis)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.lm3d(self.components(features))


def principal_components(lm3d: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean [68, 3] and basis [count, 68, 3] of LM3D [N, 68, 3]; lips count for more."""
    weights = torch.ones(68, 1)
    weights[48:] = LIPS_WEIGHT
    mean = lm3d.mean(dim=0)
    centred = ((lm3d - mean) * weights).flatten(1)
    _, scale, basis = torch.linalg.svd(centred, full_matrices=False)
    sizes = scale[:count] / len(lm3d) ** 0.5
    return mean, (basis[:count] * sizes[:, None]).unflatten(1, (68, 3)) / weights


def shape_error(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """1 - r of curves [B, T], mean over those that move."""
    moves = (wanted.std(dim=1) > STILL).float()
    found, wanted = found - found.mean(1, keepdim=True), wanted - wanted.mean(1, keepdim=True)
    return ((1 - functional.cosine_similarity(found, wanted)) * moves).sum() / moves.sum().clamp_min(1)


def train_mouth_teacher(
    data: MotionData,
    mean_landmarks: torch.Tensor,
    device: torch.device,
    count: int = 6,
    steps: int = 140,
    batch_size: int = 32,
    seed: int = 0,
) -> MouthTeacher:
    """`data`: windows of the teacher's features and LM3D. Few steps: the speakers are soon learned by heart."""
    some = data.draw(600, np.random.default_rng(seed))["lm3d"].flatten(0, 1)
    torch.manual_seed(seed)
    teacher = MouthTeacher(data.feature_size, count)
    mean, basis = principal_components(some, COMPONENTS)
    teacher.mean.copy_(mean)
    teacher.basis.copy_(basis)
    teacher.to(device)
    closed = mean_landmarks.to(device)
    weights = torch.ones(68, 1, device=device)
    weights[48:] = LIPS_WEIGHT
    scale = some.std(dim=0).clamp_min(0.02).to(device)

    for number, net in enumerate(teacher.nets):
        optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
        for step in range(steps):
            batch = data.draw(batch_size, np.random.default_rng([seed, number, step]))
            wanted = batch["lm3d"].to(device)
            found = teacher.lm3d(net(batch["features"].to(device)))
            error = (weights * ((found - wanted) / scale).abs()).mean()
            loss = error + shape_error(mouth_opening(found + closed), mouth_opening(wanted + closed))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return teacher.eval().requires_grad_(False)
