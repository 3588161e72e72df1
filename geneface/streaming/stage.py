"""Stages: what is pushed in pieces comes out as if it had been there all at once.

The law that all stages keep: the same blocks give the same bits, and any other cutting of the same input gives the
same output up to rounding. What a stage must remember lies in a dataclass of its own, never in the network, so that
many streams can share one network. After a `flush`, a stage is at its beginning again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

import torch


class Frames(Protocol):
    """Consecutive video frames of whatever kind: a tensor, or what is cut and joined as one."""

    def __len__(self) -> int: ...

    def __getitem__(self, frames: slice, /) -> Self: ...


Pushed = TypeVar("Pushed")
Ready = TypeVar("Ready")
Taken = TypeVar("Taken", contravariant=True)
Given = TypeVar("Given", covariant=True)
In = TypeVar("In", bound=Frames)
Out = TypeVar("Out", bound=Frames)


class Stage(Protocol[Taken, Given]):
    """A step of the pipeline that takes its input in pieces of consecutive video frames."""

    @property
    def lookahead_frames(self) -> int:
        """How many frames after a frame must have been pushed before it comes out."""

    def push(self, chunk: Taken, /) -> Given | None:
        """What is ready once `chunk`, the next piece of the input, is there too; None if nothing is."""

    def flush(self) -> Given | None:
        """The rest, when no more input will come; None if there is none."""


def through(stage: Stage[Pushed, Ready], chunks: Iterable[Pushed]) -> Iterator[Ready]:
    """What comes out of a stage for all of its input."""
    for chunk in chunks:
        if (out := stage.push(chunk)) is not None:
            yield out
    if (out := stage.flush()) is not None:
        yield out


def join(chunks: Sequence[Pushed]) -> Pushed:
    """Consecutive chunks as one: tensors by their first dimension, others by their class' own `join`."""
    if len(chunks) == 1:
        return chunks[0]
    parts: list[Any] = list(chunks)
    whole: Any = torch.cat(parts) if isinstance(parts[0], torch.Tensor) else parts[0].join(parts)
    return whole


class Chain:
    """Stages one after the other, as one."""

    def __init__(self, *stages: Stage[Any, Any]):
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
class WindowState(Generic[In]):
    """What a `WindowStage` remembers."""

    window: In | None = None
    """The frames that may still be looked at."""
    start: int = 0
    """Number of the first of them."""
    done: int = 0
    """Frames that have come out."""


class WindowStage(Generic[In, Out]):
    """A function of finite reach, run over a stream as if over the whole sequence at once.

    Args:
        apply: Gets a window of m frames and the number of its first one, gives m frames.
        context_frames: Frames before a frame that can influence it.
        lookahead_frames: Frames after it that can.
        align: Windows start at multiples of this.
    """

    def __init__(self, apply: Callable[[In, int], Out], context_frames: int, lookahead_frames: int, align: int = 1):
        self.apply, self.align = apply, align
        self.context_frames, self.lookahead_frames = context_frames, lookahead_frames
        self.state: WindowState[In] = WindowState()

    def push(self, chunk: In) -> Out | None:
        window = chunk if self.state.window is None else join([self.state.window, chunk])
        return self._upto(window, self.state.start + len(window) - self.lookahead_frames)

    def flush(self) -> Out | None:
        window = self.state.window
        rest = None if window is None else self._upto(window, self.state.start + len(window))
        self.state = WindowState()
        return rest

    def _upto(self, window: In, ready: int) -> Out | None:
        state = self.state
        state.window = window
        if ready <= state.done:
            return None
        out = self.apply(window, state.start)[state.done - state.start : ready - state.start]
        state.done = ready
        drop = max(0, state.done - self.context_frames - state.start) // self.align * self.align
        state.window, state.start = window[drop:], state.start + drop
        return out
