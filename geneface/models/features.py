"""What every feature extractor is: sound to features, two a video frame, run over windows of a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import nn

from geneface.errors import InputError
from geneface.streaming.audio import ArrayStream, AudioStream, blocks
from geneface.streaming.stage import join, through
from geneface.utils.units import FPS, SAMPLES_PER_FRAME

MARGIN = 40
"""Samples on each side of a window: HuBERT then gives two features a video frame, each in the middle of its 20 ms."""


class AudioFeatures(nn.Module):
    """Two features a video frame; subclasses say of what size, and how much of the sound each depends on.

    Called with [B, 640T + 80] samples at 16 kHz, `MARGIN` on each side included, it gives [B, 2T, feature_size].

    Attributes:
        identity: Names what was trained how, so that what was trained on other features is told; "" if unknown.
        feature_size: D.
        context_frames: Video frames before a frame that its features depend on.
        lookahead_frames: Those after it.
        block_frames: Windows lie on a grid of so many frames where the reach is not really bounded, as with
            attention over the whole window: cutting then changes nothing. 1 is no grid.
    """

    rate: ClassVar[int] = 2 * FPS
    """Features a second."""

    slot: ClassVar[str] = "feature_extractor"
    identity: str = ""
    feature_size: int
    context_frames: int = 50
    lookahead_frames: int = 50
    block_frames: int = 150

    @property
    def device(self) -> torch.device:
        return self._tensor.device

    @property
    def dtype(self) -> torch.dtype:
        return self._tensor.dtype

    @property
    def _tensor(self) -> torch.Tensor:
        return next(tensor for tensor in (*self.parameters(), *self.buffers()) if tensor.is_floating_point())

    def stream(self, audio: AudioStream) -> Iterator[torch.Tensor]:
        """[2n, feature_size] for one part of the sound after the other."""
        return through(FeatureStage(self), blocks(audio))

    def extract(self, audio: AudioStream) -> torch.Tensor:
        """[2T, feature_size] of a whole recording."""
        return torch.cat(list(self.stream(audio)))


class Hears(Protocol):
    """What gives features of a recording: an extractor, or what teaches one."""

    feature_size: int

    def extract(self, audio: ArrayStream, /) -> torch.Tensor:
        """[2T, feature_size]"""


class TrainedOnFeatures(Protocol):
    """What was trained on the features of one extractor."""

    feature_size: int
    extractor: str
    """`AudioFeatures.identity` of it; "" if unknown."""


def check_features(extractor: AudioFeatures, model: TrainedOnFeatures, name: str) -> None:
    """Raise `InputError` for a model, called `name`, that was trained on other features than these."""
    if extractor.feature_size != model.feature_size:
        raise InputError(
            f"the feature extractor gives {extractor.feature_size} numbers a feature where the {name} was trained on "
            f"{model.feature_size}; take the two from one bundle"
        )
    if extractor.identity and model.extractor and extractor.identity != model.extractor:
        raise InputError(
            f"the feature extractor is {extractor.identity} where the {name} was trained on {model.extractor}; take "
            "the two from one bundle"
        )


@dataclass
class FeatureState:
    """What a `FeatureStage` remembers."""

    samples: np.ndarray = field(default_factory=lambda: np.zeros(MARGIN, np.float32))
    """Sound that may still be looked at; before the beginning it is silent."""
    first: int = -MARGIN
    """Number of the first of these samples."""
    done: int = 0
    """Frames whose features have come out."""


class FeatureStage:
    """Samples [n] at 16 kHz -> audio features [2m, D]."""

    def __init__(self, extractor: AudioFeatures):
        self.extractor = extractor
        self.state = FeatureState()

    @property
    def lookahead_frames(self) -> int:
        """With the margin of the last window, which takes a little of one more frame."""
        return self.extractor.block_frames + self.extractor.lookahead_frames

    def push(self, samples: np.ndarray) -> torch.Tensor | None:
        state, block = self.state, self.extractor.block_frames
        state.samples = np.concatenate([state.samples, samples])
        arrived = state.first + len(state.samples)
        ready = (arrived - MARGIN) // SAMPLES_PER_FRAME - self.extractor.lookahead_frames
        return self._upto(ready // block * block, None)

    def flush(self) -> torch.Tensor | None:
        state = self.state
        frames = -(-(state.first + len(state.samples)) // SAMPLES_PER_FRAME)
        missing = frames * SAMPLES_PER_FRAME + MARGIN - state.first - len(state.samples)
        state.samples = np.pad(state.samples, (0, missing))
        rest = self._upto(frames, frames)
        self.state = FeatureState()
        return rest

    def _upto(self, ready: int, frames: int | None) -> torch.Tensor | None:
        """Features up to frame `ready` of the sound, which has so many `frames` if it has ended."""
        block = self.extractor.block_frames
        parts = []
        while self.state.done < ready:
            stop = min(self.state.done + block, ready) if block > 1 else ready
            last = stop + self.extractor.lookahead_frames
            parts.append(self._window(stop, last if frames is None else min(last, frames)))
        return join(parts) if parts else None

    @torch.no_grad()
    def _window(self, stop: int, last: int) -> torch.Tensor:
        """Features of the frames up to `stop`, which see the sound up to frame `last`."""
        state, extractor = self.state, self.extractor
        first = max(state.done - extractor.context_frames, 0)
        begin = first * SAMPLES_PER_FRAME - MARGIN - state.first
        end = last * SAMPLES_PER_FRAME + MARGIN - state.first
        window = torch.from_numpy(state.samples[begin:end]).to(extractor.device, extractor.dtype)
        features = extractor(window[None])[0, 2 * (state.done - first) : 2 * (stop - first)]
        state.done = stop
        gone = max(0, stop - extractor.context_frames) * SAMPLES_PER_FRAME - MARGIN - state.first
        state.samples, state.first = state.samples[gone:], state.first + gone
        return features
