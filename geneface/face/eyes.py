"""How far the eyes are shut, from the eyelids' landmarks."""

import numpy as np

EYES = (36, 42)
SHUT = 0.3
"""Opening of a shut eye over that of an open one: the points stay apart by the lashes."""
OPEN_PERCENTILE = 70


def eye_opening(landmarks: np.ndarray) -> np.ndarray:
    """Height over width of both eyes [T], from 68 points [T, 68, 2]."""

    def gap(first: int, second: int) -> np.ndarray:
        return np.linalg.norm(landmarks[:, first, :2] - landmarks[:, second, :2], axis=-1)

    each = [(gap(eye + 1, eye + 5) + gap(eye + 2, eye + 4)) / (2 * gap(eye, eye + 3) + 1e-6) for eye in EYES]
    return np.mean(each, axis=0)


def eye_closure(landmarks: np.ndarray, train: range) -> np.ndarray:
    """0 (open) to 1 (shut) [T] float32; what open is for this person comes from the frames of `train`."""
    opening = eye_opening(landmarks)
    usual = float(np.percentile(opening[train.start : train.stop], OPEN_PERCENTILE))
    return np.clip((usual - opening) / ((1 - SHUT) * usual), 0, 1).astype(np.float32)
