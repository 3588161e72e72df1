"""Speech with phone times: joining, resampling, and the silence inside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from geneface.face.phonemes import SILENCE, normalise

Phones = list[tuple[str, float, float]]

LONGEST = 0.4
"""Seconds of a sound before a pause; what is heard beyond that is the room."""


@dataclass
class TimedSpeech:
    """Sound [N] float32 with the sounds of speech in it, in seconds; "" is silence in raw phones, "sil" after
    `in_inventory`."""

    sound: np.ndarray
    sampling_rate: int
    phones: Phones = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return len(self.sound) / self.sampling_rate

    def in_inventory(self) -> "TimedSpeech":
        """Phones in the symbols of `geneface.face.phonemes`: split where one sound is two symbols, neighbouring
        silences joined."""
        phones: Phones = []
        for ipa, start, end in self.phones:
            symbols = (normalise(ipa) if ipa else []) or [SILENCE]
            borders = np.linspace(start, end, len(symbols) + 1)
            for symbol, begin, finish in zip(symbols, borders[:-1], borders[1:], strict=True):
                if symbol == SILENCE and phones and phones[-1][0] == SILENCE:
                    phones[-1] = (SILENCE, phones[-1][1], float(finish))
                elif finish > begin:
                    phones.append((symbol, float(begin), float(finish)))
        return TimedSpeech(self.sound, self.sampling_rate, phones)

    def resampled(self, sampling_rate: int) -> "TimedSpeech":
        if sampling_rate == self.sampling_rate:
            return self
        from math import gcd

        from scipy.signal import resample_poly

        common = gcd(sampling_rate, self.sampling_rate)
        sound = resample_poly(self.sound, sampling_rate // common, self.sampling_rate // common).astype(np.float32)
        return TimedSpeech(sound, sampling_rate, self.phones)


def pause(seconds: float, sampling_rate: int) -> TimedSpeech:
    samples = round(seconds * sampling_rate)
    return TimedSpeech(np.zeros(samples, np.float32), sampling_rate, [("", 0.0, samples / sampling_rate)])


class Voice(Protocol):
    """Anything that says a sentence at `speed` times its usual pace."""

    name: str

    def say(self, text: str, speed: float = 1.0) -> TimedSpeech: ...


def joined(parts: Iterable[TimedSpeech]) -> TimedSpeech:
    """The parts, all of one sampling rate, one after the other."""
    parts = list(parts)
    phones: Phones = []
    offset = 0.0
    for part in parts:
        phones += [(symbol, start + offset, end + offset) for symbol, start, end in part.phones]
        offset += part.seconds
    return TimedSpeech(np.concatenate([part.sound for part in parts]), parts[0].sampling_rate, phones)


def trimmed(speech: TimedSpeech, silence: float) -> TimedSpeech:
    """With at most `silence` seconds before the first sound and after the last; the cuts are faded."""
    spoken = [(start, end) for ipa, start, end in speech.phones if ipa]
    if not spoken:
        return speech
    rate = speech.sampling_rate
    first = round(max(0.0, spoken[0][0] - silence) * rate)
    last = round(min(speech.seconds, spoken[-1][1] + silence) * rate)
    sound = speech.sound[first:last].copy()
    fade = np.linspace(0.0, 1.0, min(len(sound) // 2, round(0.01 * rate)), dtype=np.float32)
    sound[: len(fade)] *= fade
    sound[len(sound) - len(fade) :] *= fade[::-1]
    offset, seconds = first / rate, len(sound) / rate
    phones = [(ipa, max(0.0, start - offset), min(seconds, end - offset)) for ipa, start, end in speech.phones]
    return TimedSpeech(sound, rate, [phone for phone in phones if phone[2] > phone[1]])


def levelled(speech: TimedSpeech, decibels: float = -23.0) -> TimedSpeech:
    """Brought to one loudness (RMS of the louder half of the 20 ms frames) without clipping."""
    step = speech.sampling_rate // 50
    frames = speech.sound[: len(speech.sound) // step * step].reshape(-1, step)
    power = np.sort((frames**2).mean(1))[len(frames) // 2 :]
    gain = 10 ** (decibels / 20) / max(1e-6, float(np.sqrt(power.mean())))
    gain = min(gain, 0.95 / max(1e-6, float(np.abs(speech.sound).max())))
    return TimedSpeech(speech.sound * np.float32(gain), speech.sampling_rate, speech.phones)


def silences_from_energy(phones: Sequence[tuple[str, float, float]], sound: np.ndarray, rate: int) -> Phones:
    """Move the border between a sound and the pause beside it to where the sound is heard to end or begin.

    A duration model lets the last sound before a pause, and the first one after it, run into the pause.
    """
    step = rate // 100
    frames = np.pad(sound, (0, -len(sound) % step)).reshape(-1, step)
    level = 10 * np.log10((frames.astype(np.float64) ** 2).mean(1) + 1e-10)
    audible = level > max(-60.0, float(np.percentile(level, 95)) - 38.0)
    starts = [start for _, start, _ in phones]
    ends = [end for _, _, end in phones]
    for index, (ipa, start, end) in enumerate(phones):
        if not ipa:
            continue
        heard = np.flatnonzero(audible[int(start * 100) : max(int(start * 100) + 1, int(np.ceil(end * 100)))])
        if index + 1 < len(phones) and not phones[index + 1][0] and len(heard):
            finish = max(start + 0.03, min(end, start + LONGEST, int(start * 100) / 100 + (heard[-1] + 1) / 100))
            ends[index] = starts[index + 1] = finish
        if index and not phones[index - 1][0] and len(heard):
            begin = min(ends[index] - 0.03, max(start, int(start * 100) / 100 + heard[0] / 100 - 0.02))
            starts[index] = ends[index - 1] = begin
    names = [ipa for ipa, _, _ in phones]
    return [(ipa, start, end) for ipa, start, end in zip(names, starts, ends, strict=True) if end > start]
