"""Where MediaPipe's points lie on a face model: its canonical mesh, bent onto the model's mean face."""

import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from geneface.errors import InputError
from geneface.face.face_model import FaceModel
from geneface.face.landmarks import MEDIAPIPE_68

GEOMETRY = "geometry_pipeline_metadata_landmarks.binarypb"
CANONICAL_POINTS, CANONICAL_FLOATS = 468, 5
FARTHEST = 0.6
"""cm from the model's surface beyond which a point of the bent mesh has no counterpart there."""
INNER_LIPS = np.array([191, 80, 81, 311, 310, 415, 95, 88, 178, 402, 318, 324])
"""Where the lips touch, the nearest vertex may be on the other lip."""


@dataclass(frozen=True)
class Correspondence:
    """MediaPipe's points beyond the 68 that have a place on a face model."""

    points: np.ndarray
    """[n] indices into MediaPipe's 478, ascending"""
    vertices: torch.Tensor
    """[n] the model's vertex nearest to each"""
    places: torch.Tensor
    """[n, 3] where each lies on the mean face, cm"""


def find_correspondence(task: str | Path, face: FaceModel) -> Correspondence:
    """Bend the canonical mesh in `face_landmarker.task` onto the mean face by the 68 points, then drop it on it."""
    from scipy.interpolate import RBFInterpolator
    from scipy.spatial import cKDTree

    canonical = read_canonical_mesh(task)
    source, target = canonical[MEDIAPIPE_68[17:]], face.mean_landmarks[17:].double().numpy()
    aligned = similarity(source, target)(canonical)
    # MediaPipe's jaw line is none of the model's, so only the inner points bend the mesh.
    bend = RBFInterpolator(aligned[MEDIAPIPE_68[17:]], target, kernel="thin_plate_spline", smoothing=0.05)
    bent = bend(aligned)
    vertices = _front(face)
    surface = face.mean[vertices].double().numpy()
    tree = cKDTree(surface)
    distance, nearest = tree.query(bent, k=4)
    # Between vertices: the foot of the point on the plane through the nearest four.
    normal = np.linalg.svd(surface[nearest] - surface[nearest].mean(1, keepdims=True))[2][:, 2]
    height = ((bent - surface[nearest].mean(1)) * normal).sum(-1, keepdims=True)
    feet = bent - height * normal
    chosen = np.setdiff1d(np.flatnonzero(distance[:, 0] < FARTHEST), [*MEDIAPIPE_68, *INNER_LIPS])
    return Correspondence(
        chosen, torch.from_numpy(vertices[nearest[chosen, 0]]), torch.from_numpy(feet[chosen]).float()
    )


def similarity(source: np.ndarray, target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The turn, scale and shift that best take points [n, 3] to points [n, 3], as a function (Umeyama 1991)."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, singular, v = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    rotation = (u * sign) @ v
    scale = (singular * sign).sum() / (a**2).sum()
    return lambda points: (points - source.mean(0)) @ rotation.T * scale + target.mean(0)


def _front(face: FaceModel) -> np.ndarray:
    """Vertices of the piece of the mesh that holds the nose: no eyeballs, no inside of the mouth."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    quads = face.faces.numpy()
    start = quads.T.ravel()
    end = np.roll(np.where(quads < 0, quads[:, :1], quads), -1, axis=1).T.ravel()
    start = np.where(start < 0, end, start)
    graph = coo_matrix((np.ones(len(start)), (start, end)), shape=(len(face.mean),) * 2)
    _, piece = connected_components(graph, directed=False)
    return np.flatnonzero(piece == piece[int(face.landmark_vertices[30])])


def read_canonical_mesh(task: str | Path) -> np.ndarray:
    """[468, 3] in MediaPipe's own centimetres, from the geometry that `face_landmarker.task` carries."""
    try:
        with zipfile.ZipFile(task) as archive:
            content = archive.read(GEOMETRY)
        mesh = next(value for number, value in _fields(content) if number == 1 and isinstance(value, bytes))
        floats = [value for number, value in _fields(mesh) if number == 3 and isinstance(value, float)]
        return np.array(floats).reshape(CANONICAL_POINTS, CANONICAL_FLOATS)[:, :3]
    except (OSError, KeyError, zipfile.BadZipFile, StopIteration, ValueError, IndexError, struct.error) as error:
        raise InputError(
            f"{task} is not MediaPipe's face_landmarker.task ({error}); get it again with `geneface assets --fetch`"
        ) from None


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """(number, value) of each field of a protocol buffer."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
        elif kind == 5:
            yield number, struct.unpack_from("<f", message, at)[0]
            at += 4
        elif kind == 2:
            size = varint()
            yield number, message[at : at + size]
            at += size
        else:
            raise ValueError(f"a field of the unexpected kind {kind}")
