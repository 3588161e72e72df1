"""A video whose pictures have times of their own, as those of phones and screens do."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from geneface.media.video import VideoWriter

if TYPE_CHECKING:
    from av import VideoStream

TICKS = 90_000
"""A second, as in MPEG."""


class TimedWriter(VideoWriter):
    """As `VideoWriter`, of pictures that are seen from a time on, until the next one's or the end that is given."""

    end = 0.0

    def _video_stream(self, crf: int, preset: str) -> "VideoStream":
        stream = super()._video_stream(crf, preset)
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        return stream

    def write_at(self, frame: np.ndarray, start: float, end: float) -> None:
        """Encode uint8 [H, W, 3], seen from `start` to `end` seconds, and the sound of that time."""
        self.end = end
        for each in self._converter(frame[None]):
            each.pts, each.time_base = round(start * TICKS), Fraction(1, TICKS)
            self._container.mux(self._video.encode(each))
            self.frames += 1
        self._write_sound()

    def _sound_until(self, rate: int) -> int:
        return round(self.end * rate)
