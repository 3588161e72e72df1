"""Frames that show what a portrait can go wrong at: each kind of mouth, the lids, the head turned."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from geneface.datasets.person import PersonDataset
from geneface.evaluation.key_frames import KeyFrame
from geneface.face.ibug68 import MOUTH_CORNERS
from geneface.metrics import lm3d_opening
from geneface.utils.units import FPS

APART = 5
"""Frames between two of a kind at least."""
SAID = {"p b m": ("p", "b", "m"), "f v": ("f", "v"), "o u": ("o", "u", "ɔ", "ʊ", "w"), "a": ("a", "ɑ", "æ", "ʌ")}
Phones = Sequence[tuple[str, float, float]]


class Kind(NamedTuple):
    name: str
    most: int
    badness: np.ndarray
    """[T], of each frame as an example; infinite where it is none."""


def key_poses(
    data: PersonDataset, mean_landmarks: np.ndarray, frames: Sequence[int], phones: Phones
) -> list[KeyFrame]:
    """24 of `frames` of a person, those that show each kind best; the most of them mouths.

    Args:
        mean_landmarks: [68, 3] of the face model.
        phones: Timed in seconds of the whole recording; kinds of sounds are left out without them.
    """
    chosen: list[KeyFrame] = []
    for kind in _kinds(data, mean_landmarks, np.array(frames), phones):
        badness = kind.badness.copy()
        for _ in range(kind.most):
            best = int(badness.argmin())
            if not np.isfinite(badness[best]):
                break
            chosen.append(KeyFrame(frames[best], kind.name))
            badness[max(0, best - APART) : best + APART + 1] = np.inf
    return chosen


def _kinds(data: PersonDataset, mean_landmarks: np.ndarray, frames: np.ndarray, phones: Phones) -> list[Kind]:
    lm3d, blink, pose = (data.tracks[name][frames].float().numpy() for name in ("lm3d", "blink", "pose"))
    opening = lm3d_opening(lm3d, mean_landmarks)
    right, left = MOUTH_CORNERS
    width = lm3d[:, left, 0] - lm3d[:, right, 0]
    eyes_open = np.where(blink < 0.15, 0, np.inf)
    # The face's axis in the camera frame: to the right, and down.
    yaw, pitch = np.arcsin(pose[:, 0, 2]), np.arcsin(pose[:, 1, 2])
    said = {name: _said(frames, phones, symbols) for name, symbols in SAID.items()}
    shut = opening < np.quantile(opening, 0.3)
    return [
        Kind("mouth closed", 2, opening + eyes_open),
        Kind("p b m", 3, opening + eyes_open + said["p b m"]),
        Kind("f v", 2, opening + eyes_open + said["f v"]),
        Kind("a", 3, -opening + eyes_open + said["a"]),
        Kind("o u", 3, width + eyes_open + said["o u"]),
        Kind("smile", 2, -width + eyes_open + np.where(shut, 0, np.inf)),
        Kind("blink half way", 2, np.where((blink > 0.25) & (blink < 0.75), np.abs(blink - 0.5), np.inf)),
        Kind("eyes closed", 2, np.where(blink > 0.8, -blink, np.inf)),
        Kind("turned left", 2, yaw + eyes_open),
        Kind("turned right", 2, -yaw + eyes_open),
        Kind("head down", 1, -pitch + eyes_open),
    ]


def _said(frames: np.ndarray, phones: Phones, symbols: Sequence[str]) -> np.ndarray:
    """[T]: 0 in the middle of these phones, infinite elsewhere."""
    middles = [int((start + end) / 2 * FPS) for symbol, start, end in phones if symbol in symbols]
    return np.where(np.isin(frames, middles), 0, np.inf)
