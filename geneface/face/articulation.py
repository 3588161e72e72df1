"""From timed phones to expression weights of the face model: an articulation model for synthetic talking faces.

Each phone pulls a few articulators (jaw, lip heights, rounding, spreading, lip closure) towards a target, with a
strength and a reach of its own; where phones overlap, targets are averaged by dominance (Cohen & Massaro, "Modeling
coarticulation in synthetic visual speech", 1993). Closure is the exception: the strongest phone decides, so that the
lips meet for p, b and m however fast the speech is. In silence the mouth rests shut and perfectly still.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geneface.utils.units import FPS

_NAMES = (
    "PupilDilate_L PupilDilate_R browDown_L browDown_R browInnerUp_L browInnerUp_R browOuterUp_L browOuterUp_R "
    "cheekPuff_L cheekPuff_R cheekRaiser_L cheekRaiser_R cheekSquint_L cheekSquint_R eyeBlink_L eyeBlink_R "
    "eyeLookDown_L eyeLookDown_R eyeLookIn_L eyeLookIn_R eyeLookOut_L eyeLookOut_R eyeLookUp_L eyeLookUp_R "
    "eyeSquint_L eyeSquint_R eyeWide_L eyeWide_R jawForward jawLeft jawOpen jawRight mouthClose mouthDimple_L "
    "mouthDimple_R mouthFrown_L mouthFrown_R mouthFunnel mouthLeft mouthLowerDown_L mouthLowerDown_R "
    "mouthPress_L mouthPress_R mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower "
    "mouthShrugUpper mouthSmile_L mouthSmile_R mouthStretch_L mouthStretch_R mouthUpperUp_L mouthUpperUp_R "
    "noseSneer_L noseSneer_R"
)

EXPRESSION_NAMES: tuple[str, ...] = tuple(_NAMES.split())
"""ICT-FaceKit's 57 expressions in the order of `FaceModel.expression_names`."""

INDEX = {name: index for index, name in enumerate(EXPRESSION_NAMES)}

# Targets at amplitude 1 (weights of the face model's shapes) in the order jaw, lower, upper, pucker, funnel, stretch.
_TARGETS: dict[str, tuple[float, float, float, float, float, float]] = {
    "i": (0.070, 0.65, 0.38, 0.00, 0.00, 0.34),
    "ɪ": (0.125, 0.56, 0.34, 0.00, 0.00, 0.22),
    "e": (0.155, 0.65, 0.38, 0.00, 0.00, 0.26),
    "ɛ": (0.230, 0.65, 0.41, 0.00, 0.00, 0.18),
    "æ": (0.310, 0.76, 0.48, 0.00, 0.00, 0.24),
    "a": (0.360, 0.72, 0.41, 0.00, 0.00, 0.06),
    "ɑ": (0.370, 0.56, 0.34, 0.00, 0.00, 0.00),
    "ɒ": (0.310, 0.45, 0.28, 0.12, 0.15, 0.00),
    "ɔ": (0.240, 0.38, 0.26, 0.24, 0.20, 0.00),
    "o": (0.145, 0.27, 0.19, 0.46, 0.18, 0.00),
    "u": (0.055, 0.20, 0.11, 0.72, 0.08, 0.00),
    "ʊ": (0.100, 0.27, 0.19, 0.40, 0.10, 0.00),
    "y": (0.060, 0.27, 0.15, 0.70, 0.10, 0.00),
    "ø": (0.130, 0.34, 0.22, 0.50, 0.14, 0.00),
    "œ": (0.205, 0.41, 0.28, 0.30, 0.18, 0.00),
    "ʌ": (0.250, 0.56, 0.32, 0.00, 0.00, 0.04),
    "ə": (0.145, 0.49, 0.28, 0.00, 0.00, 0.04),
    "ɜ": (0.155, 0.45, 0.28, 0.08, 0.05, 0.00),
    "ɨ": (0.100, 0.52, 0.30, 0.00, 0.00, 0.16),
    "p": (0.030, 0.00, 0.00, 0.00, 0.00, 0.00),
    "b": (0.035, 0.00, 0.00, 0.00, 0.00, 0.00),
    "m": (0.040, 0.00, 0.00, 0.00, 0.00, 0.00),
    "f": (0.045, 0.00, 0.22, 0.00, 0.00, 0.08),
    "v": (0.050, 0.00, 0.20, 0.00, 0.00, 0.08),
    "w": (0.045, 0.05, 0.04, 0.85, 0.06, 0.00),
    "t": (0.045, 0.27, 0.14, 0.00, 0.00, 0.08),
    "d": (0.050, 0.27, 0.14, 0.00, 0.00, 0.08),
    "n": (0.055, 0.26, 0.14, 0.00, 0.00, 0.06),
    "s": (0.020, 0.35, 0.19, 0.00, 0.00, 0.18),
    "z": (0.025, 0.35, 0.19, 0.00, 0.00, 0.16),
    "θ": (0.065, 0.27, 0.16, 0.00, 0.00, 0.06),
    "ð": (0.070, 0.27, 0.16, 0.00, 0.00, 0.06),
    "l": (0.085, 0.27, 0.15, 0.00, 0.00, 0.06),
    "ɾ": (0.070, 0.26, 0.14, 0.00, 0.00, 0.05),
    "r": (0.070, 0.25, 0.14, 0.00, 0.00, 0.04),
    "ɹ": (0.065, 0.18, 0.12, 0.32, 0.12, 0.00),
    "ʃ": (0.030, 0.33, 0.29, 0.40, 0.30, 0.00),
    "ʒ": (0.030, 0.33, 0.29, 0.38, 0.28, 0.00),
    "j": (0.060, 0.35, 0.21, 0.00, 0.00, 0.24),
    "k": (0.090, 0.30, 0.16, 0.00, 0.00, 0.04),
    "ɡ": (0.090, 0.30, 0.16, 0.00, 0.00, 0.04),
    "ŋ": (0.095, 0.30, 0.16, 0.00, 0.00, 0.04),
    "h": (0.125, 0.30, 0.18, 0.00, 0.00, 0.00),
    "x": (0.100, 0.30, 0.18, 0.00, 0.00, 0.00),
    "ʔ": (0.085, 0.25, 0.15, 0.00, 0.00, 0.00),
    "sil": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}

# Strength of (jaw, lip heights, rounding); vowels that are not listed have (1, 1, 1).
_STRENGTHS: dict[str, tuple[float, float, float]] = {
    "ə": (0.5, 0.5, 0.35),
    "ɨ": (0.7, 0.7, 0.6),
    "ʊ": (0.8, 0.8, 1.0),
    "u": (1.0, 1.0, 1.6),
    "y": (1.0, 1.0, 1.6),
    "w": (0.9, 1.2, 1.8),
    "ʃ": (1.3, 0.9, 1.4),
    "ʒ": (1.2, 0.9, 1.3),
    "ɹ": (0.6, 0.5, 0.7),
    "s": (1.5, 0.8, 0.25),
    "z": (1.4, 0.8, 0.25),
    "f": (1.0, 1.3, 0.15),
    "v": (0.9, 1.2, 0.15),
    "p": (0.9, 1.5, 0.15),
    "b": (0.9, 1.5, 0.15),
    "m": (0.9, 1.5, 0.15),
    "t": (0.8, 0.5, 0.1),
    "d": (0.7, 0.5, 0.1),
    "n": (0.6, 0.45, 0.1),
    "l": (0.5, 0.45, 0.1),
    "ɾ": (0.5, 0.4, 0.1),
    "r": (0.6, 0.4, 0.1),
    "θ": (0.8, 0.6, 0.15),
    "ð": (0.7, 0.5, 0.15),
    "j": (0.8, 0.8, 0.5),
    "k": (0.35, 0.3, 0.08),
    "ɡ": (0.35, 0.3, 0.08),
    "ŋ": (0.35, 0.3, 0.08),
    "x": (0.35, 0.3, 0.08),
    "h": (0.1, 0.1, 0.04),
    "ʔ": (0.08, 0.08, 0.03),
    "sil": (0.6, 0.6, 0.3),
}

# (close, tuck) of the consonants made with the lips.
_CLOSURES: dict[str, tuple[float, float]] = {
    "p": (1.0, 0.0),
    "b": (1.0, 0.0),
    "m": (1.0, 0.0),
    "f": (0.85, 1.0),
    "v": (0.8, 0.9),
    "w": (0.3, 0.0),
}

# Seconds after which the pull of a phone has fallen to 1/e: jaw, lip heights, rounding.
_REACH = (0.045, 0.040, 0.085)
_NEIGHBOURS = 4
_BLOCK = 32768
# mouthClose that just undoes jawOpen between the inner lips of the mean face.
_CLOSE_PER_JAW = 0.865

PHONES: tuple[str, ...] = tuple(_TARGETS)
_NUMBER = {phone: number for number, phone in enumerate(PHONES)}
_GROUPS = np.array([0, 1, 1, 2, 2, 2])


@dataclass(frozen=True)
class Style:
    """How one speaker moves; the defaults are an average speaker."""

    amplitude: float = 1.0
    """Size of all movements; with its drift at most 1.5."""
    jaw: float = 1.0
    """Share of the jaw in opening; what it does not do, the lips do, and the other way round."""
    rounding: float = 1.0
    smile: float = 0.0
    """Constant lift of the mouth corners, in weights of mouthSmile."""
    asymmetry: float = 0.0
    """Positive: the left side moves more."""
    variation: float = 0.1
    """Standard deviation of a slow drift of the amplitude."""
    timing: float = 0.008
    """Standard deviation of the delay of single phones, in seconds."""
    smoothness: float = 1.0
    """Scale of reach and smoothing: above 1 mumbles, below 1 articulates sharply."""
    closing: float = 1.0
    """How far the lips close for p, b and m: 1 is all the way."""
    release: float = 0.22
    """Seconds in which the mouth opens before speech and shuts after it."""

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Style":
        """A plausible random speaker."""
        return cls(
            amplitude=float(np.clip(rng.lognormal(0.0, 0.18), 0.6, 1.4)),
            jaw=float(rng.uniform(0.75, 1.2)),
            rounding=float(rng.uniform(0.7, 1.25)),
            smile=float(max(0.0, rng.normal(0.03, 0.06))),
            asymmetry=float(rng.normal(0.0, 0.06)),
            variation=float(rng.uniform(0.05, 0.2)),
            timing=float(rng.uniform(0.0, 0.014)),
            smoothness=float(rng.uniform(0.8, 1.3)),
            closing=float(rng.uniform(0.93, 1.0)),
            release=float(rng.uniform(0.14, 0.28)),
        )


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    targets = np.array([_TARGETS[phone] for phone in PHONES], dtype=np.float32)
    strengths = np.array([_STRENGTHS.get(phone, (1.0, 1.0, 1.0)) for phone in PHONES], dtype=np.float32)
    closures = np.array([_CLOSURES.get(phone, (0.0, 0.0)) for phone in PHONES], dtype=np.float32)
    return targets, strengths, closures


def _drift(frames: int, rng: np.random.Generator) -> np.ndarray:
    """[T] unit-variance noise below about 0.5 Hz."""
    from scipy.ndimage import gaussian_filter1d

    sigma = 0.4 * FPS
    noise = gaussian_filter1d(rng.standard_normal(frames + 1), sigma, mode="reflect")[:frames]
    return noise * np.sqrt(2.0 * sigma * np.sqrt(np.pi))


def _gate(times: np.ndarray, starts: np.ndarray, ends: np.ndarray, release: float) -> np.ndarray:
    """[T] 1 in speech, falling smoothly to exactly 0 at `release` seconds from the nearest sound."""
    if not len(starts):
        return np.zeros(len(times), dtype=np.float32)
    after = np.searchsorted(starts, times, side="right")
    since = np.where(after > 0, times - np.maximum.accumulate(ends)[np.maximum(after - 1, 0)], np.inf)
    until = np.where(after < len(starts), starts[np.minimum(after, len(starts) - 1)] - times, np.inf)
    nearness = np.clip(1.0 - np.maximum(0.0, np.minimum(since, until)) / release, 0.0, 1.0)
    return (nearness * nearness * (3.0 - 2.0 * nearness)).astype(np.float32)


def _pull(
    times: np.ndarray, numbers: np.ndarray, starts: np.ndarray, ends: np.ndarray, style: Style
) -> tuple[np.ndarray, np.ndarray]:
    """Open shape [T, 6] by dominance and closures [T, 2] by the strongest phone."""
    targets, strengths, closures = _tables()
    reach = np.array(_REACH, dtype=np.float32) * style.smoothness
    middles = (starts + ends) / 2
    halves = (ends - starts) / 2
    shape = np.empty((len(times), 6), dtype=np.float32)
    closed = np.empty((len(times), 2), dtype=np.float32)
    window = np.arange(-_NEIGHBOURS, _NEIGHBOURS)
    for first in range(0, len(times), _BLOCK):
        now = times[first : first + _BLOCK, None]
        near = np.searchsorted(middles, now[:, 0])[:, None] + window
        valid = (near >= 0) & (near < len(numbers))
        near = np.clip(near, 0, len(numbers) - 1)
        phone = numbers[near]
        distance = np.abs(now - middles[near])
        outside = np.maximum(0.0, distance - 0.4 * halves[near]).astype(np.float32)
        pull = strengths[phone] * np.exp(-outside[..., None] / reach) * valid[..., None] + 1e-9
        weights = pull[..., _GROUPS]
        shape[first : first + _BLOCK] = (weights * targets[phone]).sum(1) / weights.sum(1)
        # A closure is held from just before the phone to just after it, so that some frame always shows it.
        beyond = np.maximum(0.0, distance - np.maximum(halves[near], 0.028)).astype(np.float32)
        hold = np.exp(-((beyond / (0.042 * style.smoothness)) ** 2)) * valid
        closed[first : first + _BLOCK] = (closures[phone] * hold[..., None]).max(1)
    return shape, closed


def articulate(
    phones: Sequence[tuple[str, float, float]], frames: int, style: Style, rng: np.random.Generator
) -> np.ndarray:
    """Expression weights [T, 57] float32 of `frames` frames at 25 a second.

    `phones` are (symbol of `face.phonemes`, start, end) in seconds, in order; gaps count as silence, and a symbol
    without a shape of its own as a weak, half-open one. The same `rng` state gives the same movement.
    """
    from scipy.ndimage import gaussian_filter1d

    weights = np.zeros((frames, len(EXPRESSION_NAMES)), dtype=np.float32)
    delay = rng.normal(0.0, 1.0, len(phones)) * style.timing
    drift = 1.0 + style.variation * np.clip(_drift(frames, rng), -2.0, 2.0)
    times = (np.arange(frames) + 0.5) / FPS
    numbers = np.array([_NUMBER.get(phone, _NUMBER["ʔ"]) for phone, _, _ in phones], dtype=np.int64)
    starts = np.array([start for _, start, _ in phones], dtype=np.float64)
    ends = np.array([end for _, _, end in phones], dtype=np.float64)
    spoken = numbers != _NUMBER["sil"]
    left, right = 1.0 + style.asymmetry, 1.0 - style.asymmetry
    for side, share in (("L", left), ("R", right)):
        weights[:, INDEX[f"mouthSmile_{side}"]] = style.smile * share
    if not spoken.any() or not frames:
        return weights

    gate = _gate(times, starts[spoken], ends[spoken], style.release)
    order = np.argsort(starts + ends + 2 * delay, kind="stable")
    shape, closed = _pull(times, numbers[order], (starts + delay)[order], (ends + delay)[order], style)
    shape = gaussian_filter1d(shape, 0.7 * style.smoothness, axis=0, mode="nearest") * gate[:, None]
    close, tuck = (closed * gate[:, None]).T
    close = close * (1.0 - (1.0 - style.closing) * (close > 0.9))

    scale = np.minimum(style.amplitude * drift, 1.5).astype(np.float32)
    lips = np.float32(np.clip(1.0 + 1.3 * (1.0 - style.jaw), 0.4, 2.0))
    jaw, lower, upper, pucker, funnel, stretch = shape.T
    jaw = jaw * scale * style.jaw
    lower = lower * scale * lips * (1.0 - close)
    upper = upper * scale * lips * (1.0 - close * (1.0 - 0.8 * tuck))
    weights[:, INDEX["jawOpen"]] = jaw
    weights[:, INDEX["mouthClose"]] = _CLOSE_PER_JAW * jaw * close
    weights[:, INDEX["mouthPucker"]] = pucker * style.rounding
    weights[:, INDEX["mouthFunnel"]] = funnel * style.rounding * scale * (1.0 - close)
    weights[:, INDEX["mouthRollLower"]] = 0.18 * tuck
    sealed = np.clip((close - 0.8) / 0.2, 0.0, 1.0) * (1.0 - tuck)
    for side, share in (("L", left), ("R", right)):
        weights[:, INDEX[f"mouthLowerDown_{side}"]] = lower * share
        weights[:, INDEX[f"mouthUpperUp_{side}"]] = upper * share
        weights[:, INDEX[f"mouthStretch_{side}"]] = stretch * scale * share
        weights[:, INDEX[f"mouthDimple_{side}"]] = 0.3 * stretch * scale * share
        weights[:, INDEX[f"mouthPress_{side}"]] = 0.35 * sealed
    return np.clip(weights, 0.0, 1.0)
