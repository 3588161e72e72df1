"""How far the eyes are shut, from the eyelids' landmarks."""

import numpy as np

from geneface.face.ibug68 import LEFT_EYE, RIGHT_EYE

SHUT = 0.3
"""Opening of a shut eye over that of an open one: the points stay apart by the lashes."""
OPEN_PERCENTILE = 70


def eye_opening(landmarks: np.ndarray) -> np.ndarray:
    """Height over width of both eyes [T], from 68 points [T, 68, 2]."""

    def ratio(eye: np.ndarray) -> np.ndarray:
        def gap(first: int, second: int) -> np.ndarray:
            return np.linalg.norm(eye[:, first, :2] - eye[:, second, :2], axis=-1)

        return (gap(1, 5) + gap(2, 4)) / (2 * gap(0, 3) + 1e-6)

    return np.mean([ratio(landmarks[:, eye]) for eye in (RIGHT_EYE, LEFT_EYE)], axis=0)


def eye_closure(landmarks: np.ndarray, train: range) -> np.ndarray:
    """0 (open) to 1 (shut) [T] float32; what open is for this person comes from the frames of `train`."""
    opening = eye_opening(landmarks)
    usual = float(np.percentile(opening[train.start : train.stop], OPEN_PERCENTILE))
    return np.clip((usual - opening) / ((1 - SHUT) * usual), 0, 1).astype(np.float32)
