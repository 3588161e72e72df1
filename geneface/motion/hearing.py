"""What is heard in a frame of sound: how loud it is in three bands, and whether, and how high, a voice sounds."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from geneface.streaming.audio import AudioStream
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

LOOKAHEAD = 1
"""Frames after a frame that are heard with it."""
WINDOW = (1 + LOOKAHEAD) * SAMPLES_PER_FRAME
BANDS = (150.0, 1000.0, 4000.0, 7500.0)
"""Hz: borders of the bands. An offset, rumble and the hum of the mains lie below all of them."""
VOICE_BAND = (150.0, 1500.0)
"""Hz, where the harmonics of a voice are looked for."""
LOWEST_PITCH, HIGHEST_PITCH = 70.0, 400.0
"""Hz, of a voice."""
NOTHING = -120.0
"""dB that stand for no sound at all."""

_TAPER = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
_FREQUENCIES = np.fft.rfftfreq(WINDOW, 1 / SAMPLING_RATE)
_EDGES = np.searchsorted(_FREQUENCIES, BANDS)
_VOICED = np.searchsorted(_FREQUENCIES, VOICE_BAND)
_SCALE = 2 / (WINDOW * float(np.square(_TAPER).sum()))
"""Parseval's, for half of the spectrum of tapered samples."""
_LAGS = np.arange(round(SAMPLING_RATE / HIGHEST_PITCH), round(SAMPLING_RATE / LOWEST_PITCH) + 1)
_TAPERED = np.fft.irfft(np.abs(np.fft.rfft(_TAPER)) ** 2)
_TAPERED = (_TAPERED[_LAGS] / _TAPERED[0]).astype(np.float32)


class Heard(NamedTuple):
    """Of one frame."""

    bands: np.ndarray
    """[3] dB of full scale, the power in each of `BANDS`."""
    level: float
    """dB of full scale, the power in all of them."""
    voicing: float
    """Share of the sound that repeats as a voice does: about 0.3 at most in noise, 0.6 to 1 in a vowel."""
    pitch: float
    """Hz, if there is a voice."""


def listen(audio: AudioStream, start: int, stop: int) -> list[Heard]:
    """What is heard in frames [start, stop) of a stream.

    Raises `NotArrived` if the frames it looks ahead may still come.
    """
    ends = np.arange(start, stop) * SAMPLES_PER_FRAME + WINDOW
    if audio.ended:
        # Where the sound breaks off there would be a click.
        ends = np.minimum(ends, audio.available)
    first = int(ends[0]) - WINDOW
    samples = audio.read(first, int(ends[-1]))
    return hear(np.stack([samples[end - WINDOW - first : end - first] for end in ends]))


def hear(windows: np.ndarray) -> list[Heard]:
    """What is heard in frames, each with the `LOOKAHEAD` after it: samples [n, WINDOW] at 16 kHz."""
    windows = windows.astype(np.float32)
    spectrum = np.fft.rfft(_TAPER * (windows - windows.mean(1, keepdims=True)))
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    bands = _SCALE * np.stack([power[:, first:last].sum(1) for first, last in pairwise(_EDGES)], axis=1)
    power[:, : _VOICED[0]] = power[:, _VOICED[1] :] = 0
    repeats = np.fft.irfft(power)
    # Autocorrelation over that of the taper, which would make long periods look weak (Boersma 1993).
    found = repeats[:, _LAGS] / _TAPERED / np.maximum(repeats[:, :1], 1e-20)
    best = found.max(1)
    # Of the periods that fit about as well, the shortest: twice the period fits, too.
    period = np.argmax(found > 0.9 * best[:, None], axis=1)
    near = np.abs(np.arange(len(_LAGS)) - period[:, None]) <= 4
    period = _LAGS[np.where(near, found, -np.inf).argmax(1)]
    return [
        Heard(*each)
        for each in zip(
            _decibels(bands),
            _decibels(bands.sum(1)).tolist(),
            best.clip(0, 1).tolist(),
            (SAMPLING_RATE / period).tolist(),
            strict=True,
        )
    ]


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 10 ** (NOTHING / 10)))
