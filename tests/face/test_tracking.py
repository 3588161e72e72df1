"""Tracking a video finds what made the points: pose, expression, camera; noise, bad frames and gaps do little harm."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from geneface import metrics
from geneface.face.articulation import INDEX
from geneface.face.face_model import FaceModel
from geneface.face.fit_problem import SurfacePoints
from geneface.face.landmarks import MEDIAPIPE_68
from geneface.face.tracking import Observation, Track, camera_matrix, track_face

FRAMES, SIZE = 300, 512


@pytest.fixture(scope="module")
def face() -> FaceModel:
    path = Path(__file__).parents[3] / "shared/models/ict_face_model.safetensors"
    if not path.exists():
        pytest.skip("the folder ../shared of real recordings is not here")
    return FaceModel.load(path)


@pytest.fixture(scope="module")
def surface(face: FaceModel) -> SurfacePoints:
    """The 68 landmarks and 100 more vertices of the front of the face."""
    front = torch.nonzero(face.mean[:6706, 2] > 2)[:, 0]
    vertices = front[torch.linspace(0, len(front) - 1, 100).long()]
    return SurfacePoints.of(face, vertices, face.mean[vertices])


def talking(face: FaceModel, frames: int = FRAMES) -> torch.Tensor:
    """[T, 57]: a mouth that opens, rounds and smiles, eyes that blink."""
    time = np.arange(frames) / 25
    expression = torch.zeros(frames, len(face.expression_names))
    for name, course in (
        ("jawOpen", 0.4 * np.clip(np.sin(2 * np.pi * 2 * time), 0, 1)),
        ("mouthPucker", 0.5 * np.clip(np.sin(2 * np.pi * 0.7 * time), 0, 1)),
        ("mouthSmile_L", 0.2 + 0 * time),
        ("mouthSmile_R", 0.2 + 0 * time),
        ("eyeBlink_L", np.clip(10 * np.sin(2 * np.pi * 0.3 * time) - 9, 0, 1)),
        ("eyeBlink_R", np.clip(10 * np.sin(2 * np.pi * 0.3 * time) - 9, 0, 1)),
    ):
        expression[:, INDEX[name]] = torch.from_numpy(course).float()
    return expression


def observe(
    surface: SurfacePoints, expression: torch.Tensor, turns: np.ndarray, focal: float, noise: float = 1.0
) -> tuple[Observation, np.ndarray]:
    """A head of some 300 pixels in a picture of 512, turned by `turns` [T, 3] degrees -> also its rotations."""
    rng = np.random.default_rng(0)
    identity = torch.zeros(len(surface.identity_basis)).double()
    identity[:10] = torch.from_numpy(rng.normal(0, 0.7, 10))
    head = surface.mean + torch.einsum("i,ivc->vc", identity, surface.identity_basis)
    head = head + torch.einsum("te,evc->tvc", expression.double(), surface.expression_basis)
    rotation = np.diag([1.0, -1.0, -1.0]) @ Rotation.from_euler("xyz", turns, degrees=True).as_matrix()
    place = torch.tensor([1.0, 2.0, 30.0 * focal]).double()
    camera = torch.einsum("tij,tvj->tvi", torch.from_numpy(rotation), head) + place
    points = camera[..., :2] / camera[..., 2:] * focal * SIZE + SIZE / 2
    seen = (points + noise * torch.from_numpy(rng.normal(size=points.shape))).float().numpy()
    frames = len(seen)
    start = np.zeros(expression.shape, np.float32)
    every = np.arange(frames)
    return Observation(surface, seen, every, np.arange(seen.shape[1]), start, np.ones(frames, bool)), rotation


def nodding(frames: int = FRAMES) -> np.ndarray:
    time = np.arange(frames) / 25
    return np.stack([8 * np.sin(2 * time), 20 * np.sin(1.3 * time), 5 * np.cos(2 * time)], axis=1)


def track(observation: Observation) -> Track:
    return track_face(observation, 100, SIZE, range(int(0.8 * len(observation.rows))))


@pytest.mark.real_data
@pytest.mark.parametrize("focal", [1.5, 3.0])
def test_finds_pose_expression_and_camera(face: FaceModel, surface: SurfacePoints, focal: float) -> None:
    expression = talking(face)
    observation, rotation = observe(surface, expression, nodding(), focal)
    found = track(observation)
    assert metrics.rotation_error(rotation, found.pose[:, :, :3].numpy()).mean() < 1.5
    assert 0.7 < float(found.intrinsics[0, 0]) / SIZE / focal < 1.4
    truth, lm3d = face.lm3d(expression).numpy(), face.lm3d(found.expression).numpy()
    assert metrics.centred_rms_error(truth, lm3d) < 1.5
    mean = face.mean_landmarks.numpy()
    assert metrics.pearson(metrics.lm3d_opening(truth, mean), metrics.lm3d_opening(lm3d, mean)) > 0.97
    assert found.expression.shape == (FRAMES, 57) and found.identity.shape == (100,)


@pytest.mark.real_data
def test_a_still_head_is_still(face: FaceModel, surface: SurfacePoints) -> None:
    observation, _ = observe(surface, torch.zeros(100, 57), np.tile([3.0, -10.0, 2.0], (100, 1)), 2.4)
    rotation = track(observation).pose[:, :, :3].numpy()
    assert metrics.rotation_error(rotation[1:], rotation[:-1]).mean() < 0.3


@pytest.mark.real_data
def test_bad_and_lost_frames_lean_on_their_neighbours(face: FaceModel, surface: SurfacePoints) -> None:
    frames = 120
    observation, rotation = observe(surface, talking(face, frames), nodding(frames), 2.4)
    points, valid = observation.points.copy(), observation.valid.copy()
    points[40:43] += np.random.default_rng(1).normal(0, 40, points[40:43].shape)
    valid[80:84] = False
    points[80:84] = points[79]
    damaged = Observation(surface, points, observation.rows, observation.columns, observation.start, valid)
    error = metrics.rotation_error(rotation, track(damaged).pose[:, :, :3].numpy())
    assert error[40:43].max() < 3 and error[80:84].max() < 3
    assert np.delete(error, [*range(38, 45), *range(78, 86)]).max() < 3


@pytest.mark.real_data
def test_chunks_join_without_a_step(face: FaceModel, surface: SurfacePoints) -> None:
    observation, _ = observe(surface, talking(face), nodding(), 2.4)
    pose = track(observation).pose.numpy()
    bend = np.abs(np.diff(pose, n=2, axis=0)).max(axis=(1, 2))
    assert bend[247:252].max() < np.percentile(bend, 99.5) * 1.5


def test_the_camera_looks_through_the_middle() -> None:
    expected = [[1024.0, 0, 256], [0, 1024, 256], [0, 0, 1]]
    assert camera_matrix(2.0, 512).tolist() == expected


@pytest.mark.real_data
@pytest.mark.slow
def test_left_out_landmarks_of_a_real_face(shared: Path, face: FaceModel) -> None:
    """docs/measures.md: every fifth of the points that map to the mesh plays no part in the fit."""
    pytest.importorskip("mediapipe")
    from itertools import islice

    from scipy.interpolate import RBFInterpolator

    from geneface.face.correspondence import find_correspondence
    from geneface.face.landmarks import LandmarkDetector, expression_from_blendshapes
    from geneface.media.video import VideoReader

    task = shared / "models/face_landmarker.task"
    extra = find_correspondence(task, face)
    whole = SurfacePoints.of(face, extra.vertices, extra.places)
    order = np.concatenate([MEDIAPIPE_68, extra.points])
    left_out = np.isin(order, np.sort(order)[::5])
    with VideoReader(shared / "data/person/german_20s.mp4") as video, LandmarkDetector(task) as detector:
        seen = detector.detect(islice(video, 500))
    start = expression_from_blendshapes(seen.blendshapes, face.expression_names)
    weights = torch.from_numpy(~left_out).double()
    observation = Observation(whole, seen.points, np.arange(len(seen.valid)), order, start, seen.valid)
    found = track_face(observation, 100, SIZE, range(400), weights=weights)
    offset = found.offset.clone()
    # Of a point that was left out, from those around it on the mean face.
    around = RBFInterpolator(
        whole.mean[~left_out].numpy(), found.offset[~left_out].double().numpy(), neighbors=30, kernel="linear"
    )
    offset[left_out] = torch.from_numpy(around(whole.mean[left_out].numpy())).to(offset)
    projected = found.project(whole, offset).numpy()
    error = metrics.reprojection_error(seen.points[:, order[left_out], :2], projected[:, left_out])
    bare = metrics.reprojection_error(
        seen.points[:, order[left_out], :2], found.project(whole, 0 * offset).numpy()[:, left_out]
    )
    print(f"left-out landmarks: {error:.2f} px; without offsets {bare:.2f} px")
    assert error < 2.5
    assert bare < 3.5
