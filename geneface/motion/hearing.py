"""What is heard in a frame of sound: how loud it is in three bands, and whether, and how high, a voice sounds."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geneface.streaming.audio import AudioStream
from geneface.units import SAMPLES_PER_FRAME, SAMPLING_RATE

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

_TAPER = np.hanning(WINDOW + 1)[:-1]
_FREQUENCIES = np.fft.rfftfreq(2 * WINDOW, 1 / SAMPLING_RATE)
_EDGES = np.searchsorted(_FREQUENCIES, BANDS)
_VOICED = (VOICE_BAND[0] <= _FREQUENCIES) & (VOICE_BAND[1] > _FREQUENCIES)
_LAGS = np.arange(round(SAMPLING_RATE / HIGHEST_PITCH), round(SAMPLING_RATE / LOWEST_PITCH) + 1)
_TAPERED = np.fft.irfft(np.abs(np.fft.rfft(_TAPER, 2 * WINDOW)) ** 2)[[0, *_LAGS]]


@dataclass(frozen=True)
class Heard:
    """Of one frame."""

    bands: np.ndarray
    """[3] dB of full scale, the power in each of `BANDS`."""
    level: float
    """dB of full scale, the power in all of them."""
    voicing: float
    """Share of the sound that repeats as a voice does: about 0.3 at most in noise, 0.6 to 1 in a vowel."""
    pitch: float
    """Hz, if there is a voice."""


def listen(audio: AudioStream, frame: int) -> Heard:
    """What is heard in a frame of a stream; raises `NotArrived` if the frames it looks ahead may still come."""
    stop = frame * SAMPLES_PER_FRAME + WINDOW
    if audio.ended:
        # Where the sound breaks off there would be a click.
        stop = min(stop, audio.available)
    return hear(audio.read(stop - WINDOW, stop))


def hear(window: np.ndarray) -> Heard:
    """What is heard in a frame and the `LOOKAHEAD` frames after it, samples [WINDOW] at 16 kHz."""
    spectrum = np.fft.rfft(_TAPER * (window - np.mean(window, dtype=np.float64)), 2 * WINDOW)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    # Parseval, for half of the spectrum of a padded and tapered window.
    scale = 2 / (2 * WINDOW * np.square(_TAPER).sum())
    bands = scale * np.array([power[first:last].sum() for first, last in pairwise(_EDGES)])
    # Autocorrelation over that of the taper, which would make long periods look weak (Boersma 1993).
    repeats = np.fft.irfft(np.where(_VOICED, power, 0.0))[[0, *_LAGS]] / _TAPERED
    found = repeats[1:] / max(repeats[0], 1e-20)
    best = found.max()
    # Of the periods that fit about as well, the shortest: twice the period fits, too.
    lag = _LAGS[np.argmax(found > 0.9 * best)] if best > 0 else _LAGS[-1]
    near = (np.abs(_LAGS - lag) <= 4) & (found > 0)
    lag = _LAGS[near][np.argmax(found[near])] if near.any() else lag
    return Heard(
        _decibels(bands), float(_decibels(bands.sum())), float(np.clip(best, 0, 1)), SAMPLING_RATE / float(lag)
    )


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 10 ** (NOTHING / 10)))
