"""Changes to recordings that leave what is said as it is: rooms, noise, lines, voices, pauses.

All take and give float32 samples [N] at 16 kHz and draw what is random from the generator they get.
Times of phones are (symbol, start, end) in seconds.
"""

import numpy as np
from scipy import fft

from geneface.face.phonemes import SILENCE
from geneface.utils.units import SAMPLING_RATE

Phones = list[tuple[str, float, float]]


def augment(samples: np.ndarray, phones: Phones, rng: np.random.Generator) -> tuple[np.ndarray, Phones]:
    """Each of the changes below at random; `phones` may be empty, then only inserted silences are in the result."""
    chance = rng.random(6)
    if chance[0] < 0.7:
        samples, phones = change_speed(samples, phones, rng)
    if chance[1] < 0.15:
        samples, phones = insert_silence(samples, phones, rng)
    if chance[2] < 0.35:
        samples = reverberate(samples, rng)
    if chance[3] < 0.3:
        samples = limit_band(samples, rng)
    if chance[4] < 0.6:
        samples = add_noise(samples, rng)
    samples = change_level(samples, rng)
    if chance[5] < 0.3:
        samples, phones = insert_silence(samples, phones, rng)
    return samples, phones


def change_level(samples: np.ndarray, rng: np.random.Generator, decibels: float = 10.0) -> np.ndarray:
    """Louder or softer by up to `decibels`, clipped at full scale."""
    return np.clip(samples * np.float32(10 ** (rng.uniform(-decibels, decibels) / 20)), -1, 1)


def change_speed(
    samples: np.ndarray, phones: Phones, rng: np.random.Generator, most: float = 1.15
) -> tuple[np.ndarray, Phones]:
    """Faster and higher or slower and lower, by a factor of up to `most`."""
    before = fft.next_fast_len(len(samples), real=True)
    after = fft.next_fast_len(round(before * most ** rng.uniform(-1, 1)), real=True)
    factor = after / before
    changed = fft.irfft(fft.rfft(samples, before), after) * np.float32(factor)
    return changed[: round(len(samples) * factor)], [(s, a * factor, b * factor) for s, a, b in phones]


def insert_silence(
    samples: np.ndarray, phones: Phones, rng: np.random.Generator, seconds: tuple[float, float] = (0.2, 1.5)
) -> tuple[np.ndarray, Phones]:
    """Digital silence between two phones, or where it is quietest near a random place if their times are unknown."""
    length = round(rng.uniform(*seconds) * SAMPLING_RATE)
    spoken = [start for symbol, start, _ in phones if symbol != SILENCE and start >= 0]
    if spoken:
        place = min(round(spoken[rng.integers(len(spoken))] * SAMPLING_RATE), len(samples))
    else:
        place = _quietest(samples, int(rng.integers(len(samples) + 1)))
    time, added = place / SAMPLING_RATE, length / SAMPLING_RATE
    early = [(s, a, min(b, time)) for s, a, b in phones if a < time - 1e-6]
    late = [(s, max(a, time) + added, b + added) for s, a, b in phones if b > time + 1e-6]
    silence = np.zeros(length, np.float32)
    return np.concatenate([samples[:place], silence, samples[place:]]), [*early, (SILENCE, time, time + added), *late]


def _quietest(samples: np.ndarray, place: int, reach: int = 3200, step: int = 160) -> int:
    first = max(place - reach, 0)
    blocks = samples[first : place + reach]
    blocks = blocks[: len(blocks) // step * step].reshape(-1, step)
    return first + int(np.square(blocks).sum(1).argmin()) * step + step // 2 if len(blocks) else place


def reverberate(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room: the sound itself, and decaying noise as its echo (reverberation time 0.1 to 0.7 s)."""
    decay = 0.1 * 7 ** rng.random()
    times = np.arange(round(decay * SAMPLING_RATE), dtype=np.float32) / SAMPLING_RATE
    response = rng.standard_normal(len(times), dtype=np.float32) * 10 ** (-3 * times / np.float32(decay))
    response[: round(rng.uniform(0.001, 0.01) * SAMPLING_RATE)] = 0
    response *= np.float32(10 ** (rng.uniform(-15, 0) / 20)) / np.linalg.norm(response)
    response[0] = 1
    size = fft.next_fast_len(len(samples) + len(response), real=True)
    return fft.irfft(fft.rfft(samples, size) * fft.rfft(response, size), size)[: len(samples)]


def limit_band(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A telephone, a poor microphone or a low sampling rate: nothing above 2.5 to 7.5 kHz or below 20 to 300 Hz."""
    size = fft.next_fast_len(len(samples) + 1600, real=True)
    frequencies = fft.rfftfreq(size, 1 / SAMPLING_RATE).astype(np.float32)
    highest, lowest = np.float32(2500 * 3 ** rng.random()), np.float32(20 * 15 ** rng.random())
    with np.errstate(divide="ignore"):
        shape = 1 / np.sqrt((1 + (frequencies / highest) ** 16) * (1 + (lowest / frequencies) ** 4))
    return fft.irfft(fft.rfft(samples, size) * shape, size)[: len(samples)]


def add_noise(
    samples: np.ndarray, rng: np.random.Generator, decibels: tuple[float, float] = (5.0, 40.0)
) -> np.ndarray:
    """Noise of any colour from blue to brown, steady or swelling, that far below the recording's mean power."""
    size = fft.next_fast_len(len(samples), real=True)
    frequencies = np.maximum(fft.rfftfreq(size, 1 / SAMPLING_RATE), 50).astype(np.float32)
    parts = rng.standard_normal((2, len(frequencies)), dtype=np.float32) * frequencies ** np.float32(
        rng.uniform(-1, 0.5)
    )
    noise = fft.irfft(parts[0] + np.complex64(1j) * parts[1], size)[: len(samples)]
    if rng.random() < 0.5:
        knots = rng.uniform(0, 1, 2 + len(samples) // 8000)
        noise *= np.interp(np.linspace(0, len(knots) - 1, len(samples)), np.arange(len(knots)), knots).astype("f4")
    wanted = np.sqrt(np.mean(np.square(samples))) * 10 ** (-rng.uniform(*decibels) / 20)
    return samples + noise * np.float32(wanted / max(np.sqrt(np.mean(np.square(noise))), 1e-9))
