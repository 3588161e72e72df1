"""What goes with stressed syllables: a nod, a raise of the brows; never both every time."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from geneface.motion.hearing import Heard
from geneface.motion.silence import VOICED

BROW_SHARES = (0.55, 0.75, 0.9, 1.0, 0.8, 0.8, 1.0, 0.9, 0.75, 0.55)
"""How far each point of a brow rises beside the highest."""
BROW_RISE = 0.15
"""cm, of the highest point in the strongest raise."""
NOD = np.radians(2.2)
"""Of the strongest nod, downwards."""
NOD_FRAMES, RAISE_FRAMES = (5, 10), (6, 14)
"""There, and back."""
REST_FRAMES = 22
"""Between the beginnings of two gestures, at least."""
NODS, RAISES = 0.6, 0.4
"""Chance of each on a stressed syllable."""
RISE = 6.0
"""dB by which a syllable's vowel is louder than what was just before it."""
STRESS = 1.2
"""Prominence of a stressed syllable; of all vowels it has mean 0 and a deviation of about 1."""
DECIBELS, SEMITONES = 5.0, 3.0
"""Deviations of vowels from their mean in level and in pitch."""
EASE = 0.02
"""How fast the mean of the voice is followed, a vowel's frame."""


@dataclass
class Gestures:
    """Nods and raised brows, frame by frame.

    Args:
        seed: Which syllables are accompanied, by what and how strongly.
    """

    seed: int
    frame: int = 0
    levels: deque[float] = field(default_factory=lambda: deque(maxlen=5))
    """dB, of the last frames."""
    mean_level: float | None = None
    """dB, of the voice; None before the first vowel."""
    mean_pitch: float = 0.0
    """Octaves over 1 Hz, of the voice."""
    last: int = -REST_FRAMES
    """The frame in which the last gesture began."""
    nod: float = 0.0
    """Share of the strongest, of the last nod; 0 for none."""
    raised: float = 0.0
    """The same of the brows."""

    def push(self, heard: Heard, speaking: bool) -> tuple[float, float]:
        """Of the next frame: a nod in radians, and how far the brows rise, in cm."""
        if speaking and heard.voicing > VOICED and self._prominence(heard) > STRESS:
            self._begin()
        self.levels.append(heard.level)
        age = self.frame - self.last
        self.frame += 1
        nod, raised = self.nod * _bump(age, *NOD_FRAMES), self.raised * _bump(age, *RAISE_FRAMES)
        return NOD * nod, BROW_RISE * raised

    def _prominence(self, heard: Heard) -> float:
        """How far a vowel stands out of the voice; 0 in the middle of one, for a gesture goes with its beginning."""
        pitch = math.log2(heard.pitch)
        if self.mean_level is None:
            self.mean_level, self.mean_pitch = heard.level, pitch
        louder = (heard.level - self.mean_level) / DECIBELS
        higher = min(max(12 * (pitch - self.mean_pitch) / SEMITONES, -1.5), 1.5)
        self.mean_level += EASE * (heard.level - self.mean_level)
        self.mean_pitch += EASE * (pitch - self.mean_pitch)
        return louder + higher if heard.level > min(self.levels, default=heard.level) + RISE else 0.0

    def _begin(self) -> None:
        if self.frame - self.last < REST_FRAMES:
            return
        rng = np.random.default_rng([self.seed, 0x40D, self.frame])
        strength = rng.uniform(0.4, 1.0, 2) * (rng.random(2) < [NODS, RAISES])
        self.last, self.nod, self.raised = self.frame, float(strength[0]), float(strength[1])


def _bump(age: int, there: int, back: int) -> float:
    """From 0 to 1 and back to 0, smoothly, in so many frames."""
    share = age / there if age < there else 1 - (age - there) / back
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
