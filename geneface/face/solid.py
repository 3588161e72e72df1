"""Where a head must be solid and where empty, by the fitted face model: what a video cannot tell of depth."""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from geneface.face.face_model import FaceModel

BOX = np.array([[-11.5, -17.0, -5.0], [11.5, 16.5, 14.5]])
"""Least and greatest corner, in cm of the head frame."""
CELLS = (60, 100, 70)
"""By z, y and x: about a third of a centimetre each."""
EMPTY, SOLID = 1, 2
"""Of `head_volume`; 0 is not known."""
BARE, HAIR = 0.4, 4.0
"""cm by which the person may stand out before the model, where the face is bare and where hair may be."""
DEEP = 0.7
"""cm under the skin from which on nothing shines through: deeper than the fit errs."""
SECTOR, SLICE = np.radians(3.0), 0.4
"""Angle and height (cm) of the cells round the head's axis in which the skin is looked for."""
CROWN = 1.5
"""cm under its highest point at which a head is taken to be flat above."""
STEEPEST = 1.8
POINTS = 6
"""Samples along the sides of a polygon."""


def head_volume(face: FaceModel, identity: torch.Tensor, expression: torch.Tensor) -> torch.Tensor:
    """[*CELLS] uint8: `EMPTY`, `SOLID`, or not known.

    Args:
        identity: [N_i].
        expression: [N_e], of the face at rest.
    """
    vertices = face.mesh(identity, expression[None])[0].double().numpy()
    landmarks = vertices[face.landmark_vertices.numpy()]
    axes = [np.linspace(BOX[0, i], BOX[1, i], CELLS[2 - i]) for i in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    outside = _distance(x, y, z, _polygon_points(face, vertices))
    known = np.zeros(CELLS, np.uint8)
    known[outside > BARE + (HAIR - BARE) * _hairy(x, y, z, landmarks)] = EMPTY
    jaw = landmarks[:9]
    above_neck = y > np.interp(z, jaw[:, 2], jaw[:, 1]) + 0.5
    known[(outside < -DEEP) & above_neck] = SOLID
    return torch.from_numpy(known)


def _polygon_points(face: FaceModel, vertices: np.ndarray) -> np.ndarray:
    """[N, 3], dense on all polygons."""
    quads = face.faces.numpy()
    corners = vertices[np.where(quads < 0, quads[:, [0]], quads)]
    s = np.linspace(0, 1, POINTS)
    u, v = np.meshgrid(s, s)
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], -1).reshape(-1, 4)
    return np.einsum("pk,fkc->fpc", weights, corners).reshape(-1, 3)


def _distance(x: np.ndarray, y: np.ndarray, z: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """About how far, in cm, places lie outside of the outermost skin, seen from the head's axis."""
    low, high = BOX[0, 1] - 1, skin[:, 1].max()
    rows, columns = int((high - low) / SLICE) + 1, round(2 * np.pi / SECTOR)
    row = ((skin[:, 1] - low) / SLICE).astype(int)
    column = (np.arctan2(skin[:, 0], skin[:, 2]) / SECTOR).round().astype(int) % columns
    radius = np.full((rows, columns), -1.0)
    inside = row >= 0
    np.maximum.at(radius, (row[inside], column[inside]), np.hypot(skin[inside, 0], skin[inside, 2]))
    radius = radius[tuple(distance_transform_edt(radius < 0, return_distances=False, return_indices=True))]
    radius = gaussian_filter(radius, 0.5, mode=("nearest", "wrap"))
    slope = np.hypot(np.gradient(radius, SLICE, axis=0), np.gradient(radius, SECTOR, axis=1) / radius.clip(1.0))
    place = np.stack([(y - low) / SLICE - 0.5, np.arctan2(x, z) / SECTOR % columns])
    there, steep = (
        map_coordinates(map_, place, order=1, mode="grid-wrap")
        for map_ in (radius, np.hypot(1, slope).clip(1, STEEPEST))
    )
    above = (y - high).clip(0)
    crown = radius[int((high - CROWN - low) / SLICE)].mean()
    beside = np.hypot(x, z)
    return np.where(above > 0, np.hypot((beside - crown).clip(0), above), (beside - there) / steep)


def _hairy(x: np.ndarray, y: np.ndarray, z: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """From 0 before the bare face to 1 where hair may grow or fall: above the brows, at the sides, below the chin."""
    jaw, brows = landmarks[:17], landmarks[17:27]
    above = y - brows[:, 1].max() - 1.0
    aside = np.abs(x) - 0.78 * np.abs(jaw[:, 0]).max()
    below = jaw[:, 1].min() - y + 0.5
    behind = jaw[0, 2] + 1.5 - z
    return np.clip(np.maximum.reduce([above, aside, below, behind]) / 1.5, 0, 1)
