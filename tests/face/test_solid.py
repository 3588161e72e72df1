from pathlib import Path

import numpy as np
import torch

from geneface.face.face_model import FaceModel
from geneface.face.solid import BOX, CELLS, EMPTY, SOLID, head_volume


def state(volume: torch.Tensor, *place: float) -> int:
    """Of a place in cm."""
    share = (np.array(place) - BOX[0]) / (BOX[1] - BOX[0])
    x, y, z = (share * (np.array(CELLS[::-1]) - 1)).round().astype(int)
    return int(volume[z, y, x])


def ball(radius: float) -> FaceModel:
    """A ball of a head with landmarks of a face on it, and something inside of its mouth."""
    up, round_ = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 25), np.linspace(0, 2 * np.pi, 48))
    skin = radius * np.stack([np.cos(up) * np.sin(round_), np.sin(up), np.cos(up) * np.cos(round_)], -1)
    rows, columns = skin.shape[:2]
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    quads = np.stack([first, first + 1, first + columns + 1, first + columns], 1)
    inside = np.array([[-1.0, -3, 5], [1, -3, 5], [1, -4, 5], [-1, -4, 5]])
    mean = torch.from_numpy(np.concatenate([skin.reshape(-1, 3), inside])).float()
    quads = np.concatenate([quads, len(mean) - 4 + np.arange(4)[None]])
    points = torch.zeros(68, 3)
    points[:17] = torch.stack([torch.linspace(-7, 7, 17), torch.zeros(17), torch.full((17,), 3.0)], 1)
    points[:9, 1], points[:9, 2] = torch.linspace(3, -7, 9), torch.linspace(3, 9, 9)
    points[17:27, 1] = 5.0
    vertices = torch.cdist(points, mean).argmin(1)
    bases = torch.zeros(1, len(mean), 3)
    return FaceModel(
        mean, bases, bases, vertices, ("none",), torch.from_numpy(quads), bases[0, :, :2], torch.empty(0, 4)
    )


def test_a_ball_is_solid_inside_and_empty_before_its_face() -> None:
    volume = head_volume(ball(9.5), torch.zeros(1), torch.zeros(1))
    assert volume.shape == CELLS and volume.dtype == torch.uint8
    assert state(volume, 0, 2, 7) == SOLID
    assert state(volume, 0, 2, 12) == EMPTY
    assert state(volume, 0, 2, 9.2) == 0


def test_hair_may_be_above_and_aside_but_not_before_the_face() -> None:
    volume = head_volume(ball(9.5), torch.zeros(1), torch.zeros(1))
    assert state(volume, 0, 11, 4) == 0
    assert state(volume, 11, 0, 2) == 0
    assert state(volume, 0, 0, 12) == EMPTY


def test_the_fitted_model_has_a_nose_and_an_open_neck(shared: Path) -> None:
    face = FaceModel.load(shared / "models/ict_face_model.safetensors")
    volume = head_volume(face, torch.zeros(100), torch.zeros(57))
    nose = face.mean_landmarks[30].tolist()
    assert state(volume, nose[0], nose[1], nose[2] + 1.2) == EMPTY
    assert state(volume, nose[0], nose[1], nose[2] - 3.5) == SOLID
    # Behind the lips, where the model has a hollow, a head is solid; the neck is the torso's.
    assert state(volume, 0, -3.4, 8.5) == SOLID
    assert state(volume, 0, -12, 0) == 0
