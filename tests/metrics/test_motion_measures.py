"""Lag, blinks, turns, frozen mouths, offsets of sound and voice, and intervals over blocks of one clip."""

import numpy as np
import pytest

from geneface import metrics


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def smooth_curve(rng: np.random.Generator, frames: int = 300) -> np.ndarray:
    return np.convolve(rng.normal(size=frames + 4), np.ones(5) / 5, "valid")


@pytest.mark.parametrize("lag", [-5, 0, 3, 12])
def test_a_shift_is_found_as_it_is(rng: np.random.Generator, lag: int) -> None:
    curve = smooth_curve(rng, 340)
    reference, generated = curve[20:320], curve[20 - lag : 320 - lag]
    assert metrics.best_lag(reference, generated) == lag
    assert metrics.correlation_at(reference, generated, lag) == pytest.approx(1.0)
    if abs(lag) > 1:
        assert metrics.correlation(reference, generated) < 0.9


def test_still_curves_have_no_lag() -> None:
    assert metrics.best_lag(np.zeros(50), np.ones(50)) == 0


def test_a_frozen_mouth_is_called_frozen(rng: np.random.Generator) -> None:
    real = 0.05 + 0.02 * smooth_curve(rng)
    assert metrics.is_frozen(real, np.full(300, 0.05))
    assert metrics.is_frozen(real, 0.05 + 0.1 * (real - 0.05))
    assert not metrics.is_frozen(real, 0.05 + 0.4 * (real - 0.05))
    assert not metrics.is_frozen(real, real)


def test_interocular_distance_is_between_the_outer_corners() -> None:
    points = np.random.default_rng(0).normal(size=(2, 68, 2))
    points[:, 36], points[:, 45] = (100, 200), ((160, 280), (200, 200))
    np.testing.assert_allclose(metrics.interocular_distance(points), [100.0, 100.0])


def test_blinks_are_counted_once_each() -> None:
    closure = np.zeros(100)
    closure[10:13] = (0.4, 0.9, 0.4)
    closure[40:46] = (0.6, 0.9, 0.45, 0.6, 0.9, 0.2)  # flutters, but never opens
    closure[60:63] = 0.45  # half shut
    assert np.flatnonzero(metrics.blink_onsets(closure)).tolist() == [11, 40]
    assert not metrics.blink_onsets(np.ones(20)).any()  # begun before the clip


def test_head_turn_is_the_angle_from_the_mean() -> None:
    angles = np.radians([-10.0, 0.0, 10.0, 4.0, -4.0])
    turns = np.zeros((5, 3, 3))
    turns[:, 1, 1] = 1
    turns[:, 0, 0] = turns[:, 2, 2] = np.cos(angles)
    turns[:, 0, 2], turns[:, 2, 0] = np.sin(angles), -np.sin(angles)
    np.testing.assert_allclose(metrics.head_turn(turns), [10, 0, 10, 4, 4], atol=1e-6)


@pytest.mark.parametrize("offset", [-1200, 0, 3333])
def test_sound_is_found_where_it_lies(rng: np.random.Generator, offset: int) -> None:
    voice = rng.normal(size=24000)
    reference, generated = voice[4000:20000], voice[4000 + offset : 20000 + offset]
    noisy = 0.3 * generated + 0.05 * rng.normal(size=len(generated))
    found = metrics.sound_offset(reference, noisy)
    assert found.samples == offset and found.similarity > 0.95


def test_other_sound_and_silence_are_not_found(rng: np.random.Generator) -> None:
    assert metrics.sound_offset(rng.normal(size=16000), rng.normal(size=12000)).similarity < 0.1
    assert metrics.sound_offset(rng.normal(size=16000), np.zeros(12000)) == (0, 0.0)


def test_sync_score_is_how_far_the_best_offset_stands_out() -> None:
    similarity = np.array([0.2, 0.3, 0.2, 0.9, 0.1, 0.2, 0.2])
    score = metrics.sync_score(similarity)
    assert score.offset == 0 and score.confidence == pytest.approx(0.7)
    assert metrics.sync_score(np.roll(similarity, 2)).offset == 2
    assert metrics.sync_score(np.full(7, 0.5)).confidence == 0.0


def test_block_estimate_is_wider_for_slow_changes(rng: np.random.Generator) -> None:
    fast, slow = rng.normal(size=1000), np.repeat(rng.normal(size=20), 50)
    widths = []
    for values in (fast, slow):
        estimate = metrics.block_estimate(lambda frames, values=values: float(values[frames].mean()), 1000)
        assert estimate.mean == pytest.approx(values.mean())
        assert estimate.low < estimate.mean < estimate.high
        widths.append(estimate.high - estimate.low)
    assert widths[1] > 3 * widths[0]
    assert widths[1] == pytest.approx(2 * 1.96 * slow.std() / np.sqrt(20), rel=0.15)


def test_intervals_of_infinite_values_are_numbers() -> None:
    estimate = metrics.weighted_mean([float("inf"), float("inf")], [1, 1], ["a", "b"])
    assert estimate == (float("inf"),) * 3
