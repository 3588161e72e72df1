"""Many channels to the one that is listened to: their sum, unless that loses what is said."""

from typing import TYPE_CHECKING

import numpy as np

from geneface.errors import InputError

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.layout import AudioLayout

LOST = 10**-0.9
"""A sum of this share of the loudest channel's power has lost it; one silent channel of two leaves a quarter."""
LOST_SHARE = 0.25
"""Share of what is to be heard that must be lost."""
ACTIVE = 0.01
"""Share of the loudest channel's power from which on another channel takes part in the sum of unknown ones."""
QUIET, FADED = 1e-9, 1e-4
"""Power below which nothing is to be heard: of full scale, and of the loudest moment so far."""
MOST_KNOWN = 24
FULL_SCALE = {"i1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}


def planes(frame: "AudioFrame") -> np.ndarray:
    """[channels, N] float32, full scale 1."""
    check_planes(frame)
    samples, channels = frame.to_ndarray(), frame.layout.nb_channels
    if not frame.format.is_planar:
        samples = samples.reshape(-1, channels).T
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    return samples.astype(np.float32) / np.float32(FULL_SCALE.get(samples.dtype.str[1:], 1.0))


def check_planes(frame: "AudioFrame") -> None:
    """`InputError` for a frame of more planes than any codec has channels: those of a damaged file lead nowhere, and
    to read them ends the process."""
    if frame.format.is_planar and frame.layout.nb_channels > MOST_KNOWN:
        raise InputError(
            f"a sound track says that it has {frame.layout.nb_channels} channels, over {MOST_KNOWN}: it is damaged; "
            "give another copy of the recording"
        )


def mono_frame(frame: "AudioFrame", weights: np.ndarray) -> "AudioFrame":
    """The sum of a frame's channels, each times its weight."""
    import av

    mixed = av.AudioFrame.from_ndarray((weights.astype(np.float32) @ planes(frame))[None], "flt", "mono")
    mixed.sample_rate = frame.sample_rate
    return mixed


def scaled(frame: "AudioFrame", gain: float) -> "AudioFrame":
    """A frame of a known layout, louder by a factor."""
    import av

    layout = {1: "mono", 2: "stereo"}.get(frame.layout.nb_channels, frame.layout.name)
    samples = np.ascontiguousarray(planes(frame).T * np.float32(gain)).reshape(1, -1)
    made = av.AudioFrame.from_ndarray(samples, "flt", layout)
    made.sample_rate = frame.sample_rate
    return made


def known(layout: "AudioLayout") -> bool:
    """Whether the file says what its channels are, or they can be but one thing."""
    return layout.nb_channels <= 2 or not layout.name.endswith(" channels")


def downmix(layout: "AudioLayout") -> np.ndarray:
    """[channels]: the weights by which swresample sums the channels of a known layout."""
    import av

    channels = layout.nb_channels
    if channels <= 2:
        return np.full(channels, 1 / channels)
    weights = np.zeros(channels)
    for channel in range(channels):
        impulse = np.zeros((64, channels), np.float32)
        impulse[:, channel] = 0.5
        frame = av.AudioFrame.from_ndarray(impulse.reshape(1, -1), "flt", layout.name)
        frame.sample_rate = 16000
        heard = av.AudioResampler("s32", "mono", 16000).resample(frame)[0].to_ndarray()
        weights[channel] = heard[0, 32] / FULL_SCALE["i4"] / 0.5
    return weights


class Levels:
    """Listens to all channels of a recording in constant memory, and says how to sum them.

    Power is measured on differences of samples, which an offset or hum hardly has.
    """

    def __init__(self, layout: "AudioLayout") -> None:
        self.channels = layout.nb_channels
        self.weights = downmix(layout) if known(layout) else None
        self._heard = self._lost = 0
        self._peak = 0.0
        self._likeness = np.zeros((self.channels, self.channels))
        self._missed = np.zeros(self.channels)

    def add(self, samples: np.ndarray) -> None:
        """Listen to float32 [channels, N]."""
        change = np.diff(samples)
        if not change.size:
            return
        likeness = (change @ change.T).astype(np.float64) / change.shape[1]
        power = likeness.diagonal()
        loudest = float(power.max())
        self._peak = max(self._peak, loudest)
        if loudest < max(QUIET, FADED * self._peak):
            return
        self._heard += 1
        self._likeness += likeness / loudest
        if self.weights is not None and self.weights @ likeness @ self.weights < LOST * loudest:
            self._lost += 1
            self._missed += power

    def better(self) -> np.ndarray | None:
        """The weights [channels] to sum by where swresample's sum, or its guess of a layout, loses something."""
        if self.weights is not None:
            return self._only(self._missed) if self._lost > LOST_SHARE * self._heard else None
        power = self._likeness.diagonal()
        weights = (power >= ACTIVE * power.max()).astype(float)
        weights /= weights.sum()
        if weights @ self._likeness @ weights < LOST / weights.astype(bool).sum() * power.max():
            return self._only(power)
        return weights

    def _only(self, power: np.ndarray) -> np.ndarray:
        return np.eye(self.channels)[power.argmax()]
