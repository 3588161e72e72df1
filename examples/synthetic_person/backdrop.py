"""A room behind the actor, far out of focus: painted once in linear light, then blurred as by a wide aperture."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from .camera import SIZE
from .noise import Noise, smoothstep

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Backdrop:
    """`room` is a key of the rooms here; `blur` the radius of the aperture's disc in pixels of the frame."""

    room: str
    blur: float = 15.0
    light: float = 1.0


def paint_backdrop(look: Backdrop, seed: int) -> np.ndarray:
    """[512, 512, 3] float32, linear."""
    margin = int(2 * look.blur) + 8
    side = SIZE + 2 * margin
    y, x = (np.indices((side, side)) + 0.5 - margin) / SIZE
    room = _ROOMS[look.room](x, y, Noise(seed), np.random.default_rng(seed))
    disc = _disc(look.blur)
    blurred = np.stack([fftconvolve(room[..., c], disc, mode="same") for c in range(3)], -1)
    soft = np.clip(blurred[margin:-margin, margin:-margin], 0, None) * look.light
    return soft.astype(np.float32)


def _disc(radius: float) -> np.ndarray:
    y, x = np.indices((2 * int(radius) + 3,) * 2) - int(radius) - 1.0
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1) * (0.8 + 0.2 * np.hypot(x, y) / radius)
    return disc / disc.sum()


def _box(x: np.ndarray, y: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    edge = 0.004
    across = smoothstep(left - edge, left + edge, x) * smoothstep(right + edge, right - edge, x)
    return across * smoothstep(top - edge, top + edge, y) * smoothstep(bottom + edge, bottom - edge, y)


def _over(room: np.ndarray, colour: Colour, amount: np.ndarray) -> None:
    room += amount[..., None] * (np.array(colour) - room)


def _loft(x: np.ndarray, y: np.ndarray, noise: Noise, rng: np.random.Generator) -> np.ndarray:
    """A cool grey-blue room: a wall in soft light, a shelf, a plant, a window at the edge."""
    glow = np.exp(-2.2 * ((x - 0.70) ** 2 + (y - 0.36) ** 2))
    room = np.array((0.085, 0.105, 0.125)) + glow[..., None] * np.array((0.25, 0.265, 0.27))
    room = np.ascontiguousarray(np.broadcast_to(room, (*x.shape, 3))).copy()
    _over(room, (0.78, 0.86, 0.98), 0.85 * _box(x, y, -0.30, -0.3, 0.055, 0.72))
    _over(room, (0.20, 0.22, 0.24), _box(x, y, -0.30, 0.26, 0.06, 0.285) + _box(x, y, 0.055, -0.3, 0.085, 0.75))
    _over(room, (0.16, 0.12, 0.085), _box(x, y, 0.70, 0.245, 1.4, 0.262) + _box(x, y, 0.70, 0.56, 1.4, 0.577))
    left = 0.735
    while left < 1.15:
        wide, tall = rng.uniform(0.014, 0.032), rng.uniform(0.10, 0.19)
        colour = [(0.20, 0.10, 0.07), (0.10, 0.16, 0.19), (0.34, 0.30, 0.24), (0.07, 0.09, 0.12), (0.28, 0.18, 0.09)]
        _over(room, colour[rng.integers(5)], _box(x, y, left, 0.56 - tall, left + wide, 0.56) * (rng.random() < 0.85))
        left += wide + 0.002
    for _ in range(26):
        cx, cy = rng.normal(0.885, 0.055), rng.normal(0.135, 0.055)
        leaf = np.exp(-((((x - cx) / 0.016) ** 2 + ((y - cy) / 0.036) ** 2) ** 2))
        _over(room, (0.035 * rng.uniform(0.7, 2), 0.075 * rng.uniform(0.8, 2), 0.04), leaf)
    _over(room, (0.30, 0.24, 0.19), _box(x, y, 0.855, 0.185, 0.925, 0.245))
    return room


def _evening(x: np.ndarray, y: np.ndarray, noise: Noise, rng: np.random.Generator) -> np.ndarray:
    """A warm room in the evening: wood and a lamp, and lights of a town behind a window."""
    glow = np.exp(-3.0 * ((x - 0.18) ** 2 + (y - 0.34) ** 2))
    room = np.array((0.050, 0.036, 0.027)) + glow[..., None] * np.array((0.22, 0.135, 0.07))
    grain = 1 + 0.12 * noise(np.stack([x * 18, y * 0.7, np.zeros_like(x)], -1))
    room = room * grain[..., None]
    for seam in (-0.06, 0.10, 0.26, 0.42):
        _over(room, (0.02, 0.014, 0.010), 0.7 * _box(x, y, seam, -0.4, seam + 0.006, 1.4))
    _over(room, (0.016, 0.024, 0.044), _box(x, y, 0.60, -0.3, 1.4, 0.66))
    for _ in range(46):
        cx, cy = rng.uniform(0.61, 1.1), 0.60 - abs(rng.normal(0, 0.2))
        tone = [(1.0, 0.62, 0.28), (1.0, 0.80, 0.55), (0.65, 0.80, 1.0), (1.0, 0.42, 0.18)][rng.integers(4)]
        spot = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / 0.0035**2))
        room += spot[..., None] * np.array(tone) * rng.uniform(4, 24)
    for bar in (0.60, 0.845):
        _over(room, (0.045, 0.032, 0.024), _box(x, y, bar, -0.3, bar + 0.022, 0.66))
    _over(room, (0.055, 0.038, 0.028), _box(x, y, 0.58, 0.655, 1.4, 0.70))
    shade = _box(x, y, 0.075, 0.235, 0.205, 0.36)
    _over(room, (1.9, 1.15, 0.52), shade * (0.75 + 0.5 * smoothstep(0.235, 0.36, y)))
    _over(room, (0.10, 0.075, 0.045), _box(x, y, 0.134, 0.36, 0.146, 0.60))
    _over(room, (0.09, 0.055, 0.032), _box(x, y, -0.3, 0.60, 0.46, 0.63))
    return room


_ROOMS: dict[str, Callable[..., np.ndarray]] = {"loft": _loft, "evening": _evening}
