"""Speech that was made of text, with the times of its sentences."""

from collections.abc import Callable
from dataclasses import dataclass

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
    synthesiser = synthesiser or default_synthesiser()
    text, voice = check_request(text, voice, speed=speed, preferred=preferred, synthesiser=synthesiser)
    plan = [(BETWEEN_SENTENCES if i else BETWEEN_PARAGRAPHS, s) for p in paragraphs(text) for i, s in enumerate(p)]
    plan[0] = START, plan[0][1]
    pieces: list[np.ndarray] = []
    said: list[Sentence] = []
    length, rate = 0, 1
    for pause, sentence in plan:
        if stop is not None:
            stop.check()
        samples, rate = _synthesize(synthesiser, sentence, voice, speed)
        silence = np.zeros(round(pause / speed * rate), np.float32)
        pieces += [silence, samples]
        start, length = length + len(silence), length + len(silence) + len(samples)
        said.append(Sentence(sentence, start / rate, length / rate))
        if on_sentence is not None:
            on_sentence(len(said), len(plan))
    sound = np.concatenate([*pieces, np.zeros(round(END * rate), np.float32)])
    sound *= min(1.0, LOUDEST / max(float(np.abs(sound).max()), LOUDEST))
    return Speech(sound, rate, tuple(said), synthesiser.name, voice)


def check_request(
    text: str,
    voice: str | None = None,
    *,
    speed: float = 1.0,
    preferred: str = "",
    synthesiser: Synthesiser | None = None,
) -> tuple[str, str]:
    """The text and the voice that `speak` would take; errors as there, before anything is fetched or loaded."""
    voices = (synthesiser or default_synthesiser()).voices
    if voice and voice not in voices:
        raise InputError(f"there is no voice {voice!r}; there are {', '.join(voices)}")
    if not SLOWEST <= speed <= FASTEST:
        raise InputError(f"speed is {speed:g}; it must be between {SLOWEST} and {FASTEST:g}")
    return check_text(text), voice or (preferred if preferred in voices else next(iter(voices)))


def default_synthesiser() -> Synthesiser:
    """Kokoro-82M, one for the whole process, which loads when it speaks; `InputError` if it is not installed."""
    from geneface.speaking.kokoro import shared_kokoro

    return shared_kokoro()


def _synthesize(synthesiser: Synthesiser, text: str, voice: str, speed: float) -> tuple[np.ndarray, int]:
    samples, rate = synthesiser.synthesize(text, voice, speed)
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 1 or not len(samples) or not np.isfinite(samples).all():
        raise InputError(f'{synthesiser.name} gave no sound for "{text[:40]}"; write it in other words')
    return samples, int(rate)
