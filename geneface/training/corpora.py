"""What the trainings of the generic models share: corpora, the feature extractor, the face model."""

from dataclasses import dataclass, field

import torch

from geneface.bundles.loading import trained_component
from geneface.datasets.motion import MotionData, open_corpora
from geneface.face.face_model import FaceModel
from geneface.models.features import AudioFeatures
from geneface.training.loop import LoopConfig
from geneface.training.motion_figures import HeldOut, held_out_clips


@dataclass
class CorporaConfig(LoopConfig):
    """Settings of a training on windows of audio features and LM3D."""

    feature_extractor: str = "runs/feature_extractor/model"
    """A folder, or the settings of one that has nothing to learn."""
    face_model: str = "runs/face_model.safetensors"
    corpora: list[str] = field(default_factory=list)
    """Folders with tracked or simulated clips."""
    copies: int = 3
    """Copies of each clip with changed sound."""
    real_share: float = 0.5
    """Share of tracked clips among those drawn."""
    window: int = 128
    """Frames that are drawn together."""


class Corpora:
    """The training part as windows, the dev part as whole clips."""

    def __init__(self, config: CorporaConfig, device: torch.device):
        self.folders = config.corpora
        self.face = FaceModel.load(config.face_model)
        extractor = trained_component(config.feature_extractor)
        self.extractor: AudioFeatures = extractor.to(device)
        self.train = MotionData(
            open_corpora(config.corpora, "train"),
            self.face,
            self.extractor,
            config.copies,
            config.window,
            config.real_share,
            config.seed,
        )

    def held_out(self, split: str = "dev") -> dict[str, list[HeldOut]]:
        return held_out_clips(open_corpora(self.folders, split), self.face, self.extractor)
