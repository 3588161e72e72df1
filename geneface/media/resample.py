"""Any video at 25 frames/s: which picture is to be seen at each moment, and the sound of the same moment."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from geneface.errors import InputError
from geneface.media.audio import AudioSource
from geneface.media.clock import Clock
from geneface.media.colour import orientation, to_rgb
from geneface.media.container import best_track, decodable, open_container, pictures_of
from geneface.media.intake import open_file
from geneface.media.pictures import Combs, StandardColours, check_colours, progressive, wide
from geneface.utils.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame

TOLERANCE = 0.002
"""Seconds by which the times of a video of 25 frames/s may be off."""
COMBED = (
    "the pictures have combs, as interlaced film that is marked as progressive: put them right, for example with "
    "ffmpeg -i film.mp4 -vf bwdif=deint=all better.mp4"
)


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

    A context manager; each iteration starts at the beginning and ends the one before. Frames that cannot be decoded
    are left out: the one before is seen longer. Where the times jump, the pictures go on at once. Interlaced pictures
    are made whole, those of HDR and wide colours are brought to BT.709.

    Attributes:
        width, height: of its pictures in square pixels, turned as the display matrix asks.
        start: the time of the first picture in the file's own clock, seconds.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        import av

        self.path = Path(path)
        self._file = open_file(self.path)
        try:
            self._container = open_container(self._file, str(self.path))
            self._clock, self._colours, self._combs = Clock(), StandardColours(), Combs()
            self._stream = pictures_of(self._container, self.path)
            first = next(decodable(self._container, self._stream), None)
            if first is None:
                raise InputError(f"no frame of {self.path} can be decoded; give another copy of it")
            check_colours(first, self._stream, str(self.path))
        except BaseException:
            self._file.close()
            raise
        self._reformatter = av.video.reformatter.VideoReformatter()
        self._converted: tuple[VideoFrame | None, VideoFrame] = None, first
        self.start = _time_of(first) or 0.0
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        self._stored = (max(round(first.width * aspect), 1), first.height)
        turns = orientation(first)
        self.width, self.height = self._stored[::-1] if turns[0] else self._stored
        self._interlaced, self._wide = bool(first.interlaced_frame), wide(first)
        self._as_stored = not any(turns) and aspect == 1 and not self._interlaced and not self._wide

    @property
    def plain(self) -> bool:
        """Whether its pictures and times are stored as they are to be seen, as far as it was looked through."""
        return self._as_stored and not self._clock.jumps

    @property
    def cuts(self) -> list[int]:
        """The moments, as far as it was looked through, before which the recording was interrupted."""
        return [round((time - self.start) * FPS) for time in self._clock.cuts()]

    @property
    def notes(self) -> list[str]:
        """Sentences on what was put right, as far as it was looked through, or may not be as it should."""
        told = self._clock.notes()
        if self._combs.found:
            told.append(COMBED)
        if self._interlaced:
            told.append("the video is interlaced: its half pictures were put together, which costs sharpness")
        if self._colours.failed:
            told.append("the colours of this HDR video could not be converted: they will be dull")
        elif self._wide:
            told.append("the video has HDR or wide colours: they were brought to those of usual video")
        return told

    def _reopen(self) -> None:
        """Go to the beginning; not all that can be read can be sought in."""
        self._container.close()
        self._container = open_container(self._file, str(self.path))
        self._clock, self._stream = Clock(), pictures_of(self._container, self.path)
        self._combs = Combs()

    def __iter__(self) -> Iterator[Moment]:
        shown: tuple[float, VideoFrame] | None = None
        index, fresh = 0, True
        for time, frame in self._timed():
            while shown is not None and (index + 0.5) / FPS < time:
                yield Moment(index, shown[1], shown[0], fresh)
                index, fresh = index + 1, False
            if frame is not None:
                shown, fresh = (time, frame), True

    def own_pictures(self) -> Iterator[Moment]:
        """Each picture once, numbered as they come, at the video's own times."""
        for index, (time, frame) in enumerate(self._timed()):
            if frame is not None:
                yield Moment(index, frame, time, True)

    def _timed(self) -> Iterator[tuple[float, "VideoFrame | None"]]:
        """The pictures and when they are first seen; at last None and the end: the last is seen for one step, too."""
        self._reopen()
        step = 1 / float(self._stream.average_rate or FPS)
        time = -step
        for frame in self._combs.watch(progressive(decodable(self._container, self._stream, self._clock))):
            time = self._time(frame, time + step)
            yield time, frame
        yield time + step, None

    def _time(self, frame: "VideoFrame", guess: float) -> float:
        """Seconds since the first picture; a file without times has its pictures evenly spaced."""
        time = _time_of(frame)
        return guess if time is None else max(time - self.start, 0.0)

    def picture(self, moment: Moment, longest: int | None = None) -> np.ndarray:
        """uint8 RGB [height, width, 3], or so much smaller that no side is longer than `longest`."""
        width, height = self._stored
        scale = min(1.0, longest / max(width, height)) if longest else 1.0
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        if self._converted[0] is not moment.frame:
            self._converted = moment.frame, self._colours(moment.frame)
        return to_rgb(self._converted[1], self._reformatter, size)

    def copy_stream(self, target: Path) -> None:
        """Write the video track as it is, without sound, as an mp4; `av.FFmpegError` or ValueError if it cannot be."""
        import av

        self._reopen()
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


def _time_of(frame: "VideoFrame | AudioFrame") -> float | None:
    return None if frame.pts is None or not frame.time_base else float(frame.pts * frame.time_base)


def sound_start(path: str | os.PathLike) -> float:
    """The time of the first sample of a file's sound in the file's own clock, seconds."""
    with open_file(path) as file, open_container(file, os.fspath(path)) as container:
        track = best_track(container, "audio")
        if track is None:
            raise InputError(f"{path} has no sound; give a video of a person who speaks, with its sound")
        first = next(decodable(container, track), None)
        return (_time_of(first) or 0.0) if first is not None else 0.0


def write_sound(source: AudioSource, target: Path, begin: float, frames: int) -> None:
    """Write `frames` frames of sound from `begin` seconds into the recording on, 16 kHz FLAC, in constant memory."""
    import soundfile

    first = round(begin * SAMPLING_RATE)
    with soundfile.SoundFile(target, "w", SAMPLING_RATE, 1, format="FLAC", subtype="PCM_16") as file:
        for start in range(0, frames * SAMPLES_PER_FRAME, SAMPLING_RATE):
            stop = min(start + SAMPLING_RATE, frames * SAMPLES_PER_FRAME)
            file.write(source.read(first + start, first + stop))
