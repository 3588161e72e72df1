from pathlib import Path

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.face.ibug68 import LIP_GAPS
from geneface.face.landmarks import (
    MEDIAPIPE_68,
    MEDIAPIPE_BLENDSHAPES,
    FaceAlignmentDetector,
    LandmarkDetector,
    expression_from_blendshapes,
    nearest_valid,
)
from geneface.metrics import MEDIAPIPE_LIPS


def test_the_map_names_each_point_once_and_agrees_with_the_measures() -> None:
    assert len(MEDIAPIPE_68) == len(set(MEDIAPIPE_68.tolist())) == 68
    pairs = {frozenset((int(MEDIAPIPE_68[a]), int(MEDIAPIPE_68[b]))) for a, b in LIP_GAPS}
    assert pairs == {frozenset(pair) for pair in MEDIAPIPE_LIPS}
    assert len(MEDIAPIPE_BLENDSHAPES) == 52


def test_scores_go_to_the_expressions_of_their_names() -> None:
    scores = np.zeros((1, 52), np.float32)
    scores[0, MEDIAPIPE_BLENDSHAPES.index("jawOpen")] = 0.1
    scores[0, MEDIAPIPE_BLENDSHAPES.index("mouthSmileRight")] = 0.2
    scores[0, MEDIAPIPE_BLENDSHAPES.index("browInnerUp")] = 0.3
    names = ("mouthSmile_L", "mouthSmile_R", "jawOpen", "browInnerUp_L", "browInnerUp_R", "PupilDilate_L")
    np.testing.assert_allclose(expression_from_blendshapes(scores, names), [[0, 0.2, 0.1, 0.3, 0.3, 0]], atol=1e-7)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"face_landmarker\.task"):
        LandmarkDetector(tmp_path / "nothing.task")


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "mediapipe", None)
    (tmp_path / "face_landmarker.task").write_bytes(b"")
    with pytest.raises(InputError, match="pip install"):
        LandmarkDetector(tmp_path / "face_landmarker.task")


def test_face_alignment_is_the_other_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import SimpleNamespace

    found = [np.ones((68, 2)), np.arange(136.0).reshape(68, 2)]
    network = SimpleNamespace(get_landmarks_from_image=lambda picture: found if picture.any() else None)
    package = SimpleNamespace(
        FaceAlignment=lambda kind, device, flip_input: network, LandmarksType=SimpleNamespace(TWO_D=1)
    )
    monkeypatch.setitem(sys.modules, "face_alignment", package)
    with FaceAlignmentDetector() as detector:
        assert len(detector.find(np.ones((9, 9, 3), np.uint8))) == 2
        face = detector.follow(np.ones((9, 9, 3), np.uint8))
        assert face is not None and face.points.shape == (68, 3) and face.blendshapes is None
        assert (face.points[:, :2] == found[1]).all(), "the larger one"
        assert detector.follow(np.zeros((9, 9, 3), np.uint8)) is None
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(InputError, match="pip install face-alignment"):
        FaceAlignmentDetector()


def test_lost_frames_take_the_last_one_seen() -> None:
    valid = np.array([False, False, True, False, True, False])
    assert nearest_valid(valid).tolist() == [2, 2, 2, 2, 4, 4]


@pytest.mark.real_data
def test_finds_the_face_in_a_real_video(shared: Path) -> None:
    pytest.importorskip("mediapipe")
    from itertools import islice

    from geneface.media.video import VideoReader

    with (
        VideoReader(shared / "data/person/german_20s.mp4") as video,
        LandmarkDetector(shared / "models/face_landmarker.task") as detector,
    ):
        detection = detector.detect([*islice(video, 3), np.zeros((512, 512, 3), np.uint8)])
    assert detection.points.shape == (4, 478, 3) and detection.landmarks_68.shape == (4, 68, 2)
    assert detection.valid[:3].all()
    points = detection.landmarks_68[0]
    assert points[8, 1] > points[30, 1] > points[27, 1], "chin below nose tip below nose bridge"
    assert points[36, 0] < points[45, 0] and (points > 0).all() and (points < 512).all()
