"""Phonemes from audio features: what the extractor was trained with, and what aligns recordings to their text."""

from typing import ClassVar

import torch
from torch import nn

from geneface.bundles.component import Component
from geneface.face.phonemes import INVENTORY
from geneface.utils.config import WIDTH

BLANK = len(INVENTORY)
BILABIALS = [INVENTORY.index(phoneme) for phoneme in ("p", "b", "m")]
UNLIKELY, SURE = 0.08, 0.3
"""Probabilities of a bilabial, by CTC's part of the head, at which lips begin to close for it, and must meet."""


class PhonemeHead(Component):
    """Features [B, N, D] -> logits [B, N, classes]: for CTC (the last class is the blank), and of each feature's own
    phoneme."""

    slot: ClassVar = "phoneme_head"
    ranges: ClassVar = {"feature_size": WIDTH}

    def __init__(self, feature_size: int):
        super().__init__()
        self.ctc = nn.Linear(feature_size, len(INVENTORY) + 1)
        self.timed = nn.Linear(feature_size, len(INVENTORY))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.ctc(features), self.timed(features)

    def closures(self, features: torch.Tensor) -> torch.Tensor:
        """How surely the lips must meet, [N] of 0 to 1, at each of features [N, D]: for p, b and m."""
        heard = self.ctc(features).softmax(-1)[:, BILABIALS].sum(-1)
        return ((heard - UNLIKELY) / (SURE - UNLIKELY)).clamp(0, 1)
