"""The parts of ICT-FaceKit's mesh, as triangles with one vertex per (position, texture coordinate) pair."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix

from geneface.face.face_model import FaceModel

from .noise import smoothstep

# name: (first polygon, end). The lacrimal, blend and occlusion parts are shading helpers that are left out.
PARTS: dict[str, tuple[int, int]] = {
    "face": (0, 9230),
    "head": (9230, 11144),
    "socket": (11144, 13226),
    "eye_socket_left": (13226, 13630),
    "eye_socket_right": (13630, 14034),
    "gums": (14034, 17006),
    "teeth": (17006, 21496),
    "sclera_left": (21496, 22296),
    "iris_left": (22296, 23094),
    "sclera_right": (23094, 23894),
    "iris_right": (23894, 24692),
    "lashes_left": (25304, 25844),
    "lashes_right": (25844, 26384),
}


def triangulate(polygons: np.ndarray) -> np.ndarray:
    """Triangles [M, 3] of quads [N, 4] in which -1 in the last column marks a triangle."""
    quads = polygons[polygons[:, 3] >= 0]
    return np.concatenate([polygons[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


@dataclass(frozen=True)
class Part:
    """Render vertices of one part: `vertex` [K] indexes the face model's mesh, `uv` [K, 2], `triangles` [M, 3]."""

    name: str
    vertex: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray


class ActorMesh:
    """The face model with one identity: its parts, and the mesh and its normals for any expression."""

    def __init__(self, model: FaceModel, identity: np.ndarray, neck: float = 1.0):
        """`neck` scales the neck's width; no landmark lies on it."""
        self.model = model
        self.identity = identity.astype(np.float32)
        self.mean = model.mean.numpy()
        offset = torch.einsum("i,ivc->vc", torch.from_numpy(self.identity), model.identity_basis)
        self.neutral = _with_neck((model.mean + offset).numpy(), neck)
        self._basis = model.expression_basis.reshape(len(model.expression_names), -1)
        polygons, uv_polygons, uv = model.faces.numpy(), model.uv_faces.numpy(), model.uv.numpy()
        self.parts = {
            name: _part(name, polygons[first:end], uv_polygons[first:end], uv) for name, (first, end) in PARTS.items()
        }
        drawn = np.concatenate([polygons[first:end] for first, end in PARTS.values()])
        self.triangles = triangulate(drawn)
        self._scatter = _scatter_matrix(self.triangles, len(self.mean))

    def vertices(self, expression: np.ndarray) -> np.ndarray:
        """Mesh [V, 3] of one expression [N_e], in the head frame."""
        weights = torch.from_numpy(expression.astype(np.float32))
        return self.neutral + torch.mv(self._basis.T, weights).reshape(-1, 3).numpy()

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Smooth unit normals [V, 3]: area-weighted means over the adjoining triangles."""
        corner = vertices[self.triangles]
        normal = self._scatter @ np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)


def _with_neck(vertices: np.ndarray, width: float) -> np.ndarray:
    height = vertices[:, 1] + 0.33 * (vertices[:, 2] - 4.0)
    factor = 1.0 - (1.0 - width) * smoothstep(-6.6, -9.5, height)
    scaled = vertices.copy()
    scaled[:, 0] *= factor
    scaled[:, 2] = (vertices[:, 2] + 1.0) * (0.5 + 0.5 * factor) - 1.0
    return scaled


def _part(name: str, polygons: np.ndarray, uv_polygons: np.ndarray, uv: np.ndarray) -> Part:
    triangles, uv_triangles = triangulate(polygons), triangulate(uv_polygons)
    pairs = np.stack([triangles.reshape(-1), uv_triangles.reshape(-1)], axis=1)
    unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return Part(name, unique[:, 0], uv[unique[:, 1]].astype(np.float32), inverse.reshape(-1, 3).astype(np.int32))


def _scatter_matrix(triangles: np.ndarray, vertices: int) -> csr_matrix:
    rows = triangles.reshape(-1)
    columns = np.repeat(np.arange(len(triangles)), 3)
    values = np.ones(len(rows), np.float32)
    return coo_matrix((values, (rows, columns)), shape=(vertices, len(triangles))).tocsr()
