"""Video out (H.264 and AAC in an mp4, frame by frame) and in (RGB frames, facts about a file)."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self

import numpy as np

from geneface.errors import InputError
from geneface.media.colour import BT709, Converter, to_rgb
from geneface.media.container import best_track, decodable, open_container, pictures_of
from geneface.media.intake import open_file, refuse_overwriting
from geneface.media.pictures import StandardColours, progressive
from geneface.media.unfinished import begin
from geneface.utils.units import FPS

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, VideoStream
    from av.container import OutputContainer

AUDIO_BIT_RATE = 128_000


def check_output(path: str | os.PathLike, suffix: str = ".mp4", inputs: Iterable[object] = ()) -> Path:
    """`path` as a place where such a video can be written; `InputError` if it is not, or is one of `inputs`.

    Nothing is left there, not even what a killed process left unfinished.
    """
    file = Path(path)
    refuse_overwriting(file, inputs)
    begin(file, suffix).discard()
    return file


class SoundTrack(Protocol):
    """What a video takes its sound from: a recording (`media.audio.AudioSource`), or a part of one."""

    track_rate: int
    track_channels: int

    def read_track(self, start: int, stop: int) -> np.ndarray:
        """Samples [start, stop), int16 [stop - start, channels]; zeros where there are none."""


class VideoWriter:
    """Encodes frames as they come, with the sound track between them, in constant memory.

    A context manager. The file takes its name when the block ends without an error; until then, and after an error,
    nothing is to be seen under that name. Sound and picture end together: the sound is cut or filled with silence.

    Args:
        path: the mp4 to write.
        size: width and height in pixels, both even.
        audio: the sound track; it must stay open until the writer is closed.
        fps: frames per second.
        crf: x264's quality, lower is better; 18 is visually lossless.
        preset: x264's speed; on 2 cores `veryfast` encodes about 200 frames/s of 512x512.
        metadata: tags of the file, such as `title` and `comment`.
        seal: called with the finished file before it takes its name, to sign it in place.
    """

    suffix, channels, pixel_format = ".mp4", 3, "yuv420p"

    def __init__(
        self,
        path: str | os.PathLike,
        size: tuple[int, int] = (512, 512),
        audio: SoundTrack | None = None,
        *,
        fps: int = FPS,
        crf: int = 18,
        preset: str = "veryfast",
        metadata: dict[str, str] | None = None,
        seal: Callable[[Path], None] | None = None,
    ) -> None:
        import av

        width, height = size
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise InputError(f"a video of {width}x{height} cannot be encoded; give an even width and height from 16")
        self.path = Path(path)
        self.size = size
        self.frames = 0
        self._unfinished = begin(self.path, self.suffix)
        self._partial = self._unfinished.path
        self._audio = audio
        self._heard = 0
        self._fps = fps
        self._seal = seal
        try:
            self._container = self._open()
            self._container.metadata.update(metadata or {})
            self._video = self._video_stream(crf, preset)
            self._video.width, self._video.height, self._video.pix_fmt = width, height, self.pixel_format
            self._converter = Converter(self.pixel_format)
            context = self._video.codec_context
            context.colorspace = context.color_primaries = context.color_trc = BT709
            context.color_range = av.video.reformatter.ColorRange.MPEG
            self._sound: AudioStream | None = None
            if audio is not None:
                layout = "stereo" if audio.track_channels == 2 else "mono"
                self._sound = self._sound_stream(audio.track_rate, layout)
        except BaseException:
            self._unfinished.discard()
            raise

    def _open(self) -> "OutputContainer":
        import av

        return av.open(str(self._partial), "w", format="mp4", options={"movflags": "+faststart"})

    def _video_stream(self, crf: int, preset: str) -> "VideoStream":
        return self._container.add_stream("libx264", rate=self._fps, options={"crf": str(crf), "preset": preset})

    def _sound_stream(self, rate: int, layout: str) -> "AudioStream":
        return self._container.add_stream("aac", rate=rate, layout=layout, bit_rate=AUDIO_BIT_RATE)

    def write(self, frames: np.ndarray) -> None:
        """Encode uint8 frames `[N, H, W, channels]` and the sound that belongs to them."""
        width, height = self.size
        if frames.dtype != np.uint8 or frames.shape[1:] != (height, width, self.channels):
            raise ValueError(
                f"frames are {frames.dtype} {frames.shape}, not uint8 [N, {height}, {width}, {self.channels}]"
            )
        for frame in self._converter(frames):
            frame.pts, frame.time_base = self.frames, Fraction(1, self._fps)
            self._container.mux(self._video.encode(frame))
            self.frames += 1
        self._write_sound()

    def _write_sound(self) -> None:
        import av

        if self._audio is None or self._sound is None:
            return
        rate = self._audio.track_rate
        stop = self._sound_until(rate)
        while self._heard < stop:
            start, self._heard = self._heard, min(self._heard + rate, stop)
            block = self._audio.read_track(start, self._heard)
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), "s16", self._sound.layout.name)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            self._encode_sound(self._sound, frame)

    def _sound_until(self, rate: int) -> int:
        """Samples that the pictures so far last."""
        return self.frames * rate // self._fps

    def _encode_sound(self, sound: "AudioStream", frame: "AudioFrame | None") -> None:
        self._container.mux(sound.encode(frame))

    def close(self) -> None:
        """Finish the file and give it its name."""
        try:
            if self.frames == 0:
                raise ValueError("no frames were written")
            self._container.mux(self._video.encode())
            if self._sound is not None:
                self._encode_sound(self._sound, None)
            self._container.close()
            self._converter.close()
            if self._seal is not None:
                self._seal(self._partial)
            mask = os.umask(0)
            os.umask(mask)
            self._partial.chmod(0o666 & ~mask)
            self._unfinished.take_name(self.path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Stop and leave nothing behind."""
        import av

        self._converter.close()
        try:
            self._container.close()
        except (av.FFmpegError, ValueError):
            pass
        finally:
            self._unfinished.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


@dataclass(frozen=True)
class MediaInfo:
    """Facts about a media file; lengths in seconds, 0 where there is no such track."""

    width: int
    height: int
    fps: float
    video_codec: str
    pixel_format: str
    video_seconds: float
    audio_codec: str
    audio_rate: int
    audio_channels: int
    audio_seconds: float
    metadata: dict[str, str]


def probe(path: str | os.PathLike) -> MediaInfo:
    """Facts about a media file from its headers; `InputError` if it cannot be read."""
    with open_file(path) as file:
        return probe_file(file, os.fspath(path))


def probe_file(file: IO[bytes], name: str) -> MediaInfo:
    """The same of an open file."""
    with open_container(file, name) as container:
        video, audio = best_track(container, "video"), best_track(container, "audio")
        whole = (container.duration or 0) / 1_000_000

        def seconds(stream: "VideoStream | AudioStream") -> float:
            return float(stream.duration * (stream.time_base or 0)) if stream.duration else whole

        return MediaInfo(
            width=video.width if video else 0,
            height=video.height if video else 0,
            fps=float(video.average_rate or 0) if video else 0.0,
            video_codec=video.codec_context.name if video else "",
            pixel_format=str(video.pix_fmt) if video else "",
            video_seconds=seconds(video) if video else 0.0,
            audio_codec=audio.codec_context.name if audio else "",
            audio_rate=audio.rate if audio else 0,
            audio_channels=audio.channels if audio else 0,
            audio_seconds=seconds(audio) if audio else 0.0,
            metadata=dict(container.metadata),
        )


class VideoReader:
    """Iterates over the frames of a video, uint8 RGB `[height, width, 3]`, as players show them.

    A context manager. Each iteration starts at the beginning and ends the one before. Frames that cannot be decoded
    are left out.
    `fps` is the file's own rate.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self._file = open_file(self.path)
        try:
            self._open()
            first = next(iter(self), None)
            if first is None:
                raise InputError(f"no frame of {self.path} can be decoded; give another copy of it")
        except BaseException:
            self._file.close()
            raise
        self.height, self.width = first.shape[:2]

    def _open(self) -> None:
        self._container = open_container(self._file, str(self.path))
        self._stream = pictures_of(self._container, self.path)
        self.fps = float(self._stream.average_rate or 0)

    def __iter__(self) -> Iterator[np.ndarray]:
        import av

        reformatter, colours = av.video.reformatter.VideoReformatter(), StandardColours()
        # Not all that can be read can be sought in.
        self._container.close()
        self._open()
        for frame in progressive(decodable(self._container, self._stream)):
            yield to_rgb(colours(frame), reformatter)

    def close(self) -> None:
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
