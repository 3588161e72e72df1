"""A synthesiser without a model: babble of the length that the words would have."""

import numpy as np
import pytest

from geneface.speaking.kokoro import VOICES

RATE = 24000


class Tones:
    """A `Synthesiser` with the names of Kokoro's voices; a man's are an octave lower."""

    name = "Tones"
    voices = VOICES

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float]] = []

    def synthesize(self, text: str, voice: str, speed: float = 1.0) -> tuple[np.ndarray, int]:
        self.asked.append((text, voice, speed))
        seconds = np.arange(round(RATE * 0.06 * len(text) / speed)) / RATE
        pitch = 110 if voice[1] == "m" else 220
        syllables = np.clip(np.sin(2 * np.pi * 4 * seconds), 0, 1)
        return (0.3 * syllables * np.sin(2 * np.pi * pitch * seconds)).astype(np.float32), RATE


def speak_in_tones(monkeypatch: pytest.MonkeyPatch) -> Tones:
    """Let them speak wherever no other synthesiser is given."""
    tones = Tones()
    monkeypatch.setattr("geneface.speaking.kokoro.shared_kokoro", lambda: tones)
    return tones
