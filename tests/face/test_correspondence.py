import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.face.correspondence import find_correspondence, read_canonical_mesh, similarity
from geneface.face.face_model import FaceModel
from geneface.face.landmarks import MEDIAPIPE_68


def geometry(floats: np.ndarray) -> bytes:
    """A protocol buffer like MediaPipe's: a mesh as field 1, its floats as field 3."""
    mesh = b"\x08\x00" + b"".join(b"\x1d" + struct.pack("<f", value) for value in floats)
    size, length = len(mesh), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return b"\x0a" + length + bytes([size]) + mesh


def test_the_mesh_is_read_from_the_task(tmp_path: Path) -> None:
    values = np.arange(468 * 5, dtype=np.float32)
    with zipfile.ZipFile(tmp_path / "a.task", "w") as archive:
        archive.writestr("geometry_pipeline_metadata_landmarks.binarypb", geometry(values))
    mesh = read_canonical_mesh(tmp_path / "a.task")
    assert mesh.shape == (468, 3) and mesh[2].tolist() == [10, 11, 12]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.task").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"face_landmarker\.task"):
        read_canonical_mesh(tmp_path / "a.task")
    with zipfile.ZipFile(tmp_path / "b.task", "w") as archive:
        archive.writestr("geometry_pipeline_metadata_landmarks.binarypb", geometry(np.zeros(12)))
    with pytest.raises(InputError, match=r"face_landmarker\.task"):
        read_canonical_mesh(tmp_path / "b.task")


def test_a_similarity_is_found_again() -> None:
    rng = np.random.default_rng(0)
    points, angle = rng.normal(size=(20, 3)), 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    moved = 1.7 * points @ turn.T + [1, 2, 3]
    np.testing.assert_allclose(similarity(points, moved)(points), moved, atol=1e-9)


@pytest.mark.real_data
def test_points_lie_where_they_belong(shared: Path) -> None:
    face = FaceModel.load(shared / "models/ict_face_model.safetensors")
    found = find_correspondence(shared / "models/face_landmarker.task", face)
    assert len(found.points) > 300 and not set(found.points) & set(MEDIAPIPE_68.tolist())
    assert (found.places - face.mean[found.vertices]).norm(dim=-1).max() < 0.8
    place = dict(zip(found.points.tolist(), found.places, strict=True))
    # Forehead above the brow, one cheek on either side, symmetric about the middle.
    assert place[10][1] > face.mean_landmarks[19, 1] and abs(place[10][0]) < 0.3
    assert place[50][0] < -2 and place[280][0] > 2
    assert abs(place[50][0] + place[280][0]) < 0.3 and abs(place[50][1] - place[280][1]) < 0.3
