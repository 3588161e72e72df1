"""Phonemes from audio features: what the extractor was trained with, and what aligns recordings to their text."""

from typing import ClassVar

import torch
from torch import nn

from geneface.bundle import Component
from geneface.config import WIDTH
from geneface.face.phonemes import INVENTORY

BLANK = len(INVENTORY)


class PhonemeHead(Component):
    """Features [B, N, D] -> logits [B, N, classes]: for CTC (the last class is the blank), and of each feature's own
    phoneme."""

    slot: ClassVar = "training"
    ranges: ClassVar = {"feature_size": WIDTH}

    def __init__(self, feature_size: int):
        super().__init__()
        self.ctc = nn.Linear(feature_size, len(INVENTORY) + 1)
        self.timed = nn.Linear(feature_size, len(INVENTORY))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.ctc(features), self.timed(features)
