"""What the actor does: identity, expression, head and torso, from timed phones and the sound."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from geneface.face.articulation import INDEX, Style, articulate
from geneface.face.expressions import head_pose, loudness, upper_face

from .camera import FRONTAL, rest_pose, turn

NECK = np.array([0.0, -8.5, -2.5])
"""The point about which the head turns, in cm of the head frame at rest."""
TORSO_SHARE = 0.15
EYE_RANGE = 35.0
"""Degrees of the eyes' turn at weight 1 of an eyeLook expression."""
MOOD = {"mouthClose": 0.018, "mouthSmile_L": 0.10, "mouthSmile_R": 0.10, "eyeWide_L": 0.3, "eyeWide_R": 0.3}
"""Expression weights that are always added: awake, friendly, lips together."""


@dataclass(frozen=True)
class Performance:
    """`expression` [T, 57]; poses [T, 3, 4] of head and torso; `blink` [T] closure of the lids."""

    expression: np.ndarray
    head: np.ndarray
    torso: np.ndarray
    blink: np.ndarray


def choose_identity(seed: int, coefficients: int = 100) -> np.ndarray:
    """Identity coefficients within about one standard deviation; seed 0 is the mean face."""
    spread = np.where(np.arange(coefficients) < 40, 0.6, 0.3)
    return np.clip(np.random.default_rng(seed).standard_normal(coefficients), -1.6, 1.6) * spread * (seed != 0)


def perform(samples: np.ndarray, phones: list[tuple[str, float, float]], frames: int, seed: int) -> Performance:
    """The performance of a speech: its 16 kHz samples [N] and its timed phones (symbol, start, end)."""
    rng = np.random.default_rng(seed)
    envelope = loudness(samples, frames)
    expression = articulate(phones, frames, Style(smile=0.0), rng) + upper_face(envelope, rng)
    lids = expression[:, [INDEX["eyeBlink_L"], INDEX["eyeBlink_R"]]].mean(1)
    for name, weight in MOOD.items():
        expression[:, INDEX[name]] += weight * (1 - lids if "eye" in name else 1)
    sway = head_pose(envelope, rng, distance=0.0)
    turned = FRONTAL @ sway[:, :, :3]
    look_at_camera(expression, turned)
    shift = sway[:, :, 3] @ FRONTAL
    head = np.stack([turn(rest_pose(), r, NECK, s) for r, s in zip(turned, shift, strict=True)])
    return Performance(
        np.clip(expression, 0.0, 1.0).astype(np.float32),
        head.astype(np.float32),
        _torso(turned, shift).astype(np.float32),
        np.clip(lids, 0.0, 1.0).astype(np.float32),
    )


def look_at_camera(expression: np.ndarray, turned: np.ndarray) -> None:
    """Turn the eyes against the head's rotation [T, 3, 3], in place: the actor keeps eye contact."""
    yaw, pitch, _ = Rotation.from_matrix(turned).as_euler("yxz", degrees=True).T
    left, up = -yaw / EYE_RANGE, pitch / EYE_RANGE
    for side, outward in (("L", 1.0), ("R", -1.0)):
        expression[:, INDEX[f"eyeLookOut_{side}"]] = np.clip(outward * left, 0, None)
        expression[:, INDEX[f"eyeLookIn_{side}"]] = np.clip(-outward * left, 0, None)
        expression[:, INDEX[f"eyeLookUp_{side}"]] = np.clip(up, 0, None)
        expression[:, INDEX[f"eyeLookDown_{side}"]] = np.clip(-up, 0, None)


def _torso(turned: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Poses [T, 3, 4] that follow the head a little."""
    rotations = Rotation.from_rotvec(TORSO_SHARE * Rotation.from_matrix(turned).as_rotvec()).as_matrix()
    moved = TORSO_SHARE * shift
    foot = np.array([0.0, -30.0, -3.0])
    return np.stack([turn(rest_pose(), r, foot, s) for r, s in zip(rotations, moved, strict=True)])
