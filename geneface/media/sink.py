"""Decoded sound into the two files of an `AudioSource`, at the times that its frames say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Protocol

import numpy as np

from geneface.errors import InputError
from geneface.media.mixing import FULL_SCALE, Levels, check_planes, known, mono_frame, planes, scaled
from geneface.utils.units import SAMPLING_RATE

if TYPE_CHECKING:
    from av import AudioFrame

TRACK_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
TOLERANCE = 0.05
"""Seconds by which times may be off; containers round them, and a recorder's clock is not the sound card's."""
LISTENED, LONG = 4, 4096
"""One frame of so many is listened to for how its channels add up, and each of more samples than the second."""
HOT, UNSCALED = 1.25, 16.0
"""Floats beyond the first are scaled down rather than cut off; beyond the second nobody knows their scale."""


class Target(Protocol):
    """What of an `AudioSource` is written to."""

    name: str
    samples: int
    track_rate: int
    track_channels: int
    track_samples: int
    _speech: IO[bytes]
    _track: IO[bytes]


@dataclass
class Plan:
    """How to sum channels and scale samples; found out by listening to all of it."""

    weights: dict[str, np.ndarray] = field(default_factory=dict)
    """By the name of the layout, where swresample's own sum will not do."""
    gain: float = 1.0


class _Output:
    """One of the two files: its resampler, and how far it is written."""

    def __init__(self, file: IO[bytes], sample_format: str, layout: str, rate: int) -> None:
        import av

        self.file, self.rate, self.samples = file, rate, 0
        self.channels = 2 if layout == "stereo" else 1
        self.loudest = 0.0
        self._skip = 0
        self._kind = (sample_format, layout, rate)
        self._resampler = av.AudioResampler(*self._kind)

    def add(self, frame: "AudioFrame | None") -> None:
        """Resample a frame; None ends what came so far."""
        import av

        for part in self._resampler.resample(frame):
            self._write(part.to_ndarray())
        if frame is None:
            self._resampler = av.AudioResampler(*self._kind)

    def move_to(self, time: float) -> None:
        """What comes next is heard `time` seconds from the first sample: after silence, or without its beginning."""
        lacking = round(time * self.rate) - self.samples
        self._skip = max(-lacking, 0)
        while lacking > 0:
            silence = np.zeros((1, min(lacking, self.rate) * self.channels), np.int16)
            self._write(silence)
            lacking -= self.rate

    def _write(self, part: np.ndarray) -> None:
        dropped = min(self._skip, part.size // self.channels)
        self._skip -= dropped
        part = part[:, dropped * self.channels :]
        if self._kind[0] == "s32":
            part = (part / FULL_SCALE["i4"]).astype(np.float32)
            self.loudest = max(self.loudest, float(part.max(initial=0.0)))
        self.file.write(part.tobytes())
        self.samples += part.size // self.channels


class Sink:
    """Takes decoded frames, puts them where their times say, and writes them in both forms.

    Attributes:
        lacking: seconds of silence put where there was no sound.
        peak: the largest sample of floats, or 0.
        loudest: the largest sample of the speech that was written.
    """

    def __init__(self, source: Target, plan: Plan, check_seconds: Callable[[float], None] | None = None) -> None:
        self.source, self.plan = source, plan
        self._check_seconds = check_seconds or (lambda seconds: None)
        self.lacking = self.peak = 0.0
        self.levels: dict[str, Levels] = {}
        self._kind: tuple[str, str, int] | None = None
        self._outputs: list[_Output] = []
        self._start: float | None = None
        self._time = 0.0
        self._turn = 0

    def add(self, frame: "AudioFrame") -> None:
        check_planes(frame)
        self._keep_time(frame)
        self._time += frame.samples / frame.sample_rate
        self._check_seconds(self._time)
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            self._flush()
            self._kind = kind
        speech, track = self._listen(frame)
        if speech is None:
            return
        if not self._outputs:
            self._open(frame)
        for output, part in zip(self._outputs, (speech, track), strict=True):
            part.pts = None
            output.add(part)

    @property
    def loudest(self) -> float:
        return max((output.loudest for output in self._outputs), default=0.0)

    def close(self) -> None:
        self._flush()
        if self._outputs:
            self.source.samples, self.source.track_samples = (output.samples for output in self._outputs)

    def better_plan(self) -> Plan | None:
        """Another way to sum and scale, if this one loses something."""
        weights = {name: found for name, levels in self.levels.items() if (found := levels.better()) is not None}
        if not weights and self.peak <= HOT:
            return None
        return Plan(weights, 1 / self.peak if self.peak > HOT else 1.0)

    def _keep_time(self, frame: "AudioFrame") -> None:
        """Silence where nothing was recorded or it could not be decoded; what overlaps is cut."""
        if frame.pts is None or not frame.time_base:
            return
        time = frame.pts * float(frame.time_base)
        if self._start is None:
            self._start = time - self._time
        late = time - self._start - self._time
        if abs(late) > TOLERANCE:
            self._check_seconds(self._time + late)  # Before the hole is filled with silence.
            self._flush()
            self._time += late
            self.lacking += max(late, 0.0)
            for output in self._outputs:
                output.move_to(self._time)

    def _listen(self, frame: "AudioFrame") -> "tuple[AudioFrame | None, AudioFrame]":
        """What to write as speech and as track; nothing while it is not known how to sum the channels."""
        layout = frame.layout
        real, many = frame.format.name.startswith(("flt", "dbl")), layout.nb_channels > 1
        self._turn = (self._turn + 1) % LISTENED
        heard = many and layout.name not in self.plan.weights and (self._turn == 1 or frame.samples > LONG)
        if real or heard:
            samples = planes(frame)
            if real:
                self._check(float(np.abs(samples).max(initial=0.0)))
            if heard:
                self.levels.setdefault(layout.name, Levels(layout)).add(samples)
        weights = self.plan.weights.get(layout.name)
        if not known(layout):
            if weights is None:
                return None, frame
            return mono_frame(frame, self.plan.gain * weights), mono_frame(frame, self.plan.gain * weights)
        if self.plan.gain != 1:
            frame = scaled(frame, self.plan.gain)
        return (frame if weights is None else mono_frame(frame, weights)), frame

    def _check(self, peak: float) -> None:
        if not np.isfinite(peak):
            raise InputError(f"{self.source.name} holds samples that are not finite (NaN or infinity); repair it")
        if peak > UNSCALED:
            raise InputError(
                f"the samples of {self.source.name} go far beyond -1 and 1; scale them, or give them as int16"
            )
        self.peak = max(self.peak, peak)

    def _open(self, frame: "AudioFrame") -> None:
        source, rate = self.source, frame.sample_rate
        source.track_rate = next((known for known in TRACK_RATES if known >= rate), TRACK_RATES[-1])
        source.track_channels = min(frame.layout.nb_channels, 2) if known(frame.layout) else 1
        layout = "stereo" if source.track_channels == 2 else "mono"
        self._outputs = [
            # Integers, because only there does swresample keep the sum of channels within full scale.
            _Output(source._speech, "s32", "mono", SAMPLING_RATE),
            _Output(source._track, "s16", layout, source.track_rate),
        ]

    def _flush(self) -> None:
        for output in self._outputs:
            output.add(None)
