"""A stand-in for `GeneFacePipeline` that draws grey squares: the same streaming and interruption, no models."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.pipeline import FrameChunk


class FakePipeline:
    name = "grey"

    def __init__(self, size: int = 64, delay: float = 0.0, batch: int = 4) -> None:
        self.size, self.delay, self.batch = size, delay, batch
        self.drawn = 0
        self.seeds: list[int] = []

    def set_progress_bar_config(self, **options: Any) -> None:
        pass

    def stream(
        self,
        audio: Any,
        *,
        generator: Any,
        temperature: float = 1.0,
        pose: str = "natural",
        blink: str = "natural",
        background: Any = None,
        size: int | None = None,
        callback_on_frame_end: Any = None,
    ) -> Iterator[FrameChunk]:
        if not 0 <= temperature <= 2:
            raise InputError(f"temperature is {temperature}; it must be between 0 and 2")
        self.seeds.append(generator.initial_seed())
        self.drawn = 0
        side = size or self.size
        with open_audio(audio) as source:
            while self.drawn < source.frames:
                count = min(self.batch, source.frames - self.drawn)
                time.sleep(self.delay * count)
                frames = np.full((count, side, side, 3), self.seeds[-1] % 256, np.uint8)
                yield FrameChunk(self.drawn, frames, np.zeros((count, 68, 3), np.float32), source.frames)
                self.drawn += count
                callback_on_frame_end(self, self.drawn - 1, source.frames)
