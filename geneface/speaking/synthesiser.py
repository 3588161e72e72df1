"""What turns text into speech: a protocol, so that any synthesiser will do."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class Synthesiser(Protocol):
    """Text in, speech out. One object serves several threads."""

    @property
    def name(self) -> str:
        """What provenance calls it, such as "Kokoro-82M"."""

    @property
    def voices(self) -> Mapping[str, str]:
        """Name of a voice -> what it sounds like, in a few words; the first one is the default."""

    def synthesize(self, text: str, voice: str, speed: float = 1.0) -> tuple[np.ndarray, int]:
        """Samples [N], float32 mono, and their rate in Hz, of at most `text.LONGEST_SENTENCE` characters.

        Args:
            voice: One of `voices`.
            speed: 2 is twice as fast as 1.
        """
