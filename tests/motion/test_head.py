from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from geneface.metrics import rotation_error
from geneface.motion.face_motion import Person
from geneface.motion.gestures import NOD, Gestures
from geneface.motion.head import HeadMotion
from geneface.motion.hearing import Heard
from geneface.renderers.scene import FRONTAL, there_and_back

MINUTE = 1500


def person(frames: int = 400) -> Person:
    """Whose head wanders by some degrees, as a speaker's does."""
    time = np.arange(frames)[:, None] / 25
    turn = np.radians([1.5, 6.0, 1.0]) * np.sin(2 * np.pi * time * [0.31, 0.13, 0.22] + [0, 1, 2])
    frontal = np.array(FRONTAL)
    track = np.tile(frontal, (frames, 1, 1))
    track[:, :, :3] = Rotation.from_rotvec(turn).as_matrix() @ frontal[:, :3]
    nothing = torch.zeros(68, 3)
    return Person(
        rest=nothing,
        usual=nothing,
        mean_landmarks=nothing,
        blink=nothing,
        pose_track=there_and_back(torch.from_numpy(track), 2 * frames),
        reference_pose=torch.tensor(FRONTAL),
        shown_range=torch.ones(6),
        intrinsics=torch.eye(3),
        background=torch.zeros(3, 8, 8, dtype=torch.uint8),
    )


def sound(seed: int, frames: int) -> tuple[list[Heard], list[bool]]:
    """Speech of syllables with pauses between phrases, as it is heard."""
    rng = np.random.default_rng(seed)
    heard, speaking = [], []
    while len(heard) < frames:
        for _ in range(int(rng.integers(6, 20))):
            level = rng.normal(-22, 5)
            vowel = Heard(np.full(3, level - 5), level, 0.9, 120 * 2 ** rng.normal(0, 0.2))
            closure = Heard(np.full(3, -60.0), -55.0 + rng.normal(), 0.2, 100.0)
            heard += [closure] * 2 + [vowel] * 4
        speaking += [True] * (len(heard) - len(speaking))
        heard += [Heard(np.full(3, -75.0), -70.0, 0.2, 100.0)] * 20
        speaking += [False] * 20
    return heard[:frames], speaking[:frames]


def turns(poses: torch.Tensor) -> np.ndarray:
    """[T, 3] degrees from the reference."""
    rotation = poses.double().numpy()[:, :, :3] @ np.array(FRONTAL)[:, :3].T
    return np.degrees(Rotation.from_matrix(rotation).as_rotvec())


def natural(seed: int, recording: int = 0, frames: int = MINUTE, amount: float = 1.0) -> np.ndarray:
    heard, speaking = sound(recording, frames)
    return turns(HeadMotion(person(), "natural", seed, amount).push(heard, speaking, [0.0] * frames))


def correlations(one: np.ndarray, other: np.ndarray) -> list[float]:
    return [float(np.corrcoef(a, b)[0, 1]) for a, b in zip(one.T, other.T, strict=True)]


def test_two_seeds_and_two_recordings_move_differently():
    tracks = [natural(seed, frames=3 * MINUTE) for seed in range(4)]
    seeds = [correlations(tracks[i], tracks[j]) for i in range(4) for j in range(i)]
    others = [natural(seed, 1, 3 * MINUTE) for seed in range(4)]
    recordings = [correlations(one, other) for one, other in zip(tracks, others, strict=True)]
    for found in (seeds, recordings):
        assert np.abs(np.mean(found, 0)).max() < 0.3
        assert np.abs(found).mean() < 0.3


def test_the_head_never_jumps_and_looks_at_the_viewer():
    track = natural(0, frames=5 * MINUTE)
    own = np.abs(np.diff(turns(person().pose_track), axis=0)).max()
    assert np.abs(np.diff(track, axis=0)).max() < 2.5 * own
    assert np.abs(np.diff(track, n=2, axis=0)).max() < 0.15, "degrees"
    assert (np.linalg.norm(track, axis=1) < 8).mean() > 0.85
    assert track.std(0).max() > 2


def test_nothing_comes_back_in_ten_minutes():
    track = natural(0, frames=10 * MINUTE)
    windows = np.lib.stride_tricks.sliding_window_view(track, 250, axis=0)[::10].reshape(-1, 750)
    squares = (windows**2).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * windows @ windows.T, 0) / 250)
    apart = np.abs(np.subtract.outer(np.arange(len(windows)), np.arange(len(windows)))) > 25
    assert distance[apart].min() > 0.4, "degrees, root mean square over ten seconds"


def test_pauses_are_calm():
    heard, _ = sound(0, MINUTE)
    speed = {}
    for speaking in (True, False):
        poses = HeadMotion(person(), "natural", 3).push(heard, [speaking] * MINUTE, [0.0] * MINUTE)
        speed[speaking] = np.abs(np.diff(turns(poses), axis=0)).mean()
    assert speed[False] < 0.6 * speed[True]


def test_cutting_changes_no_head():
    heard, speaking = sound(0, 500)
    whole = HeadMotion(person(), "natural", 5).push(heard, speaking, [0.0] * 500)
    stage = HeadMotion(person(), "natural", 5)
    cuts = [0, 1, 2, 30, 77, 300, 500]
    parts = [stage.push(heard[a:b], speaking[a:b], [0.0] * (b - a)) for a, b in pairwise(cuts)]
    assert torch.equal(torch.cat(parts), whole)


def test_how_much_it_moves():
    still, half, full = (natural(2, amount=amount) for amount in (0.0, 0.5, 1.0))
    assert np.abs(still).max() < 1e-4
    assert np.allclose(half, full / 2, atol=0.01)


def test_given_poses_are_kept_and_do_not_nod():
    heard, speaking = sound(0, 30)
    poses = person().pose_track[:20].numpy()
    found = HeadMotion(person(), poses, 0).push(heard, speaking, [0.1] * 30).numpy()
    assert np.allclose(found[:20], poses, atol=1e-6) and np.allclose(found[20:], poses[-1], atol=1e-6)
    still = HeadMotion(person(), "still", 0).push(heard, speaking, [0.1] * 30).numpy()
    assert rotation_error(still[:, :, :3], np.tile(np.array(FRONTAL)[:, :3], (30, 1, 1))).max() < 1e-3


def test_a_nod_goes_down():
    heard, speaking = sound(0, 10)
    poses = HeadMotion(person(), "natural", 0).push(heard, speaking, [0.0] * 10)
    nodding = HeadMotion(person(), "natural", 0).push(heard, speaking, [0.05] * 10)
    assert (nodding[:, 1, 2] > poses[:, 1, 2] + 0.03).all(), "the face's forward axis, y is down"


@pytest.mark.parametrize("seed", [0, 1])
def test_gestures_go_with_stressed_syllables(seed: int):
    heard, speaking = sound(0, 4 * MINUTE)
    gestures = Gestures(seed)
    nods, rises = np.array([gestures.push(*each) for each in zip(heard, speaking, strict=True)]).T
    begins = np.flatnonzero((nods[1:] + rises[1:] > 0) & (nods[:-1] + rises[:-1] == 0))
    assert 4 * 5 < len(begins) < 4 * 30, "five to thirty a minute"
    levels = np.array([each.level for each in heard])
    vowels = levels[levels > -40]
    assert levels[begins].mean() > vowels.mean() + 3, "on the loud ones"
    assert 0 < nods.max() <= NOD and np.abs(np.diff(nods)).max() < np.radians(0.8)
    assert ((nods > 0) & (rises > 0)).any() and ((nods > 0) & (rises == 0)).any(), "together, and alone"


def test_gestures_differ_by_seed_and_rest_without_speech():
    heard, speaking = sound(0, MINUTE)
    one, other = (np.array([g.push(*e) for e in zip(heard, speaking, strict=True)]) for g in map(Gestures, (0, 1)))
    assert not np.array_equal(one, other)
    silent = Gestures(0)
    assert not np.any([silent.push(each, False) for each in heard])
