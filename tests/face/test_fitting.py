"""The fit finds what made the points, on the real face model where it is here and on a small one elsewhere."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from geneface import metrics
from geneface.face.articulation import INDEX
from geneface.face.face_model import FaceModel
from geneface.face.fit_problem import FitSettings, solve_in_box
from geneface.face.fitting import default_intrinsics, fit_face


def test_box_solver_finds_the_constrained_minimum() -> None:
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(0)
    matrix, target = rng.normal(size=(8, 5)), rng.normal(size=8)
    hessian, gradient = torch.from_numpy(matrix.T @ matrix)[None], torch.from_numpy(-matrix.T @ target)[None]
    low, high = torch.full((1, 5), -0.1).double(), torch.full((1, 5), 0.3).double()
    expected = lsq_linear(matrix, target, bounds=(-0.1, 0.3)).x
    np.testing.assert_allclose(solve_in_box(hessian, gradient, low, high, 100)[0], expected, atol=1e-5)


@pytest.fixture(scope="module")
def face() -> FaceModel:
    path = Path(__file__).parents[3] / "shared/models/ict_face_model.safetensors"
    if not path.exists():
        pytest.skip("the folder ../shared of real recordings is not here")
    return FaceModel.load(path)


def _truth(face: FaceModel, frames: int = 60) -> tuple[torch.Tensor, torch.Tensor, np.ndarray, torch.Tensor]:
    """Expression [T, 57], rotations, points with 1 px noise, intrinsics: a nodding, talking head of 300 px."""
    rng = np.random.default_rng(0)
    time = np.arange(frames) / 25
    expression = torch.zeros(frames, 57)
    expression[:, INDEX["jawOpen"]] = torch.from_numpy(0.4 * np.clip(np.sin(2 * np.pi * 2 * time), 0, 1))
    expression[:, INDEX["mouthPucker"]] = torch.from_numpy(0.5 * np.clip(np.sin(2 * np.pi * 0.7 * time), 0, 1))
    expression[:, [INDEX["mouthSmile_L"], INDEX["mouthSmile_R"]]] = 0.2
    identity = torch.zeros(len(face.identity_basis))
    identity[:10] = torch.from_numpy(rng.normal(0, 0.7, 10))
    turns = np.stack([10 * np.sin(time), 20 * np.sin(0.7 * time), 5 * np.cos(time)], axis=1)
    rotation = np.diag([1.0, -1.0, -1.0]) @ Rotation.from_euler("xyz", turns, degrees=True).as_matrix()
    key = face.landmark_vertices
    head = face.mean[key] + torch.einsum("i,ivc->vc", identity, face.identity_basis[:, key]) + face.lm3d(expression)
    camera = torch.einsum("tij,tvj->tvi", torch.from_numpy(rotation).float(), head) + torch.tensor([1.0, 2.0, 60.0])
    intrinsics = default_intrinsics(512, 512)
    points = camera[..., :2] / camera[..., 2:] * intrinsics[0, 0] + 256
    return expression, torch.from_numpy(rotation), points.numpy() + rng.normal(0, 1, points.shape), intrinsics


@pytest.mark.real_data
def test_recovers_pose_and_landmarks_from_noisy_points(face: FaceModel) -> None:
    expression, rotation, points, intrinsics = _truth(face)
    # These points are exactly the model's, unlike MediaPipe's.
    exact = FitSettings(jaw_line=1.0, offset_prior=20.0)
    fit = fit_face(face, points, intrinsics, settings=exact)
    assert metrics.rotation_error(rotation.numpy(), fit.pose[:, :, :3].numpy()).mean() < 1.5
    truth, found = face.lm3d(expression).numpy(), face.lm3d(fit.expression).numpy()
    assert metrics.centred_rms_error(truth, found) < 1.5
    mean = face.mean_landmarks.numpy()
    assert metrics.pearson(metrics.lm3d_opening(truth, mean), metrics.lm3d_opening(found, mean)) > 0.97
    assert fit.expression.min() >= 0 and fit.expression.max() <= 1
    assert metrics.reprojection_error(points[:, 17:], fit.projected[:, 17:].numpy()) < 2.0


@pytest.mark.real_data
def test_points_without_weight_do_not_count(face: FaceModel) -> None:
    _, _, points, intrinsics = _truth(face, 10)
    weights = torch.ones(68)
    weights[[30, 66]] = 0
    settings = FitSettings(iterations=3)
    fit = fit_face(face, points, intrinsics, settings=settings, weights=weights)
    points[:, [30, 66]] += 50
    again = fit_face(face, points, intrinsics, settings=settings, weights=weights)
    torch.testing.assert_close(fit.expression, again.expression)


@pytest.mark.real_data
def test_a_real_mouth_opens_and_closes(shared: Path, face: FaceModel) -> None:
    from geneface.corpora.fit_corpus import fit_track, read_track

    corpus = shared / "data/corpus"
    with (corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        name = next(row["name"] for row in csv.DictReader(file) if row["split"] == "dev")
    track = read_track(corpus / f"tracks/{name}.npz")
    fitted = fit_track(track, face)
    assert fitted.opening_r > 0.97
    assert fitted.reprojection < 1.0
    mean = face.mean_landmarks.numpy()
    shut = metrics.mediapipe_opening(track.points) < 0.005
    opening = metrics.lm3d_opening(fitted.lm3d.numpy(), mean)
    assert shut.any() and opening[shut].mean() < 0.15 * np.percentile(opening, 90)
