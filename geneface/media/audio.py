"""Speech in: a file, bytes or an array, as 16 kHz mono for the models and as the sound track of the output.

Decoding streams into temporary files, so that memory does not grow with the length of the recording.
"""

import io
import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO, TYPE_CHECKING, Protocol, Self, TypeAlias

import numpy as np

from geneface.errors import InputError
from geneface.media.clock import Clock
from geneface.media.container import best_track, decodable, open_container
from geneface.media.intake import open_file, temporary_file
from geneface.media.mixing import FULL_SCALE, planes
from geneface.media.sink import Plan, Sink
from geneface.utils.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

if TYPE_CHECKING:
    from av import AudioFrame

LOWEST_RATE, HIGHEST_RATE = 1000, 768_000

ARRAY_SCALE = {kind: FULL_SCALE[kind] for kind in ("i1", "i2", "i4")}
SILENT = 1e-4
"""Samples below this are silence, if another track of the file has sound."""
TOLD_GAP = 0.2
"""Seconds of sound that may be lacking without a word."""


class Samples(Protocol):
    """An array of sound, of numpy, torch or whatever: `[N]`, `[N, 2]` or `[2, N]`."""

    def __array__(self) -> np.ndarray: ...


class AudioSource:
    """A decoded recording on disk; a re-entrant context manager that frees the disk space when the last user leaves.

    Attributes:
        name: what to call the recording in messages.
        samples: length in samples at 16 kHz.
        frames: length T in video frames, the last one possibly padded.
        track_rate, track_channels, track_samples: the sound track for the output, at most 48 kHz and 2 channels.
        notes: sentences on what was put right, or may not be what was meant.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = 0
        self.track_rate = 0
        self.track_channels = 0
        self.track_samples = 0
        self.notes: list[str] = []
        self._speech: IO[bytes] = temporary_file()
        self._track: IO[bytes] = temporary_file()
        self._lock = threading.Lock()
        self._users = 0

    @property
    def frames(self) -> int:
        return math.ceil(self.samples / SAMPLES_PER_FRAME)

    @property
    def seconds(self) -> float:
        return self.samples / SAMPLING_RATE

    @property
    def available(self) -> int:
        """All of the samples: see `streaming.audio.AudioStream`."""
        return self.samples

    @property
    def ended(self) -> bool:
        return True

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples `[start, stop)` at 16 kHz, float32 `[stop - start]`; zeros outside of the recording."""
        return self._read(self._speech, np.dtype(np.float32), 1, start, stop)[:, 0]

    def read_track(self, start: int, stop: int) -> np.ndarray:
        """Samples `[start, stop)` of the output's sound track, int16 `[stop - start, channels]`; zeros outside."""
        return self._read(self._track, np.dtype(np.int16), self.track_channels, start, stop)

    def _read(self, file: IO[bytes], dtype: np.dtype, channels: int, start: int, stop: int) -> np.ndarray:
        result = np.zeros((max(stop - start, 0), channels), dtype)
        offset = max(-start, 0)
        if offset < len(result):
            width = dtype.itemsize * channels
            with self._lock:
                file.seek((start + offset) * width)
                found = np.frombuffer(file.read((len(result) - offset) * width), dtype).reshape(-1, channels)
            result[offset : offset + len(found)] = found
        return result

    def close(self) -> None:
        self._speech.close()
        self._track.close()

    def __enter__(self) -> Self:
        self._users += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._users -= 1
        if self._users == 0:
            self.close()


AudioInput: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | Samples | list[float] | tuple[int, Samples] | AudioSource
)
"""Path, bytes, array, a pair (sampling rate, array), or an `AudioSource`."""


def open_audio(
    audio: AudioInput, sampling_rate: int | None = None, check_seconds: Callable[[float], None] | None = None
) -> AudioSource:
    """Decode `audio` (see `AudioInput`) once, to disk; the path may be `-`, the standard input, or a pipe.

    Of several tracks the one is taken that players choose. A hole in it, or what cannot be decoded, becomes silence;
    where the times of the file jump, the sound goes on. `AudioSource.notes` tells of this.
    `sampling_rate` belongs to a bare array and must be given with it; integer arrays are scaled by their full range.
    `check_seconds` is told how long a file is found to be while it is decoded, and ends that by an error of its own.
    Raises `InputError` if there is no file, no sound in it, less than one video frame of it, or samples that are not
    finite.
    """
    if isinstance(audio, AudioSource):
        return audio
    if isinstance(audio, tuple) and len(audio) == 2 and sampling_rate is None:
        sampling_rate, audio = audio
    if isinstance(audio, (str, os.PathLike)):
        _refuse_rate(sampling_rate)
        with open_file(audio, pipe=True) as file:
            return _decode_file(file, os.fspath(audio), check_seconds)
    if isinstance(audio, (bytes, bytearray, memoryview)):
        _refuse_rate(sampling_rate)
        return _decode_file(io.BytesIO(audio), "the audio", check_seconds)
    array, rate = _check_array(audio), _check_rate(sampling_rate)
    return _decode("the audio", lambda: _frames_of_array(array, rate))[0]


def load_audio(audio: AudioInput, sampling_rate: int | None = None) -> np.ndarray:
    """The whole recording as float32 `[N]`, 16 kHz mono."""
    with open_audio(audio, sampling_rate) as source:
        return source.read(0, source.samples)


def _refuse_rate(sampling_rate: int | None) -> None:
    if sampling_rate is not None:
        raise InputError("sampling_rate is for arrays; a file says its own rate: leave sampling_rate out")


def _check_rate(rate: int | None) -> int:
    if rate is None:
        raise InputError("an array of samples needs its sampling_rate; give it in Hz, such as sampling_rate=16000")
    try:
        whole = int(rate)
    except (TypeError, ValueError, OverflowError):
        whole = -1
    if whole != rate or not LOWEST_RATE <= whole <= HIGHEST_RATE:
        raise InputError(
            f"sampling_rate {rate!r} is not possible; give a whole number of Hz from {LOWEST_RATE} to {HIGHEST_RATE}"
        )
    return whole


def _check_array(audio: object) -> np.ndarray:
    """`[N, channels]` of a kind that `_frames_of_array` can scale."""
    if hasattr(audio, "detach"):
        tensor = audio.detach().cpu()
        audio = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    array = np.asarray(audio) if hasattr(audio, "__array__") or isinstance(audio, list) else None
    if array is None:
        raise InputError(f"audio of type {type(audio).__name__} cannot be read; give a path, bytes or an array")
    if array.dtype.kind != "f" and array.dtype.str[1:] not in ARRAY_SCALE:
        raise InputError(f"audio samples of type {array.dtype} have no known scale; give float32 within -1 and 1")
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 2 and array.shape[0] <= 2 < array.shape[1]:
        array = array.T
    if array.ndim != 2 or not 1 <= array.shape[1] <= 2:
        raise InputError(f"audio has the shape {list(array.shape)}; give [N], [N, 2] or [2, N] samples")
    return array


def _frames_of_array(array: np.ndarray, rate: int) -> Iterator["AudioFrame"]:
    import av

    scale = ARRAY_SCALE.get(array.dtype.str[1:], 1.0)
    layout = "stereo" if array.shape[1] == 2 else "mono"
    for start in range(0, len(array), rate):
        block = (array[start : start + rate] / scale).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), "flt", layout)
        frame.sample_rate = rate
        yield frame


def _frames_of_file(file: IO[bytes], name: str, clock: Clock) -> Iterator["AudioFrame"]:
    """The audio track, as far as it can be decoded."""
    with open_container(file, name) as container:
        track = best_track(container, "audio")
        if track is None:
            raise InputError(f"{name} has no audio track; give a file with sound in it")
        yield from decodable(container, track, clock)


def _decode_file(file: IO[bytes], name: str, check_seconds: Callable[[float], None] | None = None) -> AudioSource:
    clock = Clock()

    def frames() -> Iterator["AudioFrame"]:
        nonlocal clock
        clock = Clock()
        return _frames_of_file(file, name, clock)

    source, sink = _decode(name, frames, check_seconds)
    source.notes += clock.notes()
    if sink.lacking > TOLD_GAP:
        source.notes.append(f"{sink.lacking:.1f} s of the sound of {name} are missing or damaged: there is silence")
    if sink.loudest < SILENT and (number := _sounding_track(file, name)) is not None:
        source.notes.append(
            f"the sound track of {name} that players choose is silent, but track {number} has sound; "
            "give that one in a file of its own"
        )
    return source


def _sounding_track(file: IO[bytes], name: str) -> int | None:
    """The index of a track that is not silent, of a file whose best one is."""
    with open_container(file, name) as container:
        indices = [track.index for track in container.streams.audio if track.codec_context is not None]
    for index in indices if len(indices) > 1 else []:
        with open_container(file, name) as container:
            track = next(each for each in container.streams.audio if each.index == index)
            frames = decodable(container, track)
            if any(np.abs(planes(frame)).max(initial=0.0) > SILENT for frame in frames):
                return index
    return None


def _decode(
    name: str,
    frames: Callable[[], Iterator["AudioFrame"]],
    check_seconds: Callable[[float], None] | None = None,
) -> tuple[AudioSource, Sink]:
    """The recording, heard once, or a second time if that shows another way to sum its channels or to scale it."""
    source, sink = _heard(name, frames, Plan(), check_seconds)
    if plan := sink.better_plan():
        source.close()
        source, sink = _heard(name, frames, plan, check_seconds)
    if source.samples < SAMPLES_PER_FRAME:
        source.close()
        if source.samples == 0:
            raise InputError(f"{name} has no sound that can be decoded; give a recording of speech")
        raise InputError(
            f"{name} is {source.seconds:.3f} s long, shorter than one video frame; give at least {1 / FPS} s of audio"
        )
    return source, sink


def _heard(
    name: str,
    frames: Callable[[], Iterator["AudioFrame"]],
    plan: Plan,
    check_seconds: Callable[[float], None] | None,
) -> tuple[AudioSource, Sink]:
    source = AudioSource(name)
    try:
        with closing(Sink(source, plan, check_seconds)) as sink:
            for frame in frames():
                sink.add(frame)
    except BaseException:
        source.close()
        raise
    return source, sink
