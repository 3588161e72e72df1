"""Speech that was made of text, with the times of its sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from geneface.errors import InputError
from geneface.speaking.synthesiser import Synthesiser
from geneface.speaking.text import check_text, paragraphs
from geneface.stopping import StopToken

SLOWEST, FASTEST = 0.5, 2.0
START, BETWEEN_SENTENCES, BETWEEN_PARAGRAPHS, END = 0.2, 0.35, 0.8, 0.4
"""Seconds of silence."""
LOUDEST = 0.95


@dataclass(frozen=True)
class Sentence:
    """What is said, and when, in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Speech:
    """What `speak` makes; may be given wherever a recording may."""

    samples: np.ndarray
    """[N] float32 mono"""
    sampling_rate: int
    sentences: tuple[Sentence, ...]
    synthesiser: str
    voice: str

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sampling_rate


def speak(
    text: str,
    voice: str | None = None,
    *,
    speed: float = 1.0,
    preferred: str = "",
    synthesiser: Synthesiser | None = None,
    on_sentence: Callable[[int, int], None] | None = None,
    stop: StopToken | None = None,
) -> Speech:
    """Say a text, sentence by sentence.

    Args:
        voice: One of the synthesiser's; `preferred` if None and there is such a one, else its first.
        speed: 0.5 to 2; 1 is the voice's own.
        synthesiser: Kokoro-82M if None, whose model is fetched at first need.
        on_sentence: Called with (sentences done, sentences in all).
        stop: Heeded before each sentence.

    Raises:
        InputError: for a text that cannot be spoken, an unknown voice, or if there is no synthesiser.
    """
    text = check_text(text)
    if not SLOWEST <= speed <= FASTEST:
        raise InputError(f"speed is {speed:g}; it must be between {SLOWEST} and {FASTEST:g}")
    synthesiser = synthesiser or default_synthesiser()
    voice = choose_voice(synthesiser, voice, preferred)
    parts = [*paragraphs(text)]
    total = sum(map(len, parts))
    pieces: list[np.ndarray] = []
    said: list[Sentence] = []
    length, rate, pause = 0, 1, START
    for number, (first, sentence) in enumerate(chain(*([(i == 0, s) for i, s in enumerate(p)] for p in parts))):
        if stop is not None:
            stop.check()
        samples, its_rate = _synthesize(synthesiser, sentence, voice, speed)
        if rate and its_rate != rate:
            raise InputError(
                f"{synthesiser.name} speaks at {rate} and at {its_rate} Hz; take a synthesiser of one rate"
            )
        rate = its_rate
        if number:
            pause = BETWEEN_PARAGRAPHS if first else BETWEEN_SENTENCES
        silence = np.zeros(round(pause / speed * rate), np.float32)
        pieces += [silence, samples]
        said.append(Sentence(sentence, (length + len(silence)) / rate, (length + len(silence) + len(samples)) / rate))
        length += len(silence) + len(samples)
        if on_sentence is not None:
            on_sentence(number + 1, total)
    sound = np.concatenate([*pieces, np.zeros(round(END * rate), np.float32)])
    peak = float(np.abs(sound).max())
    return Speech(sound * min(1.0, LOUDEST / max(peak, 1e-9)), rate, tuple(said), synthesiser.name, voice)


def choose_voice(synthesiser: Synthesiser, voice: str | None, preferred: str = "") -> str:
    """See `speak`; raises `InputError` that names the voices there are."""
    voices = synthesiser.voices
    if voice and voice not in voices:
        raise InputError(f"there is no voice {voice!r}; there are {', '.join(voices)}")
    return voice or (preferred if preferred in voices else next(iter(voices)))


def default_synthesiser() -> Synthesiser:
    """Kokoro-82M, one for the whole process; nothing is fetched or loaded before it speaks."""
    from geneface.speaking.kokoro import shared_kokoro

    return shared_kokoro()


def _synthesize(synthesiser: Synthesiser, text: str, voice: str, speed: float) -> tuple[np.ndarray, int]:
    samples, rate = synthesiser.synthesize(text, voice, speed)
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
        raise InputError(f'{synthesiser.name} gave no sound for "{text[:40]}"; write it in other words')
    return samples, int(rate)
