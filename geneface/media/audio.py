"""Speech in: a file, bytes or an array, as 16 kHz mono for the models and as the sound track of the output.

Decoding streams into temporary files, so that memory does not grow with the length of the recording.
"""

import io
import math
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from geneface.errors import InputError
from geneface.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

TRACK_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
LOWEST_RATE, HIGHEST_RATE = 1000, 768_000

# Files come from strangers: only plain media containers are opened, no playlist that names other files or addresses.
FORMATS = (
    "wav,w64,flac,mp3,aac,ac3,eac3,ogg,mov,mp4,m4a,3gp,matroska,webm,avi,mpegts,mpeg,flv,asf,aiff,au,caf,amr,wv,ape"
)
FULL_SCALE = {"i1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31}

AudioInput = Any
"""Path, bytes, array `[N]`, `[N, 2]` or `[2, N]`, a pair (sampling rate, array), or an `AudioSource`."""


class AudioSource:
    """A decoded recording on disk; a re-entrant context manager that frees the disk space when the last user leaves.

    Attributes:
        name: what to call the recording in messages.
        samples: length in samples at 16 kHz.
        frames: length T in video frames, the last one possibly padded.
        track_rate, track_channels, track_samples: the sound track for the output, at most 48 kHz and 2 channels.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.samples = 0
        self.track_rate = 0
        self.track_channels = 0
        self.track_samples = 0
        self._speech: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._track: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
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


def open_audio(audio: AudioInput, sampling_rate: int | None = None) -> AudioSource:
    """Decode `audio` (see `AudioInput`) once, to disk.

    `sampling_rate` belongs to a bare array and must be given with it; integer arrays are scaled by their full range.
    Raises `InputError` if there is no file, no sound in it, less than one video frame of it, or samples that are not
    finite.
    """
    if isinstance(audio, AudioSource):
        return audio
    if isinstance(audio, tuple) and len(audio) == 2 and sampling_rate is None:
        sampling_rate, audio = audio
    if isinstance(audio, (str, os.PathLike)):
        _refuse_rate(sampling_rate)
        name = os.fspath(audio)
        with open_file(Path(audio)) as file:
            return _decode(name, _frames_of_file(file, name))
    if isinstance(audio, (bytes, bytearray, memoryview)):
        _refuse_rate(sampling_rate)
        return _decode("the audio", _frames_of_file(io.BytesIO(audio), "the audio"))
    array, rate = _check_array(audio), _check_rate(sampling_rate)
    return _decode("the audio", _frames_of_array(array, rate))


def load_audio(audio: AudioInput, sampling_rate: int | None = None) -> np.ndarray:
    """The whole recording as float32 `[N]`, 16 kHz mono."""
    with open_audio(audio, sampling_rate) as source:
        return source.read(0, source.samples)


def _refuse_rate(sampling_rate: int | None) -> None:
    if sampling_rate is not None:
        raise InputError("sampling_rate is for arrays; a file says its own rate: leave sampling_rate out")


def _check_rate(rate: Any) -> int:
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


def _check_array(audio: Any) -> np.ndarray:
    """`[N, channels]` of a kind that `_frames_of_array` can scale."""
    if hasattr(audio, "detach"):
        audio = audio.detach().cpu()
        audio = (audio.float() if audio.is_floating_point() else audio).numpy()
    array = np.asarray(audio) if hasattr(audio, "__array__") or isinstance(audio, list) else None
    if array is None:
        raise InputError(f"audio of type {type(audio).__name__} cannot be read; give a path, bytes or an array")
    if array.dtype.kind != "f" and array.dtype.str[1:] not in FULL_SCALE:
        raise InputError(f"audio samples of type {array.dtype} have no known scale; give float32 within -1 and 1")
    if array.ndim == 1:
        array = array[:, None]
    elif array.ndim == 2 and array.shape[0] <= 2 < array.shape[1]:
        array = array.T
    if array.ndim != 2 or not 1 <= array.shape[1] <= 2:
        raise InputError(f"audio has the shape {list(array.shape)}; give [N], [N, 2] or [2, N] samples")
    return array


def open_file(path: Path) -> IO[bytes]:
    """`path` opened for reading; `InputError` if that cannot be done."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name an audio or video file")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; name an audio or video file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({getattr(error, 'strerror', error)})") from None
    return file


def _frames_of_array(array: np.ndarray, rate: int) -> Iterator["AudioFrame"]:
    import av

    scale = FULL_SCALE.get(array.dtype.str[1:], 1.0)
    layout = "stereo" if array.shape[1] == 2 else "mono"
    for start in range(0, len(array), rate):
        block = (array[start : start + rate] / scale).astype(np.float32)
        if scale == 1.0 and 16 < np.abs(block).max() < np.inf:
            raise InputError("audio samples go far beyond -1 and 1; scale them, or give them as int16")
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), "flt", layout)
        frame.sample_rate = rate
        yield frame


def decodable(container: Any, stream: Any) -> Iterator[Any]:
    """The frames of one stream of an open container; what cannot be decoded is left out."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def open_container(file: IO[bytes], name: str) -> "InputContainer":
    """PyAV's container over an open file; `InputError` if it is empty or of no known kind."""
    import av

    if file.seek(0, os.SEEK_END) == 0:
        raise InputError(f"{name} is empty; give an audio or video file with something in it")
    file.seek(0)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        return av.open(file, mode="r", options=options, metadata_errors="ignore")
    except (av.FFmpegError, ValueError):
        raise InputError(
            f"{name} cannot be read: it is damaged, or neither audio nor video; "
            "convert it to wav, flac, mp3, m4a, ogg or mp4"
        ) from None


def _frames_of_file(file: IO[bytes], name: str) -> Iterator["AudioFrame"]:
    """The first audio track, as far as it can be decoded."""

    with open_container(file, name) as container:
        if not container.streams.audio:
            raise InputError(f"{name} has no audio track; give a file with sound in it")
        yield from decodable(container, container.streams.audio[0])


def _decode(name: str, frames: Iterator["AudioFrame"]) -> AudioSource:
    source = AudioSource(name)
    try:
        with closing(_Sink(source)) as sink:
            for frame in frames:
                sink.add(frame)
    except BaseException:
        source.close()
        raise
    if source.samples < SAMPLES_PER_FRAME:
        source.close()
        if source.samples == 0:
            raise InputError(f"{name} has no sound that can be decoded; give a recording of speech")
        raise InputError(
            f"{name} is {source.seconds:.3f} s long, shorter than one video frame; give at least {1 / FPS} s of audio"
        )
    return source


class _Sink:
    """Resamples decoded frames into both files of an `AudioSource`."""

    def __init__(self, source: AudioSource) -> None:
        self.source = source
        self.kind: tuple[str, str, int] | None = None
        self.resamplers: list[tuple[Any, Any]] = []

    def add(self, frame: "AudioFrame") -> None:
        if frame.format.name.startswith(("flt", "dbl")) and not np.isfinite(frame.to_ndarray()).all():
            raise InputError(f"{self.source.name} holds samples that are not finite (NaN or infinity); repair it")
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self.kind:
            self.close()
            self._open(kind, frame.layout.nb_channels)
        frame.pts = None
        for resampler, write in self.resamplers:
            for part in resampler.resample(frame):
                write(part.to_ndarray())

    def close(self) -> None:
        for resampler, write in self.resamplers:
            for part in resampler.resample(None):
                write(part.to_ndarray())
        self.resamplers = []

    def _open(self, kind: tuple[str, str, int], channels: int) -> None:
        import av

        source, self.kind = self.source, kind
        if source.track_rate == 0:
            source.track_rate = next((rate for rate in TRACK_RATES if rate >= kind[2]), TRACK_RATES[-1])
            source.track_channels = min(channels, 2)
        layout = "stereo" if source.track_channels == 2 else "mono"
        self.resamplers = [
            # Integers, because only there does swresample keep the sum of channels within full scale.
            (av.AudioResampler("s32", "mono", SAMPLING_RATE), self._write_speech),
            (av.AudioResampler("s16", layout, source.track_rate), self._write_track),
        ]

    def _write_speech(self, part: np.ndarray) -> None:
        self.source._speech.write((part / FULL_SCALE["i4"]).astype(np.float32).tobytes())
        self.source.samples += part.size

    def _write_track(self, part: np.ndarray) -> None:
        self.source._track.write(part.tobytes())
        self.source.track_samples += part.size // self.source.track_channels
