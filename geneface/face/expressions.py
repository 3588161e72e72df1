"""What a synthetic talking face does besides articulating: blinks, glances, brows, and the way the head moves."""

import numpy as np

from geneface.face.articulation import EXPRESSION_NAMES, INDEX
from geneface.utils.units import FPS

# Lid closure of one blink at 25 frames a second: fast shutting, slower opening.
_BLINK = np.array([0.35, 0.95, 1.0, 0.72, 0.38, 0.14, 0.04], dtype=np.float32)
_MEAN_BLINK_INTERVAL = 4.0
_MIN_BLINK_INTERVAL = 1.2


def loudness(samples: np.ndarray, frames: int) -> np.ndarray:
    """[T] loudness envelope in [0, 1] of 16 kHz samples [N]: 0 is 40 dB under the loud frames, or quieter."""
    step = 16000 // FPS
    padded = np.zeros(frames * step, dtype=np.float64)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    level = 10 * np.log10((padded.reshape(frames, step) ** 2).mean(1) + 1e-10)
    return np.clip((level - np.percentile(level, 95)) / 40 + 1.0, 0.0, 1.0).astype(np.float32)


def _noise(frames: int, channels: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """[T, C] noise of unit variance that stays alike for about `seconds`."""
    from scipy.ndimage import gaussian_filter1d

    sigma = seconds * FPS
    margin = int(4 * sigma)
    white = rng.standard_normal((frames + 2 * margin, channels))
    smooth = gaussian_filter1d(white, sigma, axis=0)[margin : margin + frames]
    return smooth * np.sqrt(2.0 * sigma * np.sqrt(np.pi))


def _blinks(frames: int, rng: np.random.Generator) -> np.ndarray:
    """[T] lid closure; blinks come at random, about 15 a minute, never within 1.2 s of one another."""
    lids = np.zeros(frames + len(_BLINK), dtype=np.float32)
    time = rng.exponential(2.0)
    while (frame := int(time * FPS)) < frames:
        lids[frame : frame + len(_BLINK)] = np.maximum(
            lids[frame : frame + len(_BLINK)], _BLINK * rng.uniform(0.9, 1.0)
        )
        time += _MIN_BLINK_INTERVAL + rng.exponential(_MEAN_BLINK_INTERVAL - _MIN_BLINK_INTERVAL)
    return lids[:frames]


def _gaze(frames: int, rng: np.random.Generator) -> np.ndarray:
    """[T, 2] gaze to the person's left and up, in weights of eyeLook: held, with quick small jumps."""
    gaze = np.empty((frames, 2), dtype=np.float32)
    start = 0
    while start < frames:
        end = start + max(6, int(rng.gamma(2.0, 0.7) * FPS))
        away = 0.3 if rng.random() < 0.12 else 0.08
        gaze[start:end] = rng.normal(0.0, (away, 0.5 * away))
        start = end
    return np.clip(gaze, -0.45, 0.45)


def _accents(envelope: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[T] pulses of about half a second on some of the loudest syllables."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    smooth = gaussian_filter1d(envelope.astype(np.float64), 1.5)
    peaks, _ = find_peaks(smooth, height=float(np.percentile(smooth, 75)), distance=FPS // 2)
    pulses = np.zeros(len(envelope))
    chosen = peaks[rng.random(len(peaks)) < 0.3]
    pulses[chosen] = rng.uniform(0.3, 1.0, len(chosen))
    sigma = 4.0
    return gaussian_filter1d(pulses, sigma, mode="constant") * sigma * np.sqrt(2 * np.pi)


def upper_face(envelope: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Expression weights [T, 57] of the eyes and brows, to be added to those of `articulate`.

    `envelope` [T] in [0, 1] is the loudness of the speech (`loudness`).
    """
    frames = len(envelope)
    weights = np.zeros((frames, len(EXPRESSION_NAMES)), dtype=np.float32)
    if not frames:
        return weights
    lids = _blinks(frames, rng)
    gaze = _gaze(frames, rng)
    accents = _accents(envelope, rng)
    brow = np.clip(0.10 * _noise(frames, 1, 0.8, rng)[:, 0] + 0.55 * accents, 0.0, 0.7)
    frown = np.clip(0.06 * _noise(frames, 1, 1.2, rng)[:, 0] - 0.5 * accents, 0.0, 0.3)
    for side, outward in (("L", 1.0), ("R", -1.0)):
        weights[:, INDEX[f"eyeBlink_{side}"]] = lids
        weights[:, INDEX[f"eyeLookOut_{side}"]] = np.clip(outward * gaze[:, 0], 0.0, None)
        weights[:, INDEX[f"eyeLookIn_{side}"]] = np.clip(-outward * gaze[:, 0], 0.0, None)
        weights[:, INDEX[f"eyeLookUp_{side}"]] = np.clip(gaze[:, 1], 0.0, None)
        weights[:, INDEX[f"eyeLookDown_{side}"]] = np.clip(-gaze[:, 1], 0.0, None)
        weights[:, INDEX[f"browInnerUp_{side}"]] = brow
        weights[:, INDEX[f"browOuterUp_{side}"]] = 0.7 * brow
        weights[:, INDEX[f"browDown_{side}"]] = frown
        weights[:, INDEX[f"cheekSquint_{side}"]] = 0.12 * lids
    return weights


def head_pose(envelope: np.ndarray, rng: np.random.Generator, distance: float = 60.0) -> np.ndarray:
    """Head pose [T, 3, 4] (head -> camera, OpenCV axes, cm) of a person who talks to the camera.

    Slow swaying, small nods on loud syllables, and calmer in silence; about +-12 degrees of yaw, +-6 of pitch and +-4
    of roll, with nothing above about 3 Hz. `distance` is from the camera to the head's origin.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.spatial.transform import Rotation

    frames = len(envelope)
    if not frames:
        return np.zeros((0, 3, 4), dtype=np.float32)
    activity = gaussian_filter1d(envelope.astype(np.float64), 0.8 * FPS, mode="nearest")[:, None]
    slow = _noise(frames, 6, 0.9, rng)
    quick = _noise(frames, 6, 0.28, rng) * (0.25 + 0.75 * activity)
    nods = gaussian_filter1d(_accents(envelope, rng), 2.0)
    # Order: pitch (nodding down is positive), yaw, roll in degrees; x, y, z in cm.
    sizes = np.array([1.9, 4.6, 1.6, 0.35, 0.2, 0.4])
    limits = np.array([6.0, 12.0, 4.0, 1.2, 0.8, 1.5])
    motion = sizes * (slow + 0.4 * quick)
    motion[:, 0] += 2.2 * nods
    motion = limits * np.tanh(motion / limits)
    turned = Rotation.from_euler("yxz", motion[:, [1, 0, 2]], degrees=True).as_matrix()
    pose = np.empty((frames, 3, 4), dtype=np.float32)
    pose[:, :, :3] = np.diag([1.0, -1.0, -1.0]) @ turned
    pose[:, :, 3] = motion[:, 3:] + (0.0, 0.0, distance)
    return pose
