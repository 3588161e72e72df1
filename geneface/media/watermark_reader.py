"""Finds and reads the invisible watermark of `geneface.media.watermark`, without the original.

Frames are flattened (each point's difference from its surroundings, divided by how much these vary), averaged, and
held against the waves for many scales and all places. The score of a reading is
sum_k w_k cos(a_k) / sqrt(sum_k w_k^2 / 2), where a_k is the angle from the picture's k-th wave to the one expected,
and the weights w_k come from the picture alone. The key's phases are independent and uniform. So, for any picture that
does not know the key, a score of z or more has a probability of at most exp(-z^2 / 2) (as of a Gaussian variable, by
Chernoff's bound), and among all N combinations of scale, place and number that could be read at most N exp(-z^2 / 2).
That bound is stated with each reading.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geneface.errors import InputError
from geneface.media.colour import to_rgb
from geneface.media.container import best_track, decodable, open_container
from geneface.media.intake import open_file
from geneface.media.watermark import HIGHEST_PAYLOAD, KEY, SHORTEST, from_chips, repeat_length, to_chips, waves

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer

FALSE_ALARM = 1e-9
"""The highest probability at which a reading is taken for real, for a whole video."""
SIDE, LONGEST_SIDE = 384, 1536
"""Pixels of the smaller and the larger side that pictures are looked at with, at most."""
SMALLEST = 32
"""Pixels of a side, below which nothing is looked for."""
FLATTEN_BY, SPREAD_OVER, FLOOR = 3.0, 7, 0.1
"""Pixels of the surroundings (Gaussian's sigma, box), and the variation in levels that is not amplified further."""
SCALES = np.exp(np.arange(math.log(0.35), math.log(2.25), 0.007))
"""Of the waves, relative to an uncropped picture of 512 pixels or more; small ones have longer waves, up to twice."""
FINE_STEPS = (0.004, 0.002, 0.001)
CANDIDATES = 3
GRID, FINE_GRID = 128, 256
"""Places that are tried along a repeat of the waves."""
MOST_FRAMES, PARTS = 48, 4
"""Frames of a video that are looked at, all together and in so many parts."""
LONG, ENOUGH = 60, 6
"""Seconds above which only key frames are decoded, if there are so many of them."""
MOST_DECODED = 6000
"""Frames that are decoded where there are too few key frames."""
SURFACES = 2 + len(SCALES) + CANDIDATES * 9 * len(FINE_STEPS)
HYPOTHESES = (1 + PARTS) * SURFACES * FINE_GRID**2 * (HIGHEST_PAYLOAD + 1)
THRESHOLD = math.sqrt(2 * math.log(HYPOTHESES / FALSE_ALARM))


@dataclass(frozen=True)
class WatermarkReading:
    """A watermark that was found."""

    payload: int
    score: float
    """See above; a reading from `THRESHOLD` on is taken for real."""

    @property
    def false_alarm(self) -> float:
        """At most so probable is such a score in a video without the watermark."""
        return min(1.0, HYPOTHESES * math.exp(-(self.score**2) / 2))


@dataclass(frozen=True)
class _Place:
    """Where the waves may lie: their repeat in pixels along both axes, and their shift in parts of it."""

    score: float
    width: float
    height: float
    right: float = 0.0
    down: float = 0.0


def read_watermark(path: str | os.PathLike, key: int = KEY) -> WatermarkReading | None:
    """The watermark of a video, or None if none is found; `InputError` if it cannot be read."""
    return find_watermark(sample_frames(path), key)


def find_watermark(frames: Sequence[np.ndarray], key: int = KEY) -> WatermarkReading | None:
    """The watermark in frames of one size, uint8 [H, W, 3] or [H, W, 4], or None if none is found."""
    flat = [flattened(frame) for frame in frames if min(frame.shape[:2]) >= SMALLEST]
    if not flat:
        return None
    pictures = [np.mean(flat, axis=0)]
    if len(flat) >= 2 * PARTS:
        # In a video that is marked in part, the rest would drown it.
        pictures += [np.mean(part, axis=0) for part in np.array_split(np.stack(flat), PARTS)]
    readings = (_Search(picture, key).reading() for picture in pictures)
    return next((reading for reading in readings if reading is not None), None)


def sample_frames(path: str | os.PathLike) -> list[np.ndarray]:
    """Up to `MOST_FRAMES` frames from all over a video, uint8 [h, w, 3], the smaller side of at most `SIDE` pixels."""
    import av

    with open_file(Path(path)) as file, open_container(file, os.fspath(path)) as container:
        stream = best_track(container, "video")
        if stream is None:
            raise InputError(f"{path} has no video track that can be decoded; give a video file")
        stream.thread_type = "AUTO"
        frames: list[np.ndarray] = []
        if (container.duration or 0) > LONG * 1_000_000:
            frames = _thinned(_small(_key_frames(container, stream)))
        if len(frames) < ENOUGH:
            with suppress(av.FFmpegError):  # What is damaged may not be sought in.
                container.seek(0)
            frames = _thinned(_small(islice(decodable(container, stream), MOST_DECODED)))
    if not frames:
        raise InputError(f"no frame of {path} can be decoded; give another copy of it")
    return frames


def _key_frames(container: "InputContainer", stream: "VideoStream") -> Iterator["VideoFrame"]:
    """Key frames from all over a video, which are found without decoding what lies between."""
    import av

    seen = set()
    for number in range(MOST_FRAMES):
        try:
            container.seek((container.start_time or 0) + (container.duration or 0) * number // MOST_FRAMES)
        except av.FFmpegError:
            return
        frame = next(decodable(container, stream), None)
        if frame is not None and frame.pts not in seen:
            seen.add(frame.pts)
            yield frame


def _small(frames: Iterable["VideoFrame"]) -> Iterator[Callable[[], np.ndarray]]:
    """Functions that give the frames' pixels, so that those that are not wanted are not converted."""
    from av.video.reformatter import VideoReformatter

    reformatter = VideoReformatter()
    for frame in frames:
        yield partial(to_rgb, frame, reformatter, _small_size(frame.width, frame.height))


def _small_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1, SIDE / min(width, height), LONGEST_SIDE / max(width, height))
    return max(1, round(scale * width)), max(1, round(scale * height))


def _thinned(frames: Iterable[Callable[[], np.ndarray]]) -> list[np.ndarray]:
    """Every n-th frame, with the smallest power of two that gives no more than `MOST_FRAMES`; all of one size."""
    kept: list[np.ndarray] = []
    every = 1
    for number, frame in enumerate(frames):
        if number % every:
            continue
        if len(kept) == MOST_FRAMES:
            kept, every = kept[::2], 2 * every
            if number % every:
                continue
        picture = frame()
        if not kept or picture.shape == kept[0].shape:
            kept.append(picture)
    return kept


def flattened(frame: np.ndarray) -> np.ndarray:
    """float32 [h, w]: what is left of a frame's luma and blue once its content is evened out; `SIDE` at most."""
    colours = _reduced(frame[..., :3]).astype(np.float32)
    luma = colours @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return _evened(luma) + _evened(colours[..., 2] - luma)


def _evened(channel: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    rest = channel - ndimage.gaussian_filter(channel, FLATTEN_BY, truncate=3)
    power = ndimage.uniform_filter(rest * rest, SPREAD_OVER)
    return rest / (np.sqrt(np.maximum(power, 0)) + np.float32(FLOOR))


def _reduced(frame: np.ndarray) -> np.ndarray:
    from PIL import Image

    height, width = frame.shape[:2]
    size = _small_size(width, height)
    if size == (width, height):
        return frame
    return np.asarray(Image.fromarray(np.ascontiguousarray(frame)).resize(size, Image.Resampling.BICUBIC))


def _powers(size: int, repeat: float) -> np.ndarray:
    """complex64 [size, 1 + SHORTEST]: exp(-2 pi i k n / repeat) for points n and periods k per repeat."""
    steps = np.ones((size, SHORTEST + 1), np.complex128)
    steps[:, 1:] = np.exp(-2j * np.pi / repeat * np.arange(size))[:, None]
    return np.cumprod(steps, axis=1).astype(np.complex64)


class _Search:
    """For the watermark in one flattened picture."""

    def __init__(self, picture: np.ndarray, key: int) -> None:
        self._picture = picture.astype(np.float32)
        self._waves = waves(key)

    def reading(self) -> WatermarkReading | None:
        side = min(self._picture.shape)
        # Pictures that are as they were made, or only scaled, are read at once.
        for repeat in dict.fromkeys((side / 2, repeat_length(side))):
            if found := self._read(self._best_place(repeat, repeat, FINE_GRID)):
                return found
        places = [self._best_place(scale * side / 2, scale * side / 2, GRID) for scale in SCALES]
        for place in sorted(places, key=lambda place: place.score, reverse=True)[:CANDIDATES]:
            if found := self._read(self._refined(place)):
                return found
        return None

    def _spectrum(self, width: float, height: float) -> np.ndarray:
        """complex64 [K]: the picture's part of each wave, were their repeat of `width` and `height` pixels."""
        rows, columns = _powers(self._picture.shape[0], height), _powers(self._picture.shape[1], width)
        # Real and imaginary parts side by side: a product of real numbers takes half the time.
        sums = (self._picture @ columns.view(np.float32)).view(np.complex64)
        # The picture is real: waves to the left are the conjugates of those to the right.
        right, left = rows.T @ sums, (rows.conj().T @ sums).conj()
        across, down = self._waves.across, self._waves.down
        return np.where(across >= 0, right[down, abs(across)], left[down, abs(across)])

    def _matches(self, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
        """complex64 [K], weights times agreement with the key for a shift of 0, and the weights [K]."""
        spectrum = self._spectrum(width, height)
        size = np.abs(spectrum) + 1e-12
        # Strong waves are the picture's rather than the watermark's, weak ones are noise.
        weights = np.sqrt(size)
        return spectrum / size * weights * self._waves.carrier.conj(), weights

    def _best_place(self, width: float, height: float, grid: int) -> _Place:
        """The shift that fits best the waves that are the same in all videos."""
        from scipy import fft

        matches, weights = self._matches(width, height)
        finding = self._waves.finding
        plane = np.zeros((grid, grid // 2 + 1), np.complex64)
        across, down = self._waves.across[finding], self._waves.down[finding]
        plane[across, down] = matches[finding]
        level = down == 0
        plane[-across[level], 0] = matches[finding][level].conj()
        surface = fft.irfft2(plane, (grid, grid)) * (grid**2 / 2)
        right, down_by = np.unravel_index(surface.argmax(), surface.shape)
        score = surface.max() / math.sqrt((weights[finding] ** 2).sum() / 2)
        return _Place(float(score), width, height, right / grid, down_by / grid)

    def _refined(self, place: _Place) -> _Place:
        """The same place with the scales across and down found more exactly."""
        best = place
        for step in FINE_STEPS:
            near = [
                self._best_place(best.width * (1 + x * step), best.height * (1 + y * step), FINE_GRID)
                for x in (-1, 0, 1)
                for y in (-1, 0, 1)
            ]
            best = max(near, key=lambda place: place.score)
        return best

    def _read(self, place: _Place) -> WatermarkReading | None:
        """The number at a place, if checksum and score say that there is one."""
        matches, weights = self._matches(place.width, place.height)
        shift = self._waves.across * place.right + self._waves.down * place.down
        agreement = (matches * np.exp(2j * np.pi * shift)).real
        payload = from_chips(agreement[self._waves.chips].sum(1))
        if payload is None:
            return None
        agreement[self._waves.chips] *= to_chips(payload)[:, None]
        score = float(agreement.sum() / math.sqrt((weights**2).sum() / 2))
        return WatermarkReading(payload, score) if score >= THRESHOLD else None
