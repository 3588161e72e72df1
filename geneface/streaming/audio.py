"""Sound as the stages see it: a recording, an array, a pipe, or speech that is still being spoken."""

import threading
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from geneface.errors import InputError
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

if TYPE_CHECKING:
    from av import AudioResampler

BLOCK_FRAMES = 150
"""Frames that are taken from a finished recording at once."""
HISTORY_SECONDS = 20.0
"""How far back live sound can be read: further than any stage looks, so that memory does not grow."""


class NotArrived(LookupError):
    """Sound was asked for that has not arrived yet, or that is gone: silence would be a lie."""


@runtime_checkable
class AudioStream(Protocol):
    """16 kHz mono sound of which a part, or all, has arrived."""

    @property
    def available(self) -> int:
        """Samples that have arrived."""

    @property
    def ended(self) -> bool:
        """Whether no more will arrive."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples [start, stop), float32; zeros before the beginning and after the end.

        Raises `NotArrived` for samples that may still come.
        """


class ArrayStream:
    """A finished recording in memory, float32 [N] at 16 kHz."""

    ended = True

    def __init__(self, samples: np.ndarray):
        self.samples = np.asarray(samples, np.float32)

    @property
    def available(self) -> int:
        return len(self.samples)

    @property
    def frames(self) -> int:
        """Its length in video frames, the last one possibly padded."""
        return -(-len(self.samples) // SAMPLES_PER_FRAME)

    def read(self, start: int, stop: int) -> np.ndarray:
        return _padded(self.samples, 0, start, stop)


class LiveStream:
    """Sound that arrives while it is used; one thread may push what another one reads."""

    def __init__(self, history_seconds: float = HISTORY_SECONDS):
        self._history = round(history_seconds * SAMPLING_RATE)
        self._samples = np.zeros(0, np.float32)
        self._first = 0
        self._ended = False
        self._resampler: AudioResampler | None = None
        self._rate = SAMPLING_RATE
        self._arrived = threading.Condition()

    @property
    def available(self) -> int:
        return self._first + len(self._samples)

    @property
    def ended(self) -> bool:
        return self._ended

    def push(self, samples: np.ndarray, sampling_rate: int = SAMPLING_RATE) -> np.ndarray:
        """Take the next samples, float32 or int16 [N], mono; returns what has become of them at 16 kHz."""
        if self._ended:
            raise InputError("the sound has ended; begin a new stream for what follows")
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype not in (np.float32, np.float64, np.int16):
            raise InputError(f"live sound is {samples.dtype} {list(samples.shape)}; give float32 or int16 [N], mono")
        samples = (samples / 2**15 if samples.dtype == np.int16 else samples).astype(np.float32)
        if not np.isfinite(samples).all():
            raise InputError("live sound holds samples that are not finite (NaN or infinity); leave them out")
        return self._append(self._resampled(samples, sampling_rate))

    def end(self) -> np.ndarray:
        """Say that no more will come; returns the last samples, which resampling held back."""
        rest = self._append(self._resampled(None, self._rate))
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()
        return rest

    def read(self, start: int, stop: int) -> np.ndarray:
        with self._arrived:
            if stop > self.available and not self._ended:
                raise NotArrived(f"samples up to {stop} are asked for, of which {self.available} have arrived")
            if max(start, 0) < min(self._first, stop):
                raise NotArrived(f"samples from {start} are asked for; only those from {self._first} are kept")
            return _padded(self._samples, self._first, start, stop)

    def wait(self, samples: int) -> None:
        """Return when more than `samples` have arrived, or when no more will."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._ended or self.available > samples)

    def _append(self, samples: np.ndarray) -> np.ndarray:
        with self._arrived:
            kept = np.concatenate([self._samples, samples])
            gone = max(0, len(kept) - max(self._history, len(samples)))
            self._samples, self._first = kept[gone:], self._first + gone
            self._arrived.notify_all()
        return samples

    def _resampled(self, samples: np.ndarray | None, rate: int) -> np.ndarray:
        import av

        if rate != self._rate and self.available:
            raise InputError(f"live sound of {rate} Hz follows one of {self._rate} Hz; keep to one rate")
        self._rate = rate
        if rate == SAMPLING_RATE:
            return np.zeros(0, np.float32) if samples is None else samples
        self._resampler = self._resampler or av.AudioResampler("flt", "mono", SAMPLING_RATE)
        frame = None
        if samples is not None and len(samples):
            frame = av.AudioFrame.from_ndarray(samples[None], "flt", "mono")
            frame.sample_rate = rate
        elif samples is not None:
            return np.zeros(0, np.float32)
        parts = [part.to_ndarray()[0] for part in self._resampler.resample(frame)]
        return np.concatenate([np.zeros(0, np.float32), *parts])


class PipeStream(LiveStream):
    """Raw 16-bit mono samples from an open file that ends some day, such as the standard input."""

    def __init__(self, file: IO[bytes], sampling_rate: int = SAMPLING_RATE, history_seconds: float = HISTORY_SECONDS):
        super().__init__(history_seconds)
        self._file, self._file_rate = file, sampling_rate
        threading.Thread(target=self._fill, daemon=True).start()

    def _fill(self) -> None:
        odd = b""
        try:
            # `read1`-like: whatever has arrived is taken at once, a whole block is not waited for.
            while block := getattr(self._file, "read1", self._file.read)(2 * SAMPLES_PER_FRAME):
                block = odd + block
                odd = block[len(block) // 2 * 2 :]
                self.push(np.frombuffer(block[: len(block) // 2 * 2], "<i2"), self._file_rate)
        finally:
            self.end()


def blocks(audio: AudioStream, frames: int = BLOCK_FRAMES) -> Iterator[np.ndarray]:
    """The samples of a stream in order, at most `frames` video frames of them at once, as they arrive."""
    start = 0
    while True:
        stop = min(start + frames * SAMPLES_PER_FRAME, audio.available)
        if stop > start:
            yield audio.read(start, stop)
            start = stop
        elif audio.ended:
            return
        elif isinstance(audio, LiveStream):
            audio.wait(start)
        else:
            raise NotArrived(f"after {start} samples nothing has arrived, and the sound has not ended")


def _padded(samples: np.ndarray, first: int, start: int, stop: int) -> np.ndarray:
    """Samples [start, stop) of an array whose first one has the number `first`; zeros outside of it."""
    inside = samples[max(start - first, 0) : max(stop - first, 0)]
    before = min(max(first - start, 0), max(stop - start, 0))
    return np.pad(inside, (before, max(stop - start, 0) - before - len(inside)))
