"""Other people's face models in the project's format: ICT-FaceKit's folder of meshes, and BFM-2009."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from geneface.errors import InputError

NEUTRAL, INDICES, FOLDER = "generic_neutral_mesh.obj", "vertex_indices.json", "FaceXModel"
NOT_A_MODEL = "name the folder of a clone of github.com/ICT-VGL/ICT-FaceKit"


def convert_ict(source: str | Path, target: str | Path) -> None:
    """Write the face model of an ICT-FaceKit clone, or of its folder FaceXModel, as safetensors.

    Raises `InputError` if it is none, or is not complete.
    """
    folder = Path(source)
    if (folder / FOLDER).is_dir():
        folder = folder / FOLDER
    names = [path.name for path in folder.glob("*")]
    _convert(names, lambda name: (folder / name).read_text(encoding="utf-8"), str(source), Path(target))


def convert_archive(archive: Path, target: Path) -> None:
    """The same from GitHub's zip archive of the repository."""
    try:
        with zipfile.ZipFile(archive) as file:
            paths = {Path(name).name: name for name in file.namelist() if Path(name).parent.name == FOLDER}
            _convert(paths, lambda name: file.read(paths[name]).decode("utf-8"), str(archive), target)
    except zipfile.BadZipFile:
        raise InputError(f"{archive} is not a zip archive; fetch it again") from None


def _convert(names: Iterable[str], read: Callable[[str], str], source: str, target: Path) -> None:
    meshes = {name for name in names if name.endswith(".obj")}
    identities = sorted(name for name in meshes if name.startswith("identity"))
    try:
        landmarks = json.loads(read(INDICES))["idx_to_landmark_verts"]
        mean, faces, uv, uv_faces = read_mesh(read(NEUTRAL), NEUTRAL)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{source} is not ICT-FaceKit ({error}); {NOT_A_MODEL}") from None
    expressions = sorted(meshes - set(identities) - {NEUTRAL})
    if not identities or not expressions:
        raise InputError(f"{source} has no meshes of identities or expressions beside the neutral one; {NOT_A_MODEL}")

    def basis(files: list[str]) -> torch.Tensor:
        steps = np.empty((len(files), *mean.shape), np.float16)
        for index, name in enumerate(files):
            vertices = _vertices(read(name), name)
            if vertices.shape != mean.shape:
                raise InputError(f"{name} of {source} has {len(vertices)} vertices, not {len(mean)}; get it again")
            steps[index] = vertices - mean
        return torch.from_numpy(steps)

    save_file(
        {
            "mean": torch.from_numpy(mean.astype(np.float32)),
            "identity_basis": basis(identities),
            "expression_basis": basis(expressions),
            "landmarks_68": torch.tensor(landmarks, dtype=torch.int32),
            "faces": torch.from_numpy(faces),
            "uv": torch.from_numpy(uv),
            "uv_faces": torch.from_numpy(uv_faces),
        },
        target,
        metadata={
            "expression_names": json.dumps([Path(name).stem for name in expressions]),
            "source": "ICT-VGL/ICT-FaceKit",
            "license": "MIT, Copyright (c) 2020 USC Institute for Creative Technologies",
            "units": "centimetres",
        },
    )


def _vertices(text: str, name: str) -> np.ndarray:
    rows = [line.split()[1:4] for line in text.splitlines() if line.startswith("v ")]
    try:
        return np.array(rows, np.float64).reshape(-1, 3)
    except ValueError as error:
        raise InputError(f"{name} is not a Wavefront mesh ({error}); get it again") from None


def read_mesh(text: str, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices [V, 3], faces [F, 4] (-1 pads triangles), texture places [U, 2] and their faces [F, 4]."""
    uv = [line.split()[1:3] for line in text.splitlines() if line.startswith("vt ")]
    faces, uv_faces = [], []
    for line in text.splitlines():
        if line.startswith("f "):
            corners = [corner.split("/") for corner in line.split()[1:]]
            pad = [-1] * (4 - len(corners))
            faces.append([int(corner[0]) - 1 for corner in corners] + pad)
            uv_faces.append([int(corner[1]) - 1 for corner in corners] + pad)
    return (
        _vertices(text, name),
        np.array(faces, np.int32),
        np.array(uv, np.float64).astype(np.float32),
        np.array(uv_faces, np.int32),
    )


def tensors_digest(path: str | Path) -> str:
    """SHA-256 over names, types, shapes and contents of a safetensors file's tensors, whatever its metadata."""
    digest = hashlib.sha256()
    with safe_open(path, framework="np") as file:
        for name in sorted(file.keys()):
            tensor: np.ndarray = file.get_tensor(name)
            digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
            digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()
