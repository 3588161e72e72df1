"""Phonemes from audio features: what the extractor was trained with, and what aligns recordings to their text."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import Component
from geneface.face.phonemes import INVENTORY
from geneface.utils.config import WIDTH

BLANK = len(INVENTORY)
BILABIALS, DENTALS = ([INVENTORY.index(phoneme) for phoneme in phonemes] for phonemes in ("pbm", "fv"))
UNLIKELY, SURE = 0.12, 0.4
"""Probabilities of a bilabial, by CTC's part of the head, at which lips begin to close for it, and must meet."""
TO_TEETH = 0.5
"""How far the mouth closes for f and v: the lower lip reaches the upper teeth, and they stay to be seen."""


class PhonemeHead(Component):
    """Features [B, N, D] -> logits [B, N, classes]: for CTC (the last class is the blank), and of each feature's own
    phoneme.

    Two linear layers on the features as they are, or on what a convolution over `2 * reach + 1` of them hears.
    """

    slot: ClassVar = "phoneme_head"
    ranges: ClassVar = {"feature_size": WIDTH, "channels": (0, 4096), "reach": (0, 25)}

    def __init__(self, feature_size: int, channels: int = 0, reach: int = 0):
        """`channels` of the convolution; 0 is none. `reach`: features that it hears on each side."""
        super().__init__()
        self.feature_size, self.reach = feature_size, reach
        self.convolution = nn.Conv1d(feature_size, channels, 2 * reach + 1, padding=reach) if channels else None
        self.norm = nn.LayerNorm(channels) if channels else None
        self.ctc = nn.Linear(channels or feature_size, len(INVENTORY) + 1)
        self.timed = nn.Linear(channels or feature_size, len(INVENTORY))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.convolution is not None and self.norm is not None:
            features = functional.gelu(self.norm(self.convolution(features.mT).mT))
        return self.ctc(features), self.timed(features)

    def closures(self, features: torch.Tensor) -> torch.Tensor:
        """How far the mouth must close, [N] of 0 to 1, at each of features [N, D]: wholly for p, b and m."""
        heard = self(features[None])[0][0].softmax(-1)
        heard = torch.stack([heard[:, phonemes].sum(-1) for phonemes in (BILABIALS, DENTALS)])
        meet, to_teeth = ((heard - UNLIKELY) / (SURE - UNLIKELY)).clamp(0, 1)
        return torch.maximum(meet, TO_TEETH * to_teeth)
