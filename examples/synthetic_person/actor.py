"""What the actor does: identity, expression, head and torso, from timed phones and the sound."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from geneface.face.articulation import FPS, INDEX, Style, articulate
from geneface.face.expressions import head_pose, loudness, upper_face

from .camera import FRONTAL, rest_pose, turn

NECK = np.array([0.0, -8.5, -2.5])
"""The point about which the head turns, in cm of the head frame at rest."""
TORSO_SHARE = 0.15
# A friendly face at rest, lips together.
REST = {"mouthClose": 0.018, "mouthSmile_L": 0.12, "mouthSmile_R": 0.12, "eyeWide_L": 0.12, "eyeWide_R": 0.12}

MOOD = {"eyeWide_L": 0.3, "eyeWide_R": 0.3, "mouthSmile_L": 0.1, "mouthSmile_R": 0.1}
"""Expression weights that are always added: awake and friendly."""


@dataclass(frozen=True)
class Performance:
    """`expression` [T, 57]; poses [T, 3, 4] of head and torso."""

    expression: np.ndarray
    head: np.ndarray
    torso: np.ndarray


def choose_identity(seed: int, coefficients: int = 100) -> np.ndarray:
    """Identity coefficients within about one standard deviation; seed 0 is the mean face."""
    spread = np.where(np.arange(coefficients) < 40, 0.6, 0.3)
    return np.clip(np.random.default_rng(seed).standard_normal(coefficients), -1.6, 1.6) * spread * (seed != 0)


def perform(phones: list[tuple[str, float, float]], samples: np.ndarray, frames: int, seed: int) -> Performance:
    """The performance of a speech: its timed phones (symbol, start, end) and its 16 kHz samples [N]."""
    rng = np.random.default_rng(seed)
    envelope = loudness(samples, frames)
    expression = articulate(phones, frames, Style(smile=0.0), rng) + upper_face(envelope, rng)
    for name, weight in REST.items():
        expression[:, INDEX[name]] += weight
    expression = np.clip(expression, 0.0, 1.0).astype(np.float32)
    sway = head_pose(envelope, rng, distance=0.0)
    turned = FRONTAL @ sway[:, :, :3]
    shift = sway[:, :, 3] @ FRONTAL
    head = np.stack([turn(rest_pose(), r, NECK, s) for r, s in zip(turned, shift, strict=True)])
    return Performance(expression, head.astype(np.float32), _torso(turned, shift, rng).astype(np.float32))


def _torso(turned: np.ndarray, shift: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Poses [T, 3, 4] that follow the head a little, later, and breathe."""
    frames = len(turned)
    follow = gaussian_filter1d(Rotation.from_matrix(turned).as_rotvec(), 8.0, axis=0, mode="nearest") * TORSO_SHARE
    moved = gaussian_filter1d(shift, 8.0, axis=0, mode="nearest") * 0.5
    rate = 0.26 + 0.03 * gaussian_filter1d(rng.standard_normal(frames + 200), 40.0)[100 : frames + 100] * 12
    breath = 0.5 - 0.5 * np.cos(2 * np.pi * np.cumsum(rate) / FPS)
    moved = moved + breath[:, None] * np.array([0.0, 0.14, 0.05])
    rotations = Rotation.from_rotvec(follow).as_matrix()
    foot = np.array([0.0, -30.0, -3.0])
    return np.stack([turn(rest_pose(), r, foot, s) for r, s in zip(rotations, moved, strict=True)])
