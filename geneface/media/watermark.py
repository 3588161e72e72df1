"""The invisible watermark: 32 bits in every frame, which re-encoding, scaling and cropping leave readable.

A fixed, faint pattern is added to each frame (spread spectrum). It is a sum of 1508 waves, each with a phase that
comes from a key. Eyes hardly see such fine differences between blue and yellow, so most of it lies in the blue. Strong
encoding and grey copies leave little of that, so some of it lies in red and green, that is, in the luma.

The waves are 8 to 32 pixels long at 512, and `repeat_length` says how long at other sizes: longer ones would be seen
in flat areas, shorter ones are what encoders and scaling drop first. They all repeat after 256 pixels. A part of them
is the same in all videos, and is how `geneface.media.watermark_reader` finds scale and place. The others carry the
number and a checksum as 96 chips of a Golay code, each of which turns its waves by half a period or not.

The pattern does not change with time: an encoder pays for it once, any cut keeps it, and nothing flickers.
"""

import binascii
import hashlib
from functools import cache
from typing import NamedTuple

import numpy as np

from geneface.errors import InputError
from geneface.media import golay

KEY = 0x67656E6566616365
"""Seed of the phases. It is known to all who have this file; change it and older videos can no longer be read."""
LONGEST, SHORTEST = 8, 32
"""Of the waves, in periods per repeat."""
STRENGTH = 0.4, 0.4, 2.6
LIMIT = 1, 1, 6
"""Root mean square, before it is rounded, and largest size of the pattern in levels of 255: red, green, blue."""
FINDING = 0.25
"""Part of the waves that are the same in all videos."""
WORDS = 4
"""Of the code: 32 bits and a checksum of 16."""
HIGHEST_PAYLOAD = 2**32 - 1


class Waves(NamedTuple):
    """The K waves, half a plane of frequencies."""

    across: np.ndarray
    """int [K], periods per repeat from left to right, which may be negative"""
    down: np.ndarray
    """int [K], periods per repeat from top to bottom, 0 or more"""
    carrier: np.ndarray
    """complex64 [K], of size 1: their phases by the key"""
    finding: np.ndarray
    """int [F], which are the same in all videos"""
    chips: np.ndarray
    """int [96, n], which carry each chip"""


@cache
def waves(key: int = KEY) -> Waves:
    down, across = np.mgrid[0 : SHORTEST + 1, -SHORTEST : SHORTEST + 1]
    length = np.hypot(down, across)
    chosen = (length >= LONGEST) & (length <= SHORTEST) & ((down > 0) | (across > 0))
    count = int(chosen.sum())
    # The bit generator's numbers are guaranteed to stay the same in all versions of numpy, those of `Generator` not.
    numbers = np.random.PCG64(key).random_raw(2 * count)
    carrier = np.exp(2j * np.pi * (numbers[:count] / 2.0**64)).astype(np.complex64)
    order = np.argsort(numbers[count:], kind="stable")
    total = WORDS * golay.CHIPS
    each = int((1 - FINDING) * count) // total
    finding = count - each * total
    return Waves(across[chosen], down[chosen], carrier, order[:finding], order[finding:].reshape(total, each))


def to_chips(payload: int) -> np.ndarray:
    """float32 [96] of 1 and -1."""
    if not 0 <= payload <= HIGHEST_PAYLOAD:
        raise InputError(f"the watermark's number {payload} is out of range; give one from 0 to {HIGHEST_PAYLOAD}")
    content = payload << 16 | _checksum(payload)
    words = [content >> golay.BITS * place & (1 << golay.BITS) - 1 for place in reversed(range(WORDS))]
    return golay.encode(np.array(words))


def from_chips(chips: np.ndarray) -> int | None:
    """The number in noisy chips [96]; None if the checksum says that it was misread."""
    content = 0
    for word in golay.decode(chips):
        content = content << golay.BITS | int(word)
    payload = content >> 16
    return payload if content & 0xFFFF == _checksum(payload) else None


def _checksum(payload: int) -> int:
    return binascii.crc_hqx(payload.to_bytes(4, "big"), 0xFFFF)


def video_number(person: str, seed: int) -> int:
    """What marks a video: 32 bits that follow from person and seed, which stand in its Content Credentials too."""
    return int.from_bytes(hashlib.sha256(f"{person}\n{seed}".encode()).digest()[:4], "big")


def repeat_length(side: int) -> float:
    """Pixels after which the waves repeat in a picture whose smaller side is `side`: half of it, and 256 below 512.

    Waves that are shorter in pixels do not survive; but a small picture must hold one repeat.
    """
    return max(side / 2, min(side, 256))


def pattern(width: int, height: int, payload: int) -> np.ndarray:
    """int8 [height, width, 3], what is added to each frame."""
    used = waves()
    phases = used.carrier.astype(np.complex128)
    phases[used.chips] *= to_chips(payload)[:, None]
    plane = np.zeros((SHORTEST + 1, 2 * SHORTEST + 1), np.complex128)
    plane[used.down, used.across + SHORTEST] = phases
    repeat = repeat_length(min(width, height))
    rows = np.exp(2j * np.pi / repeat * np.outer(np.arange(height), np.arange(SHORTEST + 1)))
    columns = np.exp(2j * np.pi / repeat * np.outer(np.arange(-SHORTEST, SHORTEST + 1), np.arange(width)))
    ideal = (rows @ plane @ columns).real
    colours = np.rint(ideal[..., None] / ideal.std() * np.array(STRENGTH))
    return np.clip(colours, np.negative(LIMIT), LIMIT).astype(np.int8)


class Watermark:
    """The watermark for frames of one size; it keeps no state from frame to frame.

    Below 128 pixels a side it does not survive much.
    """

    def __init__(self, width: int, height: int, payload: int) -> None:
        self.payload = payload
        self._pattern = pattern(width, height, payload)
        self._channels = 0

    def draw(self, frames: np.ndarray) -> None:
        """Mark uint8 frames [N, H, W, 3], or [N, H, W, 4] with straight alpha, in place."""
        if frames.shape[-1] != self._channels:
            self._prepare(frames.shape[-1])
        for frame in frames:
            # Saturating, and in bytes: a fifth of the time of a sum in wider numbers.
            np.minimum(frame, self._ceiling, out=frame)
            np.add(frame, self._lighter, out=frame)
            np.maximum(frame, self._darker, out=frame)
            np.subtract(frame, self._darker, out=frame)

    def _prepare(self, channels: int) -> None:
        added = np.pad(self._pattern, ((0, 0), (0, 0), (0, channels - 3)))
        self._lighter, self._darker = (np.maximum(part, 0).astype(np.uint8) for part in (added, -added))
        self._ceiling = 255 - self._lighter
        self._channels = channels
