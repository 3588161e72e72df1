from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from tiny import TINY_RENDERER

from geneface.errors import InputError
from geneface.preprocessing.driving import LEAST_TURN, REACH, drive, track_head
from geneface.renderers.fast import FastRenderer


def poses(turns: np.ndarray, depth: float = 80.0) -> torch.Tensor:
    """Frontal poses turned by vectors [T, 3] in the camera's frame."""
    frontal = np.diag([1.0, -1.0, -1.0])
    rotation = Rotation.from_rotvec(turns).as_matrix() @ frontal
    place = np.broadcast_to(np.array([3.0, 1.0, depth])[:, None], (len(turns), 3, 1))
    return torch.from_numpy(np.concatenate([rotation, place], axis=2))


@pytest.fixture
def person() -> SimpleNamespace:
    """What `drive` asks of a person: the pose and the range of a renderer whose video showed turns of 0.2 radians."""
    renderer = FastRenderer(**TINY_RENDERER)
    turns = np.zeros((10, 3))
    turns[:, 1] = np.linspace(-0.2, 0.2, 10)
    renderer.scene.pose_track.copy_(poses(turns, 100.0))
    return SimpleNamespace(reference_pose=renderer.scene.reference_pose, shown_range=renderer.shown_range)


def turns_of(track: np.ndarray, person: SimpleNamespace) -> np.ndarray:
    return Rotation.from_matrix(track[:, :, :3] @ person.reference_pose[:, :3].numpy().T).as_rotvec()


def test_small_motion_is_carried_over_about_the_mean(person: SimpleNamespace) -> None:
    turns = np.zeros((20, 3))
    turns[:, 1] = 0.3 + 0.03 * np.sin(np.arange(20) * np.pi / 10)
    track = drive(person, poses(turns), 20)
    assert track.shape == (20, 3, 4) and track.dtype == np.float32
    np.testing.assert_allclose(turns_of(track, person)[:, 1], turns[:, 1] - 0.3, atol=2e-3)
    np.testing.assert_allclose(track[:, :, 3], person.reference_pose[:, 3].numpy()[None].repeat(20, 0), atol=1e-3)


def test_large_motion_is_held_back(person: SimpleNamespace) -> None:
    turns = np.zeros((20, 3))
    turns[:, 0], turns[:, 1] = np.linspace(-0.6, 0.6, 20), np.linspace(-0.9, 0.9, 20)
    found = np.abs(turns_of(drive(person, poses(turns), 20), person)).max(0)
    assert found[1] <= REACH * 0.2 + 0.05 and found[1] > 0.2
    assert found[0] <= LEAST_TURN + 0.05


def test_short_tracks_go_back_and_forth(person: SimpleNamespace) -> None:
    turns = np.zeros((5, 3))
    turns[:, 1] = np.linspace(-0.05, 0.05, 5)
    track = drive(person, poses(turns), 12)
    np.testing.assert_array_equal(track[5:8], track[[3, 2, 1]])
    np.testing.assert_array_equal(track[8:12], track[:4])
    assert drive(person, poses(turns[:1]), 3).shape == (3, 3, 4)


@pytest.mark.real_data
@pytest.mark.slow
def test_head_of_a_real_video(
    shared: Path, monkeypatch: pytest.MonkeyPatch, person: SimpleNamespace, tmp_path: Path
) -> None:
    pytest.importorskip("mediapipe")
    import av

    source, target = shared / "data" / "person" / "german_20s.mp4", tmp_path / "short.mp4"
    with av.open(str(source)) as given, av.open(str(target), "w") as cut:
        stream = cut.add_stream_from_template(given.streams.video[0])
        for count, packet in enumerate(given.demux(given.streams.video[0])):
            if packet.dts is None or count >= 50:
                break
            packet.stream = stream
            cut.mux(packet)
    monkeypatch.setenv("GENEFACE_ASSETS", str(shared / "models"))
    track = track_head(target)
    assert 45 <= len(track) <= 56
    assert np.allclose((track[:, :, :3] @ track[:, :, :3].mT).numpy(), np.eye(3), atol=1e-4)
    assert (track[:, 2, 3] > 0).all()
    assert np.abs(np.diff(turns_of(drive(person, track, 50), person), axis=0)).max() < 0.05


@pytest.mark.real_data
def test_videos_without_a_head_are_refused(shared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    from geneface.media.video import VideoWriter

    monkeypatch.setenv("GENEFACE_ASSETS", str(shared / "models"))
    for frames, message in ((10, "at least 1 s"), (30, "a face is to be seen in only 0%")):
        with VideoWriter(tmp_path / "grey.mp4", (64, 64)) as writer:
            writer.write(np.full((frames, 64, 64, 3), 90, np.uint8))
        with pytest.raises(InputError, match=message):
            track_head(tmp_path / "grey.mp4")
