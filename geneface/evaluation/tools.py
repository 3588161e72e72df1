"""What evaluating needs beside the videos: a landmark detector, a parser, a face model, our sync-expert."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from geneface.errors import InputError
from geneface.face.landmarks import FaceDetector, LandmarkDetector
from geneface.hub import assets

if TYPE_CHECKING:
    from geneface.datasets.in_step import Judge
    from geneface.evaluation.inception import Inception
    from geneface.evaluation.lpips import LPIPS
    from geneface.evaluation.syncnet import SyncNet
    from geneface.face.face_model import FaceModel
    from geneface.models.features import AudioFeatures
    from geneface.models.sync_expert import SyncExpert


T = TypeVar("T")


class Parser(Protocol):
    def shares(self, picture: np.ndarray) -> np.ndarray:
        """uint8 RGB [H, W, 3], square -> float32 [128, 128, 2]: how much of each cell is head, and torso."""
        ...


@dataclass(frozen=True)
class Tools:
    """What is None is not at hand; `missing` says what its figures need."""

    detector: Callable[[], FaceDetector]
    """Makes one for each video."""
    parser: Parser | None = None
    face: "FaceModel | None" = None
    extractor: "AudioFeatures | None" = None
    expert: "SyncExpert | None" = None
    lpips: "LPIPS | None" = None
    inception: "Inception | None" = None
    syncnet: "SyncNet | None" = None
    judge: "Judge | None" = None
    missing: dict[str, str] = field(default_factory=dict)
    """Name of a tool -> what its figures need."""


def open_tools(assets_folder: str | Path | None = None) -> Tools:
    """Those that are at hand or can be fetched; only without a landmark detector nothing can be done."""
    from geneface.bundles.loading import trained_component
    from geneface.datasets.in_step import Judge
    from geneface.evaluation.inception import Inception
    from geneface.evaluation.lpips import LPIPS
    from geneface.evaluation.syncnet import SyncNet
    from geneface.face.face_model import FaceModel
    from geneface.face.parsing import FaceParser
    from geneface.hub.persons import PERSONS_DIR
    from geneface.models.sync_expert import SyncExpert

    landmarker = assets.get_asset(assets.FACE_LANDMARKER, assets_folder)
    with LandmarkDetector(landmarker):
        pass
    missing: dict[str, str] = {}

    def attempt(name: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except InputError as error:
            missing[name] = str(error)
            return None

    folder = assets.assets_folder(assets_folder)
    generic = PERSONS_DIR / "generic"
    return Tools(
        lambda: LandmarkDetector(landmarker),
        attempt("parser", lambda: FaceParser(assets.get_asset(assets.FACE_PARSER, assets_folder))),
        attempt("face", lambda: FaceModel.load(assets.get_asset(assets.FACE_MODEL, assets_folder))),
        attempt("extractor", lambda: trained_component(generic / "feature_extractor")),
        attempt("expert", lambda: SyncExpert.from_pretrained(generic / "sync_expert")),
        attempt("lpips", lambda: LPIPS.load(folder / "lpips_alex.safetensors")),
        attempt("inception", lambda: Inception.load(folder / "fid_inception.safetensors")),
        attempt("syncnet", lambda: SyncNet.load(folder / "syncnet_v2.safetensors")),
        attempt("judge", lambda: Judge(generic)),
        missing,
    )
