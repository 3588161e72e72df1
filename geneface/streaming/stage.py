"""Stages: what is pushed in pieces comes out as if it had been there all at once.

The law that all stages keep: the same blocks give the same bits, and any other cutting of the same input gives the
same output up to rounding. What a stage must remember lies in a dataclass of its own, never in the network, so that
many streams can share one network. After a `flush`, a stage is at its beginning again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch


class Stage(Protocol):
    """A step of the pipeline that takes its input in pieces of consecutive video frames."""

    @property
    def lookahead_frames(self) -> int:
        """How many frames after a frame must have been pushed before it comes out."""

    def push(self, chunk: Any, /) -> Any:
        """What is ready once `chunk`, the next piece of the input, is there too; None if nothing is."""

    def flush(self) -> Any:
        """The rest, when no more input will come; None if there is none."""


def through(stage: Stage, chunks: Iterable[Any]) -> Iterator[Any]:
    """What comes out of a stage for all of its input."""
    for chunk in chunks:
        if (out := stage.push(chunk)) is not None:
            yield out
    if (out := stage.flush()) is not None:
        yield out


def join(chunks: Sequence[Any]) -> Any:
    """Consecutive chunks as one: tensors by their first dimension, others by their class' own `join`."""
    if len(chunks) == 1:
        return chunks[0]
    return torch.cat(list(chunks)) if isinstance(chunks[0], torch.Tensor) else type(chunks[0]).join(chunks)


class Chain:
    """Stages one after the other, as one."""

    def __init__(self, *stages: Stage):
        self.stages = stages

    @property
    def lookahead_frames(self) -> int:
        return sum(stage.lookahead_frames for stage in self.stages)

    def push(self, chunk: Any) -> Any:
        for stage in self.stages:
            if chunk is None:
                break
            chunk = stage.push(chunk)
        return chunk

    def flush(self) -> Any:
        rest = None
        for stage in self.stages:
            parts = [None if rest is None else stage.push(rest), stage.flush()]
            found = [part for part in parts if part is not None]
            rest = join(found) if found else None
        return rest


@dataclass
class WindowState:
    """What a `WindowStage` remembers."""

    window: Any = None
    """The frames that may still be looked at."""
    start: int = 0
    """Number of the first of them."""
    done: int = 0
    """Frames that have come out."""


class WindowStage:
    """A function of finite reach, run over a stream as if over the whole sequence at once.

    Args:
        apply: Gets a window of m frames and the number of its first one, gives m frames.
        context_frames: Frames before a frame that can influence it.
        lookahead_frames: Frames after it that can.
        align: Windows start at multiples of this.
    """

    def __init__(self, apply: Callable[[Any, int], Any], context_frames: int, lookahead_frames: int, align: int = 1):
        self.apply, self.align = apply, align
        self.context_frames, self.lookahead_frames = context_frames, lookahead_frames
        self.state = WindowState()

    def push(self, chunk: Any) -> Any:
        state = self.state
        state.window = chunk if state.window is None else join([state.window, chunk])
        return self._upto(state.start + len(state.window) - self.lookahead_frames)

    def flush(self) -> Any:
        state = self.state
        rest = None if state.window is None else self._upto(state.start + len(state.window))
        self.state = WindowState()
        return rest

    def _upto(self, ready: int) -> Any:
        state = self.state
        if ready <= state.done:
            return None
        out = self.apply(state.window, state.start)[state.done - state.start : ready - state.start]
        state.done = ready
        drop = max(0, state.done - self.context_frames - state.start) // self.align * self.align
        state.window, state.start = state.window[drop:], state.start + drop
        return out
