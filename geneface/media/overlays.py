"""All that is laid over the pictures of a video: captions, the invisible watermark, the label."""

from collections.abc import Sequence

import numpy as np

from geneface.media.captions import Captions
from geneface.media.mark import Mark
from geneface.media.watermark import Watermark
from geneface.speaking.speech import Sentence


class Overlays:
    """What is laid over frames, all of one size, which the first of them tell.

    Args:
        number: Of the watermark.
        label: Whether "AI-generated" is to be read in a corner.
        captions: What is written at the lower edge, and when.
    """

    def __init__(self, number: int, label: bool, captions: Sequence[Sentence] = ()):
        self.number, self.label, self.captions = number, label, captions
        self._drawn: tuple[Captions | None, list[Watermark | Mark]] | None = None

    def draw(self, frames: np.ndarray, start: int) -> None:
        """Onto uint8 frames [N, H, W, 3 or 4], of which `start` is the first one's number, in place."""
        if self._drawn is None:
            height, width = frames.shape[1:3]
            captions = Captions(self.captions, width, height) if self.captions else None
            watermark = Watermark(width, height, self.number)
            self._drawn = captions, [watermark, Mark(width, height)] if self.label else [watermark]
        captions, marks = self._drawn
        if captions is not None:
            captions.draw(frames, start)
        for mark in marks:
            mark.draw(frames)
