"""Silence closes the mouth: a gate on the motion, which hears speech relative to the recording's own noise and voice.

It hears a little ahead, but no further than features and motion have been made from, so that nothing waits for it;
what it remembers lies in a `SpeechGate`, one frame after the other, so that cutting a stream changes nothing.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from geneface.motion.hearing import LOOKAHEAD, Heard
from geneface.utils.units import FPS

FLOOR_FRAMES = 3 * FPS
"""The quietest of so many last frames is noise: nobody speaks for so long without a gap."""
STEADY_FRAMES, STEADY_RANGE = 10, 4.0
"""Sound without a voice whose bands all stay within so many dB for so many frames is noise, too."""
ABOVE_NOISE = 8.0
"""dB over the noise in a band that speech has; less, where a voice stands out less than twice that."""
BELOW_VOICE = 32.0
"""dB under the recording's voice at which a band's sound is no speech, were there no noise at all."""
VOICED = 0.6
"""`Heard.voicing` of a vowel."""
VOICE_ABOVE_NOISE, VOICE_BELOW_VOICE = 10.0, 15.0
"""dB: a vowel counts where it is so far over the noise, or no further under the voice."""
USUAL_VOICE = -26.0
"""dB of full scale, of a voice as long as none has been heard."""
LEAST = -85.0
"""dB of full scale, under which nothing can be heard."""
LOUDER, SOFTER = 0.3, 0.02
"""How fast the level of the voice follows a louder and a softer vowel, a frame."""
AHEAD = 6
"""Frames of sound after a frame that decide on it: a mouth opens before it is heard, and closes only in a pause."""
LONG_PAUSE = FPS
"""Frames of silence after which a mouth stays shut until it is heard."""
HOLD = 2
"""Frames after speech in which nothing happens yet."""
CLOSING, OPENING = 8, 4
"""Frames in which the mouth closes then, and opens again."""


@dataclass
class SpeechGate:
    """Share of its motion that the mouth keeps, frame by frame; it answers `AHEAD` frames after it was asked."""

    recent: np.ndarray = field(default_factory=lambda: np.full((FLOOR_FRAMES, 3), np.inf))
    """[FLOOR_FRAMES, 3] dB: the bands of the last frames, a ring."""
    frames: int = 0
    """That have been heard."""
    voicing: deque[float] = field(default_factory=lambda: deque(maxlen=STEADY_FRAMES))
    voice: float | None = None
    """dB: the level of the recording's vowels; None before the first one."""
    since_speech: int = 0
    """Frames from the last one with speech to the last one that was heard. A recording begins as a pause does: what
    was said before it is not known, and people open their mouths before they speak."""
    wait: int = 0
    """Frames in which the mouth does not open yet."""
    openness: float = 1.0
    """Of the last answer, 0 to 1, in equal steps."""

    def push(self, heard: Heard) -> float:
        """Hear one more frame; share of the motion, 0 to 1, in the frame `AHEAD` frames before it."""
        if not self._is_speech(heard):
            self.since_speech += 1
        else:
            if self.since_speech >= LONG_PAUSE:
                self.wait = AHEAD + LOOKAHEAD
            self.since_speech = 0
        self.wait -= 1
        if self.wait < 0 and self.since_speech <= AHEAD + HOLD:
            self.openness = min(1.0, self.openness + 1 / OPENING)
        else:
            self.openness = max(0.0, self.openness - 1 / CLOSING)
        return self.openness * self.openness * (3 - 2 * self.openness)

    @property
    def heard_speech(self) -> bool:
        """Whether there was speech in the last frame that was heard."""
        return self.since_speech == 0

    def _is_speech(self, heard: Heard) -> bool:
        noise = self._follow_noise(heard)
        over_noise = heard.level - 10 * math.log10((10 ** (noise / 10)).sum())
        voiced = heard.voicing > VOICED and heard.level > LEAST
        if voiced and over_noise > VOICE_ABOVE_NOISE:
            if self.voice is None:
                self.voice = heard.level
            self.voice += (LOUDER if heard.level > self.voice else SOFTER) * (heard.level - self.voice)
        voice = USUAL_VOICE if self.voice is None else self.voice
        if voiced and (over_noise > VOICE_ABOVE_NOISE or heard.level > voice - VOICE_BELOW_VOICE):
            return True
        above = ((voice - noise) / 2).clip(ABOVE_NOISE / 2, ABOVE_NOISE)
        return bool((heard.bands > np.maximum(noise + above, max(voice - BELOW_VOICE, LEAST))).any())

    def _follow_noise(self, heard: Heard) -> np.ndarray:
        """[3] dB: the noise of each band."""
        self.recent[self.frames % FLOOR_FRAMES] = heard.bands
        self.frames += 1
        self.voicing.append(heard.voicing)
        if self.frames >= STEADY_FRAMES and max(self.voicing) < VOICED:
            last = self.recent[np.arange(self.frames - STEADY_FRAMES, self.frames) % FLOOR_FRAMES]
            quietest = last.min(0)
            if (last.max(0) - quietest < STEADY_RANGE).all():
                # What was quieter before is over.
                np.maximum(self.recent, quietest, out=self.recent)
        return self.recent.min(0)
