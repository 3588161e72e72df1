from pathlib import Path

import numpy as np
import pytest
import torch
from motion_corpus import write_everything
from tiny import TINY_HUBERT

from geneface.datasets import motion
from geneface.datasets.motion import MotionData, Speech, Store, at_rest, features_of, open_corpora, with_silence
from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.metrics import lm3d_opening
from geneface.models.feature_extractor import FeatureExtractor


def _speech(frames: int = 20) -> Speech:
    rng = np.random.default_rng(0)
    return Speech(
        rng.uniform(0.1, 0.5, 640 * frames).astype(np.float32), rng.normal(0, 1, (frames, 68, 3)).astype(np.float32)
    )


@pytest.mark.parametrize("place", [0, 7, 20])
def test_silence_is_digital_and_the_mouth_closed(place: int) -> None:
    speech = _speech()
    samples, lm3d = with_silence(speech, place, 30)
    assert len(samples) == 640 * 50 and lm3d.shape == (50, 68, 3)
    assert (samples[640 * place : 640 * (place + 30)] == 0).all() and np.count_nonzero(samples) == 640 * 20
    inside = slice(place + motion.FADE, place + 30 - motion.FADE)
    assert (lm3d[inside] == 0).all()
    np.testing.assert_array_equal(np.concatenate([lm3d[:place], lm3d[place + 30 :]]), speech.lm3d)
    assert (lm3d[place] != 0).any() == (place > 0)
    assert (lm3d[place + 29] != 0).any() == (place < 20)


def test_at_rest_shuts_the_mouth_and_stills_the_eyes() -> None:
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 3, (68, 3))
    mean[[67, 66, 65]] = mean[[61, 62, 63]] - [0, 0.08, 0]
    smile = rng.normal(0, 0.05, (68, 3))
    smile[60:] = 0.01
    lm3d = np.tile(smile, (100, 1, 1))
    lm3d[10:, 65:68, 1] -= np.abs(np.sin(np.arange(90)))[:, None] + 0.1
    lm3d[:, 36:48, 1] += rng.normal(0, 1, (100, 1))
    rested = at_rest(lm3d, mean)
    opening = lm3d_opening(rested, mean)
    np.testing.assert_allclose(opening[:5], 0.08, atol=1e-6)
    np.testing.assert_allclose(opening, lm3d_opening(lm3d, mean), atol=1e-5)
    assert (rested[:, 36:48] == 0).all()
    np.testing.assert_allclose(rested[:5, 48:60], 0, atol=1e-6)


def test_a_mouth_that_never_shuts_stays_open() -> None:
    mean = np.zeros((68, 3))
    lm3d = np.zeros((50, 68, 3))
    lm3d[:, 65:68, 1] = -0.5
    assert lm3d_opening(at_rest(lm3d, mean), mean).min() == pytest.approx(0.5)


def test_features_are_those_of_the_pipeline() -> None:
    torch.manual_seed(0)
    extractor = FeatureExtractor(TINY_HUBERT).eval()
    samples = np.random.default_rng(0).normal(0, 0.1, 16000 * 2 + 100).astype(np.float32)
    with open_audio(samples, 16000) as source:
        torch.testing.assert_close(features_of(samples, extractor), extractor.extract(source), atol=1e-4, rtol=1e-4)


def test_store_returns_what_was_added() -> None:
    store = Store(3)
    first = torch.arange(12.0).view(4, 3)
    assert store.add(first) == 0
    np.testing.assert_array_equal(store[1:3], first[1:3])
    assert store.add(first + 100) == 4
    np.testing.assert_array_equal(store[3:5], [[9, 10, 11], [100, 101, 102]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("motion_data")
    write_everything(folder)
    return folder


def test_batches_are_balanced_and_a_function_of_the_generator(folder: Path) -> None:
    from geneface.face.face_model import FaceModel

    extractor = FeatureExtractor.from_pretrained(folder / "feature_extractor")
    face = FaceModel.load(folder / "face.safetensors")
    corpora = open_corpora([str(folder / "corpus")], "train")
    data = MotionData(corpora, face, extractor, copies=2, window=40, real_share=0.25)
    assert len(data.copies) == 6 and min(len(copy.lm3d) for copy in data.copies) >= 40
    tracked = np.array([copy.tracked for copy in data.copies])
    assert data.chances[tracked].sum() == pytest.approx(0.25)
    batch, again = (data.draw(3, np.random.default_rng(5)) for _ in range(2))
    assert batch["features"].shape == (3, 80, 16) and batch["lm3d"].shape == (3, 40, 68, 3)
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    rebuilt = MotionData(corpora, face, extractor, copies=2, window=40, real_share=0.25)
    assert torch.equal(rebuilt.draw(3, np.random.default_rng(5))["features"], batch["features"])
    assert MotionData(corpora, face, extractor, 1, 40, real_share=1.0).chances[-1] == 0


def test_a_split_without_clips_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="'nowhere'"):
        open_corpora([str(folder / "corpus")], "nowhere")
