"""Where sound and picture of a clip belong together: the offset at which a judge hears what is seen."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from geneface import metrics
from geneface.bundles.loading import trained_component
from geneface.datasets.motion import features_of
from geneface.models.features import AudioFeatures, check_features
from geneface.models.speech_regression import SpeechRegression

OFFSETS = range(-8, 9)
"""Frames by which the picture may be early: the mouth of frame t belongs to the sound of frame t + offset."""
FAR = 5
"""Frames from where on sound and picture say nothing about one another."""
SURE = 0.25
"""By how much r is larger at an offset than far from it, if the offset is to be trusted."""
FEWEST = 25
"""Frames of which an r says something."""


class Agreement(NamedTuple):
    """Of sound and picture."""

    offset: int
    r: float
    """Of the mouth opening with what the sound lets expect, there."""
    margin: float
    """By how much that is more than r far from there."""

    @property
    def is_sure(self) -> bool:
        return self.margin >= SURE and abs(self.offset) < max(OFFSETS)

    @property
    def said(self) -> str:
        if not self.is_sure:
            return f"whether sound and picture are in step cannot be told (r {self.r:.2f}, margin {self.margin:.2f})"
        count = f"{abs(self.offset)} frame{'s' * (abs(self.offset) != 1)}"
        found = f"the picture is {count} {'early' if self.offset > 0 else 'late'}" if self.offset else "in step"
        return f"sound and picture: {found} (r {self.r:.2f}, margin {self.margin:.2f})"

    def to_json(self) -> dict[str, Any]:
        return {
            "offset_frames": self.offset,
            "r": round(self.r, 4),
            "margin": round(self.margin, 4),
            "sure": self.is_sure,
        }


class Judge:
    """The regression that ships with the generic models, and the features it was trained on."""

    def __init__(self, generic: Path, extractor: AudioFeatures | None = None):
        self.extractor: AudioFeatures = extractor or trained_component(generic / "feature_extractor")
        self.regression = SpeechRegression.from_pretrained(generic / "mouth_judge")
        check_features(self.extractor, self.regression, "mouth judge")

    @torch.no_grad()
    def expects(self, samples: np.ndarray) -> np.ndarray:
        """The mouth opening [T] that samples [N] at 16 kHz let expect, in cm."""
        features = features_of(samples, self.extractor).float()
        return self.regression(features[None])[0, :, 0].cpu().numpy()


def agreement_curve(seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """r at each of `OFFSETS` of the mouth opening seen [T] and of that expected from the sound [T]."""
    frames = min(len(seen), len(expected))
    found = []
    for offset in OFFSETS:
        here, there = max(0, -offset), max(0, offset)
        count = frames - abs(offset)
        enough = count >= FEWEST
        found.append(metrics.pearson(seen[here : here + count], expected[there : there + count]) if enough else 0.0)
    return np.array(found)


def best_offset(curve: np.ndarray) -> Agreement:
    """Of a curve by `agreement_curve`."""
    offsets = np.array(OFFSETS)
    best = int(curve.argmax())
    far = np.abs(offsets - offsets[best]) >= FAR
    return Agreement(int(offsets[best]), float(curve[best]), float(curve[best] - np.median(curve[far])))
