"""Mel-frequency cepstra as SyncNet was trained on: the defaults of the python_speech_features package."""

import numpy as np

from geneface.utils.units import SAMPLING_RATE

WINDOW, HOP, FFT = 400, 160, 512
FILTERS, COEFFICIENTS, LIFTER, PREEMPHASIS = 26, 13, 22, 0.97


def mfcc(samples: np.ndarray) -> np.ndarray:
    """[N] at 16 kHz in the range of 16-bit integers -> [ceil((N - 400) / 160) + 1, 13], the log energy first."""
    from scipy.fft import dct

    sound = np.asarray(samples, np.float64)
    sound = np.append(sound[:1], sound[1:] - PREEMPHASIS * sound[:-1])
    count = 1 + max(0, -(-(len(sound) - WINDOW) // HOP))
    sound = np.pad(sound, (0, (count - 1) * HOP + WINDOW - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2 / FFT
    least = np.finfo(np.float64).eps
    energy, bands = power.sum(axis=1), power @ filters().T
    cepstra = dct(np.log(np.where(bands == 0, least, bands)), norm="ortho")[:, :COEFFICIENTS]
    cepstra *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    cepstra[:, 0] = np.log(np.where(energy == 0, least, energy))
    return cepstra


def filters() -> np.ndarray:
    """[26, 257] triangles, equally spaced in mel from 0 Hz to 8 kHz, their corners on bins of the FFT."""
    highest = 2595 * np.log10(1 + SAMPLING_RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, FILTERS + 2) / 2595) - 1)
    corners = np.floor((FFT + 1) * hertz / SAMPLING_RATE)
    left, middle, right = (corners[first : first + FILTERS, None] for first in range(3))
    bins = np.arange(FFT // 2 + 1)
    return np.clip(np.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)), 0, None)
