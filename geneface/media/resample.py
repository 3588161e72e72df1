"""Any video at 25 frames/s: which picture is to be seen at each moment, and the sound of the same moment."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from geneface.errors import InputError
from geneface.media.audio import AudioSource, decodable, open_container, open_file
from geneface.media.colour import to_rgb
from geneface.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

if TYPE_CHECKING:
    from av import VideoFrame

TOLERANCE = 0.002
"""Seconds by which the times of a video of 25 frames/s may be off."""


@dataclass
class Moment:
    """The picture to be seen in one frame of 1/25 s."""

    index: int
    frame: "VideoFrame"
    shown: float
    """Seconds from the first picture to this one."""
    fresh: bool
    """Whether the previous moment showed another picture."""


class SteadyVideo:
    """Iterates over the moments of a video, 25 a second, whatever its own rate, constant or not.

    A context manager; each iteration starts at the beginning. Frames that cannot be decoded are left out: the one
    before is seen longer.

    Attributes:
        width, height: of its pictures in square pixels, turned as the rotation tag asks.
        start: the time of the first picture in the file's own clock, seconds.
        plain: whether its pictures are stored as they are to be seen: not turned, with square pixels.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        import av

        self.path = Path(path)
        self._file = open_file(self.path)
        try:
            self._container: Any = open_container(self._file, str(self.path))
            if not self._container.streams.video:
                raise InputError(f"{self.path} has no video track; give a video file")
            self._stream = self._container.streams.video[0]
            self._stream.thread_type = "AUTO"
            first = next(decodable(self._container, self._stream), None)
            if first is None:
                raise InputError(f"no frame of {self.path} can be decoded; give another copy of it")
        except BaseException:
            self._file.close()
            raise
        self._reformatter = av.video.reformatter.VideoReformatter()
        self._unit = float(self._stream.time_base or 1)
        self.start = (first.pts or 0) * self._unit
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        self._stored = (max(round(first.width * aspect), 1), first.height)
        turned = first.rotation % 180 != 0
        self.width, self.height = self._stored[::-1] if turned else self._stored
        self.plain = first.rotation == 0 and aspect == 1

    def __iter__(self) -> Iterator[Moment]:
        step = 1 / float(self._stream.average_rate or FPS)
        self._container.seek(0)
        shown: tuple[float, VideoFrame] | None = None
        index, time = 0, 0.0
        fresh = True
        for frame in decodable(self._container, self._stream):
            time = self._time(frame, time + step)
            if shown is not None:
                while (index + 0.5) / FPS < time:
                    yield Moment(index, shown[1], shown[0], fresh)
                    index, fresh = index + 1, False
            shown, fresh = (time, frame), True
        while shown is not None and (index + 0.5) / FPS < time + step:
            yield Moment(index, shown[1], shown[0], fresh)
            index, fresh = index + 1, False

    def _time(self, frame: "VideoFrame", guess: float) -> float:
        """Seconds since the first picture; a file without times has its pictures evenly spaced."""
        if frame.pts is None:
            return guess
        return max(frame.pts * self._unit - self.start, 0.0)

    def picture(self, moment: Moment, longest: int | None = None) -> np.ndarray:
        """uint8 RGB [height, width, 3], or so much smaller that no side is longer than `longest`."""
        width, height = self._stored
        scale = min(1.0, longest / max(width, height)) if longest else 1.0
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        return to_rgb(moment.frame, self._reformatter, size)

    def copy_stream(self, target: Path) -> None:
        """Write the video track as it is, without sound, as an mp4; `av.FFmpegError` or ValueError if it cannot be."""
        import av

        self._container.seek(0)
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            stream = output.add_stream_from_template(self._stream)
            for packet in self._container.demux(self._stream):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)

    @property
    def codec(self) -> str:
        return f"{self._stream.codec_context.name} {self._stream.codec_context.pix_fmt}"

    def close(self) -> None:
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def sound_start(path: str | os.PathLike) -> float:
    """The time of the first sample of a file's sound in the file's own clock, seconds."""
    with open_file(Path(path)) as file, open_container(file, os.fspath(path)) as container:
        if not container.streams.audio:
            raise InputError(f"{path} has no sound; give a video of a person who speaks, with its sound")
        first = next(decodable(container, container.streams.audio[0]), None)
        return float((first.pts or 0) * (first.time_base or 0)) if first is not None else 0.0


def write_sound(source: AudioSource, target: Path, begin: float, frames: int) -> None:
    """Write `frames` frames of sound from `begin` seconds into the recording on, 16 kHz FLAC, in constant memory."""
    import soundfile

    first = round(begin * SAMPLING_RATE)
    with soundfile.SoundFile(target, "w", SAMPLING_RATE, 1, format="FLAC", subtype="PCM_16") as file:
        for start in range(0, frames * SAMPLES_PER_FRAME, SAMPLING_RATE):
            stop = min(start + SAMPLING_RATE, frames * SAMPLES_PER_FRAME)
            file.write(source.read(first + start, first + stop))
