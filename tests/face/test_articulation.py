import time

import numpy as np
import pytest

from geneface.face.articulation import EXPRESSION_NAMES, INDEX, PHONES, Style, articulate
from geneface.face.expressions import head_pose, loudness, upper_face
from geneface.face.phonemes import INVENTORY

JAW, CLOSE, PUCKER = INDEX["jawOpen"], INDEX["mouthClose"], INDEX["mouthPucker"]


def spoken(symbols: str, seconds: float = 0.1, silence: float = 0.5) -> list[tuple[str, float, float]]:
    """The symbols (one letter each) one after the other, between two silences."""
    borders = silence + seconds * np.arange(len(symbols) + 1)
    phones = [(s, float(a), float(b)) for s, a, b in zip(symbols, borders[:-1], borders[1:], strict=True)]
    return [("sil", 0.0, silence), *phones, ("sil", float(borders[-1]), float(borders[-1]) + silence)]


def weights_of(phones: list[tuple[str, float, float]], style: Style | None = None, seed: int = 0) -> np.ndarray:
    frames = int(np.ceil(phones[-1][2] * 25))
    return articulate(phones, frames, style or Style(), np.random.default_rng(seed))


def frame_at(seconds: float) -> int:
    return int(seconds * 25)


def test_every_symbol_of_the_inventory_has_a_shape():
    assert set(PHONES) == set(INVENTORY)


def test_shape_type_and_range():
    weights = weights_of(spoken("pataka"))
    assert weights.shape == (40, 57) and weights.dtype == np.float32
    assert np.isfinite(weights).all() and weights.min() >= 0 and weights.max() <= 1


@pytest.mark.parametrize("seconds", [0.05, 0.06, 0.1, 0.2])
@pytest.mark.parametrize("seed", range(4))
def test_lips_meet_for_bilabials_and_open_for_vowels(seconds, seed):
    phones = spoken("abamapa", seconds)
    weights = weights_of(phones, seed=seed)
    for symbol, start, end in phones:
        frames = weights[frame_at(start) : frame_at(end) + 1]
        if symbol in "bmp":
            ratio = (frames[:, CLOSE] / (0.865 * frames[:, JAW] + 1e-9)).max()
            assert ratio > 0.9
    assert weights[:, JAW].max() > (0.12 if seconds >= 0.1 else 0.05)


def test_open_vowels_open_wider_than_close_ones():
    wide, narrow = weights_of(spoken("tat", 0.2))[:, JAW].max(), weights_of(spoken("tit", 0.2))[:, JAW].max()
    assert wide > 2 * narrow


def test_rounding_is_anticipated():
    rounded, spread = weights_of(spoken("astsu")), weights_of(spoken("astsi"))
    before = frame_at(0.5 + 0.35)
    assert rounded[before, PUCKER] > spread[before, PUCKER] + 0.1


def test_silence_is_shut_and_still():
    phones = [*spoken("apa")[:-1], ("sil", 0.8, 2.8), ("a", 2.8, 3.0), ("sil", 3.0, 3.5)]
    weights = weights_of(phones, Style.sample(np.random.default_rng(3)))
    quiet = weights[frame_at(1.1) : frame_at(2.5)]
    assert not quiet[:, JAW].any() and not quiet[:, CLOSE].any()
    assert not np.diff(quiet, axis=0).any()
    assert weights[frame_at(2.9), JAW] > 0.05


def test_nothing_spoken():
    assert not weights_of([("sil", 0.0, 1.0)]).any()
    assert articulate([], 5, Style(), np.random.default_rng(0)).shape == (5, 57)
    assert articulate([], 0, Style(), np.random.default_rng(0)).shape == (0, 57)


def test_same_seed_same_movement_and_styles_differ():
    phones = spoken("salamipowe")
    np.testing.assert_array_equal(weights_of(phones, seed=1), weights_of(phones, seed=1))
    assert Style.sample(np.random.default_rng(0)) == Style.sample(np.random.default_rng(0))
    small, large = weights_of(phones, Style(amplitude=0.6)), weights_of(phones, Style(amplitude=1.2))
    assert large[:, JAW].max() > 1.8 * small[:, JAW].max()


def test_an_hour_takes_seconds():
    rng = np.random.default_rng(0)
    borders = np.arange(36001) / 10
    phones = [(str(s), a, a + 0.1) for s, a in zip(rng.choice(PHONES, 36000), borders[:-1].tolist(), strict=True)]
    start = time.perf_counter()
    assert articulate(phones, 90000, Style(), rng).shape == (90000, 57)
    assert time.perf_counter() - start < 15


def test_upper_face_blinks_at_a_natural_rate_and_leaves_the_mouth_alone():
    frames = 25 * 600
    weights = upper_face(np.zeros(frames, dtype=np.float32), np.random.default_rng(0))
    shut = weights[:, INDEX["eyeBlink_L"]] > 0.5
    blinks = (shut[1:] & ~shut[:-1]).sum() / 10
    assert 10 < blinks < 20
    mouth = [index for name, index in INDEX.items() if name.startswith(("mouth", "jaw"))]
    assert not weights[:, mouth].any() and weights.max() <= 1 and weights.min() >= 0


def test_head_pose_is_a_small_smooth_rotation():
    rng = np.random.default_rng(0)
    pose = head_pose(rng.random(5000).astype(np.float32), rng)
    rotation = pose[:, :, :3] @ pose[:, :, :3].transpose(0, 2, 1)
    np.testing.assert_allclose(rotation, np.broadcast_to(np.eye(3), rotation.shape), atol=1e-5)
    yaw = np.degrees(np.arcsin(pose[:, 0, 2]))
    assert 5 < np.abs(yaw).max() < 14
    assert np.abs(np.diff(yaw, 2)).max() < 0.5
    np.testing.assert_allclose(pose[:, :, :3].mean(0), np.diag([1, -1, -1]), atol=0.1)


def test_loudness_tells_speech_from_silence():
    samples = np.concatenate([np.zeros(16000), 0.1 * np.sin(np.arange(16000) * 0.1)]).astype(np.float32)
    envelope = loudness(samples, 50)
    assert envelope[:24].max() == 0 and envelope[26:].min() > 0.9


@pytest.mark.real_data
def test_opening_on_the_mean_face(shared):
    import torch

    from geneface.face.face_model import FaceModel

    model = FaceModel.load(shared / "models" / "ict_face_model.safetensors")
    assert model.expression_names == EXPRESSION_NAMES
    phones = spoken("tapatamatabatat", 0.1)
    points = model.lm3d(torch.from_numpy(weights_of(phones))) + model.mean_landmarks
    gap = sum((points[:, a] - points[:, b]).norm(dim=-1) for a, b in ((61, 67), (62, 66), (63, 65))) / 3
    for symbol, start, end in phones:
        frames = gap[frame_at(start) : frame_at(end) + 1]
        if symbol in "bmp":
            assert frames.min() < 0.15
        if symbol == "a":
            assert 0.9 < frames.max() < 1.8
