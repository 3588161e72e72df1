import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.io import savemat

from geneface.cli import main
from geneface.errors import InputError
from geneface.face.convert import convert_archive, convert_ict, tensors_digest
from geneface.face.face_model import FaceModel

FACES = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3 4/4\nf 1/1 3/3 4/4\n"


def mesh(shift: float) -> str:
    return "# a mesh\n" + "".join(f"v {i + shift} {i * 2} {-i}\n" for i in range(4)) + FACES


@pytest.fixture
def ict(tmp_path: Path) -> Path:
    folder = tmp_path / "ICT-FaceKit" / "FaceXModel"
    folder.mkdir(parents=True)
    for name, shift in (("generic_neutral_mesh", 0), ("identity001", 2), ("identity000", 1), ("jawOpen", 3)):
        (folder / f"{name}.obj").write_text(mesh(shift))
    (folder / "browDown_L.obj").write_text(mesh(4))
    (folder / "vertex_indices.json").write_text(json.dumps({"idx_to_landmark_verts": [0, 1, 2, 3] * 17}))
    return folder.parent


def test_a_clone_becomes_a_face_model(ict: Path, tmp_path: Path) -> None:
    assert main(["face-model", str(ict), "-o", str(tmp_path / "face.safetensors")]) == 0
    face = FaceModel.load(tmp_path / "face.safetensors")
    assert face.expression_names == ("browDown_L", "jawOpen")
    assert face.mean[2].tolist() == [2, 4, -2]
    assert face.identity_basis[:, 0, 0].tolist() == [1, 2] and face.expression_basis[:, 3, 0].tolist() == [4, 3]
    assert face.faces.tolist() == [[0, 1, 2, 3], [0, 2, 3, -1]]
    assert face.lm3d(torch.tensor([[0.0, 1.0]]))[0, 5].tolist() == [3, 0, 0]


def test_the_archive_gives_the_same(ict: Path, tmp_path: Path) -> None:
    convert_ict(ict, tmp_path / "a.safetensors")
    with zipfile.ZipFile(tmp_path / "ict.zip", "w") as archive:
        for path in (ict / "FaceXModel").iterdir():
            archive.write(path, f"ICT-FaceKit-da5f95a/FaceXModel/{path.name}")
    convert_archive(tmp_path / "ict.zip", tmp_path / "b.safetensors")
    assert tensors_digest(tmp_path / "a.safetensors") == tensors_digest(tmp_path / "b.safetensors")


def test_what_is_none_or_incomplete_is_refused(ict: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not ICT-FaceKit"):
        convert_ict(tmp_path, tmp_path / "a.safetensors")
    for path in (ict / "FaceXModel").glob("identity*"):
        path.unlink()
    with pytest.raises(InputError, match="no meshes of identities"):
        convert_ict(ict, tmp_path / "a.safetensors")


def test_a_bfm_file_becomes_a_face_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mean, identity, expression = rng.normal(size=300), rng.normal(size=(300, 5)), rng.normal(size=(300, 2))
    savemat(
        tmp_path / "BFM_model_front.mat",
        {
            "meanshape": mean[None],
            "idBase": identity,
            "exBase": expression,
            "keypoints": np.arange(1, 69)[None],
            "tri": np.array([[1, 2, 3], [4, 5, 6]]),
        },
    )
    target = tmp_path / "bfm.safetensors"
    assert main(["face-model", str(tmp_path / "BFM_model_front.mat"), "-o", str(target)]) == 0
    face = FaceModel.load(target)
    assert face.mean.shape == (100, 3) and face.mean.mean(0).abs().max() < 1e-5
    assert (face.mean[7] - face.mean[0]).tolist() == pytest.approx(list(10 * (mean[21:24] - mean[:3])), abs=1e-5)
    assert face.identity_basis[3, 7].tolist() == pytest.approx(list(10 * identity[21:24, 3]), rel=2e-3)
    assert face.expression_names[2:] == ("component01_up", "component01_down")
    moved = face.lm3d(torch.tensor([[0, 0, 0, 1.0]]))[0, 7]
    assert moved.tolist() == pytest.approx(list(-30 * expression[21:24, 1]), rel=2e-3)
    assert face.landmark_vertices[0] == 0 and face.faces.tolist() == [[0, 1, 2, -1], [3, 4, 5, -1]]


def test_another_mat_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    savemat(tmp_path / "other.mat", {"x": np.zeros(3)})
    (tmp_path / "junk.mat").write_bytes(b"junk")
    for name in ("other.mat", "junk.mat", "nothing.mat"):
        assert main(["face-model", str(tmp_path / name), "-o", str(tmp_path / "a.safetensors")]) == 2
        assert "BFM_model_front.mat" in capsys.readouterr().err


@pytest.mark.real_data
def test_the_original_files_give_the_known_tensors(shared: Path, tmp_path: Path) -> None:
    convert_ict(shared / "models/ict_facekit_sample", tmp_path / "sample.safetensors")
    found, known = load_file(tmp_path / "sample.safetensors"), load_file(shared / "models/ict_face_model.safetensors")
    names = FaceModel.load(shared / "models/ict_face_model.safetensors").expression_names
    known["identity_basis"] = known["identity_basis"][:1]
    known["expression_basis"] = known["expression_basis"][names.index("jawOpen")][None]
    for name, tensor in known.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name
