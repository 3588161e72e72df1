"""A face's shape: a random identity of the face model, and how it is then steered in centimetres."""

import numpy as np

from geneface.face.face_model import FaceModel

# Distances between pairs of the 68 landmarks, averaged, along an axis (0 across, 1 up, 2 forwards).
_TRAITS: dict[str, tuple[tuple[tuple[int, int], ...], int]] = {
    "face_width": (((2, 14), (1, 15)), 0),
    "jaw_width": (((4, 12), (5, 11)), 0),
    "chin_width": (((6, 10),), 0),
    "chin_height": (((57, 8),), 1),
    "nose_width": (((31, 35),), 0),
    "nose_length": (((27, 33),), 1),
    "nose_forward": (((30, 33),), 2),
    "mouth_width": (((48, 54),), 0),
    "upper_lip": (((51, 62),), 1),
    "lower_lip": (((66, 57),), 1),
    "eye_opening": (((37, 41), (38, 40), (43, 47), (44, 46)), 1),
    "eye_width": (((36, 39), (42, 45)), 0),
    "eye_distance": (((39, 42),), 0),
    "brow_height": (((19, 37), (24, 44)), 1),
}
_EFFORT = 0.02
"""Squared centimetres that one unit of coefficients is worth: higher stays nearer to the random face."""


def choose_identity(
    model: FaceModel, seed: int, character: float = 1.0, traits: dict[str, float] | None = None
) -> np.ndarray:
    """Identity coefficients [100]: of the random face `seed`, `character` times as far from the mean, then changed.

    `traits` are changes of distances in cm; those not named are kept as far as the face model allows. Seed 0 is the
    mean face.
    """
    count = len(model.identity_basis)
    spread = np.where(np.arange(count) < 40, 0.6, 0.3)
    identity = (
        np.clip(np.random.default_rng(seed).standard_normal(count), -1.6, 1.6) * spread * (seed != 0) * character
    )
    if not traits:
        return identity
    basis = model.identity_basis[:, model.landmark_vertices].numpy()
    mean = model.mean_landmarks.numpy()
    effect, wanted = [], []
    for name, (pairs, axis) in _TRAITS.items():
        sign = np.sign(sum(mean[b, axis] - mean[a, axis] for a, b in pairs))
        effect.append(sign * np.mean([basis[:, b, axis] - basis[:, a, axis] for a, b in pairs], axis=0))
        wanted.append(traits.get(name, 0.0))
    matrix = np.stack(effect)
    # The least change of coefficients that does it, more or less (ridge regression).
    change = matrix.T @ np.linalg.solve(matrix @ matrix.T + _EFFORT * np.eye(len(matrix)), np.array(wanted))
    return identity + change
