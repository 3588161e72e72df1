"""Measures of how voice and picture fit together in time."""

from typing import NamedTuple

import numpy as np


class SyncWindows(NamedTuple):
    """First frames of landmark and audio windows; `in_sync` where the two are equal."""

    landmarks: np.ndarray
    audio: np.ndarray
    in_sync: np.ndarray


def sync_windows(
    frames: int, count: int, rng: np.random.Generator, window: int = 5, min_offset: int = 3
) -> SyncWindows:
    """Balanced windows of one clip: offset 0, or an offset of at least `min_offset` frames.

    Needs window + min_offset frames or more.
    """
    starts = frames - window + 1
    in_sync = np.arange(count) % 2 == 0
    audio = rng.integers(starts, size=count)
    landmarks = audio.copy()
    for index in np.flatnonzero(~in_sync):
        candidates = np.flatnonzero(np.abs(np.arange(starts) - audio[index]) >= min_offset)
        if not len(candidates):
            audio[index] = 0
            candidates = np.arange(min_offset, starts)
        landmarks[index] = rng.choice(candidates)
    return SyncWindows(landmarks, audio, in_sync)


def sync_accuracy(cosines: np.ndarray, in_sync: np.ndarray) -> float:
    """Share of windows on the right side of one half."""
    return float(np.mean((np.asarray(cosines) > 0.5) == in_sync))


class SoundOffset(NamedTuple):
    """Where a recording lies in another."""

    samples: int
    """The generated recording's first sample is this one of the reference; negative if it begins before."""
    similarity: float
    """Normalised correlation there, 0 to 1: near 1 for the same sound, near 0 for another."""


def sound_offset(reference: np.ndarray, generated: np.ndarray, least_overlap: float = 0.5) -> SoundOffset:
    """Cross-correlate two recordings [N] and [M]; at least that share of the shorter one must overlap."""
    a, b = np.asarray(reference, np.float64), np.asarray(generated, np.float64)
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    product = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    offsets = np.arange(1 - len(b), len(a))
    first, last = np.maximum(offsets, 0), np.minimum(offsets + len(b), len(a))
    energy_a, energy_b = (np.concatenate([[0.0], np.cumsum(x**2)]) for x in (a, b))
    energy = (energy_a[last] - energy_a[first]) * (energy_b[last - offsets] - energy_b[first - offsets])
    # Where there is next to no sound, a correlation says nothing.
    floor = 1e-4 * energy_a[-1] * energy_b[-1] + 1e-12
    similarity = np.where(
        (last - first >= least_overlap * min(len(a), len(b))) & (energy > floor),
        np.abs(product[offsets % size]) / np.sqrt(np.maximum(energy, floor)),
        0.0,
    )
    best = int(np.argmax(similarity))
    return SoundOffset(int(offsets[best]) if similarity[best] > 0 else 0, float(similarity[best]))


class SyncScore(NamedTuple):
    """As SyncNet's: how far the best offset stands out, and which it is."""

    confidence: float
    offset: int
    """Frames by which the picture is late."""


def sync_score(similarity: np.ndarray) -> SyncScore:
    """From the mean similarity [2R + 1] of picture and voice, the picture taken -R .. R frames after the voice."""
    best = int(np.argmax(similarity))
    return SyncScore(float(similarity[best] - np.median(similarity)), best - len(similarity) // 2)
