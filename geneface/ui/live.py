"""Watching a video while it is made: how far it is, and parts of it as short files that are played in a row."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from geneface.media.audio import AudioSource
from geneface.media.video import VideoWriter
from geneface.utils.units import FPS

REPORTS_PER_SECOND = 5
PART_FRAMES = 2 * FPS
"""Frames of each short file; players want more than a second."""
WORTH_WATCHING = 3.0
"""Seconds of making still to come that make it worth to show what is there."""

HEAD_START = 1.5
"""Seconds that the player may fall behind what was foreseen."""


@dataclass(frozen=True)
class Preparing:
    """Something that takes a moment, without a known end."""

    text: str


@dataclass(frozen=True)
class Waiting:
    """Others were first: so many pieces of work come before this one."""

    ahead: int


@dataclass(frozen=True)
class Step:
    """Frames made of all frames, and the seconds that the rest will take; None if that is not known yet."""

    done: int
    total: int
    seconds_left: float | None


@dataclass(frozen=True)
class Segment:
    """A part of the video, an mp4 to be played after the one before."""

    path: Path


class Countdown:
    """Tells a `Step` a few times a second."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self.tell = tell
        self.seconds_left = float("inf")
        self._first: tuple[float, int] | None = None
        self._latest = float("-inf")

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        start, before = self._first
        if done > before and now - start > 0.5:
            self.seconds_left = (now - start) / (done - before) * (total - done)
        if now - self._latest < 1 / REPORTS_PER_SECOND and done < total:
            return
        self._latest = now
        self.tell(Step(done, total, self.seconds_left if self.seconds_left < float("inf") else None))


class Live:
    """Writes parts of a growing video and tells of them once they can be played to the end without a pause.

    Args:
        folder: Where the parts go.
        source: The recording.
        tell: Told of each `Segment`, in order.
    """

    def __init__(self, folder: Path, source: AudioSource, tell: Callable[[Segment], None]) -> None:
        self._folder, self._source, self._tell = folder, source, tell
        self._waiting: list[Segment] = []
        self._frames: list[np.ndarray] = []
        self._shown = self._written = 0

    def show(self, frames: np.ndarray, seconds_left: float) -> None:
        """Take uint8 frames [N, H, W, 3], with the seconds until the whole video will be there."""
        self._frames.extend(frames)
        while len(self._frames) >= PART_FRAMES:
            self._write(PART_FRAMES)
        enough = WORTH_WATCHING < seconds_left < self._source.seconds - HEAD_START
        if self._shown or (enough and self._written):
            self._release()

    def _release(self) -> None:
        for segment in self._waiting:
            self._tell(segment)
            self._shown += 1
        self._waiting = []

    def _write(self, count: int) -> None:
        part, self._frames = np.stack(self._frames[:count]), self._frames[count:]
        path = self._folder / f"part{self._written // PART_FRAMES:05d}.mp4"
        height, width = part.shape[1:3]
        sound = _Part(self._source, self._written)
        with VideoWriter(path, (width, height), sound, crf=23, preset="ultrafast") as writer:
            writer.write(part)
        self._written += count
        self._waiting.append(Segment(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None and self._shown and self._frames:
            self._write(len(self._frames))
            self._release()


class _Part:
    """The sound track of a recording from some frame on."""

    def __init__(self, source: AudioSource, first_frame: int) -> None:
        self._source = source
        self._start = first_frame * source.track_rate // FPS
        self.track_rate, self.track_channels = source.track_rate, source.track_channels

    def read_track(self, start: int, stop: int) -> np.ndarray:
        return self._source.read_track(self._start + start, self._start + stop)


def can_stream() -> bool:
    """Whether the server has what Gradio's streaming player needs."""
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))
