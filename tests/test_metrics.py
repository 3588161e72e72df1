"""Each measure against a value worked out by hand, and against moving the wrong way."""

import numpy as np
import pytest

from geneface import metrics


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_mediapipe_opening_is_mean_gap_over_face_height() -> None:
    points = np.zeros((2, 478, 3))
    points[:, 152, 1] = 200.0
    for lower, gap in ((14, 10.0), (87, 8.0), (317, 6.0)):
        points[1, lower, 1] = gap
    points[..., 2] = np.random.default_rng(0).normal(size=(2, 478))  # the guessed depth does not count
    np.testing.assert_allclose(metrics.mediapipe_opening(points), [0.0, 8.0 / 200.0])


def test_lm3d_opening_adds_the_mean_mesh() -> None:
    mean = np.zeros((68, 3))
    mean[[67, 66, 65], 1] = -0.08
    lm3d = np.zeros((2, 68, 3))
    lm3d[1, [67, 66, 65], 1] = (-0.9, -1.0, -1.1)
    np.testing.assert_allclose(metrics.lm3d_opening(lm3d, mean), [0.08, 1.08])


def test_correlation_finds_the_lag_and_no_more(rng: np.random.Generator) -> None:
    curve = rng.normal(size=200)
    assert metrics.correlation(curve, 3 * curve + 1) == pytest.approx(1.0)
    assert metrics.correlation(curve[1:], curve[:-1]) == pytest.approx(1.0)
    assert metrics.correlation(curve[:-1], curve[1:]) == pytest.approx(1.0)
    assert metrics.correlation(curve[2:], curve[:-2]) < 0.3
    assert metrics.correlation(curve, np.full(200, 0.1)) == 0.0
    assert metrics.pearson(np.array([1.0, 2, 3]), np.array([1.0, 2, 2])) == pytest.approx(np.sqrt(3) / 2)


def test_spread() -> None:
    assert metrics.spread(np.array([0.0, 2.0]), np.array([5.0, 6.0])) == 0.5


def test_weighted_mean_weighs_and_bootstraps_over_speakers(rng: np.random.Generator) -> None:
    estimate = metrics.weighted_mean([0.2, 0.8], [3.0, 1.0], ["a", "b"])
    assert estimate.mean == pytest.approx(0.35)
    assert (estimate.low, estimate.high) == pytest.approx((0.2, 0.8))
    # Clips of one speaker say nothing about the spread over speakers.
    alone = metrics.weighted_mean([0.2, 0.8], [1.0, 1.0], ["a", "a"])
    assert alone == pytest.approx((0.5, 0.5, 0.5))


def test_opening_score_sets_chance_beside_r(rng: np.random.Generator) -> None:
    curves = [rng.normal(size=(100)) for _ in range(6)]
    clips = [metrics.Curves(c, 0.5 * c, f"s{i}") for i, c in enumerate(curves)]
    clips.append(metrics.Curves(curves[0][:50], -curves[0][:50], "short"))
    score = metrics.opening_score(clips)
    assert score.clips == 6
    assert score.r.mean == pytest.approx(1.0)
    assert abs(score.chance.mean) < 0.25
    assert score.spread == pytest.approx(0.5)


def test_silence_opening_ignores_the_settling_time() -> None:
    opening = np.full(100, 1.1)
    opening[40:48] = 0.8
    opening[48:90] = 0.15
    assert metrics.silence_opening(opening, 40, 90, closed=0.1) == pytest.approx(0.05)
    opening[60] = 0.6
    assert metrics.silence_opening(opening, 40, 90, closed=0.1) == pytest.approx(0.5)


def test_closure_share() -> None:
    opening = np.full(100, 1.0)
    opening[[10, 52]] = 0.1
    opening[80] = 0.3
    assert metrics.closure_share(opening, [10, 50, 80, 30]) == 0.5
    assert metrics.closure_share(opening, [0, 55, 99]) == 0.0


def test_jitter_is_zero_for_steady_motion() -> None:
    frames = np.arange(10.0)[:, None, None]
    assert metrics.jitter(np.tile(frames, (1, 68, 3))) == pytest.approx(0)
    # 0, 1, 0, 1 ... cm: the second difference is 2 cm.
    assert metrics.jitter(np.tile(frames % 2, (1, 68, 3))) == pytest.approx(20)


def test_lm3d_errors() -> None:
    reference = np.zeros((4, 68, 3))
    moved = reference + np.array([0.3, 0.4, 0.0])
    assert metrics.lm3d_error(reference, moved) == pytest.approx(5.0)
    assert metrics.centred_rms_error(reference, moved) == pytest.approx(0.0)
    moved[::2] += [0.0, 0.0, 0.2]
    assert metrics.centred_rms_error(reference, moved) == pytest.approx(1.0)


def test_energy_score_prefers_the_true_spread(rng: np.random.Generator) -> None:
    one = np.zeros((1, 68, 3))
    samples = np.stack([one + np.array([0.1, 0, 0]), one - np.array([0.1, 0, 0])])
    # Each is 1 mm from the reference and 2 mm from the other.
    assert metrics.energy_score(one, samples) == pytest.approx(1.0 - 0.5 * 2.0)

    def draw(scale: float, count: int) -> np.ndarray:
        return scale * np.broadcast_to(rng.normal(size=(count, 400, 1, 3)), (count, 400, 68, 3))

    reference = draw(1.0, 1)[0]
    true, mean, wide = (metrics.energy_score(reference, draw(scale, 10)) for scale in (1.0, 0.01, 2.0))
    assert true < mean and true < wide


def test_sync_windows_are_balanced_and_apart(rng: np.random.Generator) -> None:
    for frames in (8, 9, 50):
        windows = metrics.sync_windows(frames, 100, rng)
        offset = np.abs(windows.landmarks - windows.audio)
        assert windows.in_sync.sum() == 50
        assert (offset[windows.in_sync] == 0).all() and (offset[~windows.in_sync] >= 3).all()
        for starts in (windows.landmarks, windows.audio):
            assert starts.min() >= 0 and starts.max() + 5 <= frames
    assert metrics.sync_accuracy(np.array([0.9, 0.1, 0.6, 0.2]), np.array([True, False, False, False])) == 0.75


def test_mouth_box_and_psnr() -> None:
    points = np.zeros((478, 3))
    points[[61, 291, 0, 17], :2] = (100.5, 200), (150, 200), (125, 190), (125, 505.2)
    assert metrics.mouth_box(points) == (88, 178, 162, 512)
    picture = np.zeros((4, 4, 3), np.uint8)
    other = picture.copy()
    other[0, 0] = 51
    assert metrics.psnr(picture, other, np.eye(4, dtype=bool)) == pytest.approx(10 * np.log10(25 * 4))
    assert metrics.psnr(picture, other) == pytest.approx(10 * np.log10(25 * 16))
    assert metrics.psnr(picture, picture) == float("inf")
    assert metrics.psnr(other, picture) == metrics.psnr(picture, other)  # uint8 does not wrap round


def test_landmark_distance_and_reprojection() -> None:
    reference = np.zeros((2, 68, 2))
    moved = reference.copy()
    moved[:, 48:] = (3, 4)
    distance = metrics.landmark_distance(reference, moved)
    assert distance == pytest.approx((5.0, 5.0 * 20 / 68))
    assert metrics.reprojection_error(reference, moved) == pytest.approx(distance.face)


@pytest.mark.parametrize("degrees", [0.0, 0.01, 30.0, 179.9])
def test_rotation_error(degrees: float) -> None:
    from scipy.spatial.transform import Rotation

    base = Rotation.from_euler("xyz", [10, 20, 30], degrees=True)
    turned = base * Rotation.from_rotvec(np.radians(degrees) * np.array([0.6, 0.0, 0.8]))
    assert metrics.rotation_error(base.as_matrix(), turned.as_matrix()) == pytest.approx(degrees, abs=1e-6)


def test_median_seconds_leaves_the_warm_up_out() -> None:
    calls: list[int] = []

    def run() -> None:
        import time

        calls.append(1)
        time.sleep(0.05 if len(calls) == 1 else 0.0)

    assert metrics.median_seconds(run) < 0.04
    assert len(calls) == 6
