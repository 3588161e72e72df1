"""The sound of a dataset is moved to where it belongs to the lips, if that can be told."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from evaluation.drawn_faces import opening_curve, write_face

from geneface import metrics
from geneface.media.audio import load_audio
from geneface.preprocessing import preprocess_steps
from geneface.preprocessing.preprocess_steps import _audio
from geneface.utils.files import read_json

FRAMES = 80


@pytest.mark.parametrize("offset, known", [(0, True), (3, True), (-2, True), (3, False)])
def test_sound_goes_where_the_lips_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int, known: bool
) -> None:
    sound = (0.1 * np.random.default_rng(0).normal(size=FRAMES * 640)).astype(np.float32)
    curve = opening_curve(FRAMES)
    video = write_face(tmp_path / "film.mp4", curve, sound)

    class Judge:
        def __init__(self, generic: Path) -> None:
            assert (generic / "mouth_judge").is_dir()

        def expects(self, samples: np.ndarray) -> np.ndarray:
            assert len(samples) == FRAMES * 640
            return np.roll(curve, offset) if known else opening_curve(FRAMES, 1)

    monkeypatch.setattr(preprocess_steps, "Judge", Judge)
    scan = SimpleNamespace(first=0, frames=FRAMES)
    job: Any = SimpleNamespace(video=video, work=tmp_path, scan=lambda: scan, opening=lambda: curve)
    _audio(job, tmp_path / "audio.flac")
    moved = offset if known else 0
    written = load_audio(tmp_path / "audio.flac")
    # As the judge says: the mouth of frame t belongs to the sound of frame t + offset.
    assert abs(metrics.sound_offset(sound, written).samples - 640 * moved) < 320
    told = read_json(tmp_path / "sound.json")
    assert told["moved"] == moved and told["sure"] is known
    assert any("the sound was moved" in note for note in told["notes"]) is bool(moved)
    assert ("cannot be told" in told["said"]) is not known
