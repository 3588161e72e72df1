"""What the actor does: expression, head and torso, from timed phones and the sound."""

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from geneface.face.articulation import INDEX, Style, articulate
from geneface.face.expressions import head_pose, loudness, upper_face
from geneface.utils.units import FPS

from .camera import FRONTAL, rest_pose, rotation, turn

NECK = np.array([0.0, -8.5, -2.5])
"""The point about which the head turns, in cm of the head frame at rest."""
TORSO_SHARE = 0.15
EYE_RANGE = 35.0
"""Degrees of the eyes' turn at weight 1 of an eyeLook expression."""
_LONG_PAUSE = 0.35
"""Seconds of silence in which the actor may smile."""


@dataclass(frozen=True)
class Manner:
    """How the actor moves: `style` of articulation, `mood` of expression weights that are always added."""

    style: Style = field(default_factory=Style)
    mood: dict[str, float] = field(default_factory=dict)
    liveliness: float = 1.0
    """Size of the head's movements."""
    smile: float = 0.45
    """Largest weight of a smile in a pause."""


@dataclass(frozen=True)
class Performance:
    """`expression` [T, 57]; poses [T, 3, 4] of head and torso; `blink` [T] closure of the lids."""

    expression: np.ndarray
    head: np.ndarray
    torso: np.ndarray
    blink: np.ndarray


def perform(
    samples: np.ndarray, phones: list[tuple[str, float, float]], frames: int, manner: Manner, seed: int
) -> Performance:
    """The performance of a speech: its 16 kHz samples [N] and its timed phones (symbol, start, end)."""
    rng = np.random.default_rng(seed)
    envelope = loudness(samples, frames)
    expression = articulate(phones, frames, manner.style, rng) + upper_face(envelope, rng)
    lids = expression[:, [INDEX["eyeBlink_L"], INDEX["eyeBlink_R"]]].mean(1)
    for name, weight in manner.mood.items():
        expression[:, INDEX[name]] += weight * (1 - lids if "Wide" in name else 1)
    _smile(expression, phones, manner.smile, rng)
    sway = head_pose(envelope, rng, distance=0.0)
    glances = np.stack([rotation(np.radians(yaw), 0.0, np.radians(0.12 * yaw)) for yaw in _turns(frames, rng)])
    swayed = Rotation.from_matrix(FRONTAL @ sway[:, :, :3]).as_rotvec() * manner.liveliness
    turned = glances @ Rotation.from_rotvec(swayed).as_matrix()
    look_at_camera(expression, turned)
    shift = sway[:, :, 3] @ FRONTAL
    breath = _breath(frames, phones, rng)
    head_shift = shift + 0.05 * breath[:, None] * np.array([0.0, 1.0, 0.3])
    head = np.stack([turn(rest_pose(), r, NECK, s) for r, s in zip(turned, head_shift, strict=True)])
    return Performance(
        np.clip(expression, 0.0, 1.0).astype(np.float32),
        head.astype(np.float32),
        _torso(turned, shift, breath).astype(np.float32),
        np.clip(lids, 0.0, 1.0).astype(np.float32),
    )


def look_at_camera(expression: np.ndarray, turned: np.ndarray) -> None:
    """Turn the eyes against the head's rotation [T, 3, 3], in place, on top of their own glances."""
    yaw, pitch, _ = Rotation.from_matrix(turned).as_euler("yxz", degrees=True).T
    left = expression[:, INDEX["eyeLookOut_L"]] - expression[:, INDEX["eyeLookIn_L"]] - yaw / EYE_RANGE
    up = expression[:, INDEX["eyeLookUp_L"]] - expression[:, INDEX["eyeLookDown_L"]] + pitch / EYE_RANGE
    for side, outward in (("L", 1.0), ("R", -1.0)):
        expression[:, INDEX[f"eyeLookOut_{side}"]] = np.clip(outward * left, 0, None)
        expression[:, INDEX[f"eyeLookIn_{side}"]] = np.clip(-outward * left, 0, None)
        expression[:, INDEX[f"eyeLookUp_{side}"]] = np.clip(up, 0, None)
        expression[:, INDEX[f"eyeLookDown_{side}"]] = np.clip(-up, 0, None)


def _smile(
    expression: np.ndarray, phones: list[tuple[str, float, float]], most: float, rng: np.random.Generator
) -> None:
    """Smiles in some of the longer pauses, added in place; they fade before the lips must speak."""
    pulses = np.zeros(len(expression))
    for symbol, start, end in phones:
        if symbol == "sil" and end - start > _LONG_PAUSE and rng.random() < 0.6:
            pulses[int(start * FPS) : max(int(end * FPS) - 2, int(start * FPS))] = rng.uniform(0.4, 1.0) * most
    smile = gaussian_filter1d(pulses, 4.0, mode="nearest")
    for side in "LR":
        expression[:, INDEX[f"mouthSmile_{side}"]] += smile
        expression[:, INDEX[f"cheekSquint_{side}"]] += 0.7 * smile
        expression[:, INDEX[f"eyeSquint_{side}"]] += 0.35 * smile


def _turns(frames: int, rng: np.random.Generator) -> np.ndarray:
    """[T] degrees of yaw: every ten seconds or so the head turns aside for a while, to either side in turn."""
    yaw = np.zeros(frames)
    time, side = rng.uniform(2.0, 6.0), rng.choice([-1.0, 1.0])
    while time * FPS < frames:
        held = rng.uniform(0.9, 2.4)
        yaw[int(time * FPS) : int((time + held) * FPS)] = side * rng.uniform(7.0, 14.0)
        side = -side if rng.random() < 0.8 else side
        time += held + rng.uniform(4.0, 11.0)
    return gaussian_filter1d(yaw, 0.28 * FPS, mode="nearest")


def _breath(frames: int, phones: list[tuple[str, float, float]], rng: np.random.Generator) -> np.ndarray:
    """[T] fullness of the chest, about 0 to 1: it fills in pauses and empties while speaking."""
    speed = np.full(frames, -1.0 / (3.2 * FPS))
    for symbol, start, end in phones:
        if symbol == "sil" and end - start > 0.15:
            speed[int(start * FPS) : int(end * FPS) + 1] = 1.0 / (0.7 * FPS)
    fullness, level = np.empty(frames), 0.5
    for t in range(frames):
        level = min(max(level + speed[t] * (1.15 - level if speed[t] > 0 else level + 0.15), 0.0), 1.0)
        fullness[t] = level
    # In a long silence the chest rises and falls by itself.
    idle = 0.15 * np.sin(2 * np.pi * np.arange(frames) / (3.6 * FPS) + rng.uniform(0, 6.28))
    return gaussian_filter1d(fullness + idle, 5.0, mode="nearest")


def _torso(turned: np.ndarray, shift: np.ndarray, breath: np.ndarray) -> np.ndarray:
    """Poses [T, 3, 4] that follow the head a little, and breathe."""
    rotations = Rotation.from_rotvec(TORSO_SHARE * Rotation.from_matrix(turned).as_rotvec()).as_matrix()
    moved = TORSO_SHARE * shift + breath[:, None] * np.array([0.0, 0.30, 0.22])
    foot = np.array([0.0, -30.0, -3.0])
    return np.stack([turn(rest_pose(), r, foot, s) for r, s in zip(rotations, moved, strict=True)])
