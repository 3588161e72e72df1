"""Every measure of the project, once. Pure functions on numpy arrays; lengths in frames of 1/25 s.

Landmarks: 478 MediaPipe points or 68 iBUG points, in square pixels; LM3D in centimetres.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

MEDIAPIPE_LIPS = ((13, 14), (82, 87), (312, 317))
MEDIAPIPE_FACE_HEIGHT = (10, 152)
LM3D_LIPS = ((61, 67), (62, 66), (63, 65))
LIP_POINTS = slice(48, 68)
SETTLE_FRAMES = 8
MIN_CLIP_FRAMES = 75


def _distance(points: np.ndarray, first: int, second: int) -> np.ndarray:
    return np.linalg.norm(points[..., first, :] - points[..., second, :], axis=-1)


def mediapipe_opening(points: np.ndarray) -> np.ndarray:
    """Mouth opening [T] over the face's height, from MediaPipe's points [T, 478, 2 or 3] in square pixels."""
    points = np.asarray(points, np.float64)[..., :2]
    gaps = np.mean([_distance(points, *pair) for pair in MEDIAPIPE_LIPS], axis=0)
    return gaps / _distance(points, *MEDIAPIPE_FACE_HEIGHT)


def lm3d_opening(lm3d: np.ndarray, mean_landmarks: np.ndarray) -> np.ndarray:
    """Mouth opening [T] in cm, from LM3D [T, 68, 3] and the mean mesh's points [68, 3]."""
    points = np.asarray(lm3d, np.float64) + mean_landmarks
    return np.mean([_distance(points, *pair) for pair in LM3D_LIPS], axis=0)


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; 0 where one of the two does not vary."""
    a, b = a - np.mean(a), b - np.mean(b)
    scale = np.sqrt(np.sum(a**2) * np.sum(b**2))
    return float(np.sum(a * b) / scale) if scale > 1e-12 else 0.0


def correlation(reference: np.ndarray, generated: np.ndarray, max_lag: int = 1) -> float:
    """r of two curves [T]: the best over the lags -max_lag .. max_lag; the longer curve is cut."""
    frames = min(len(reference), len(generated))
    a, b = np.asarray(reference, np.float64)[:frames], np.asarray(generated, np.float64)[:frames]
    return max(
        pearson(a[max(0, lag) : frames + min(0, lag)], b[max(0, -lag) : frames + min(0, -lag)])
        for lag in range(-max_lag, max_lag + 1)
    )


def concordance(a: np.ndarray, b: np.ndarray) -> float:
    """Lin's concordance of two curves [T]: r, lowered where their spread or their mean differs; at most 1."""
    scale = np.var(a) + np.var(b) + (np.mean(a) - np.mean(b)) ** 2
    return float(2 * np.mean((a - np.mean(a)) * (b - np.mean(b))) / scale) if scale > 1e-12 else 0.0


def spread(reference: np.ndarray, generated: np.ndarray) -> float:
    """Standard deviation of the generated curve over that of the reference."""
    return float(np.std(generated) / np.std(reference))


class Estimate(NamedTuple):
    """A weighted mean with its 95% interval."""

    mean: float
    low: float
    high: float


def weighted_mean(
    values: Sequence[float], weights: Sequence[float], speakers: Sequence[str], draws: int = 2000, seed: int = 0
) -> Estimate:
    """Mean of clip values weighted by seconds, with a 95% bootstrap over speakers."""
    names, index = np.unique(np.asarray(speakers), return_inverse=True)
    weight = np.bincount(index, weights)
    total = np.bincount(index, np.asarray(values, np.float64) * weights)
    drawn = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    means = total[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(total.sum() / weight.sum()), float(low), float(high))


class Curves(NamedTuple):
    """The mouth opening of one clip, as recorded and as generated from its audio."""

    reference: np.ndarray
    generated: np.ndarray
    speaker: str
    others: Sequence[np.ndarray] = ()
    """Generated with other seeds."""


class OpeningScore(NamedTuple):
    r: Estimate
    chance: Estimate
    """r with the motion generated from other clips' audio."""
    spread: float
    clips: int


def opening_score(clips: Sequence[Curves], min_frames: int = MIN_CLIP_FRAMES) -> OpeningScore:
    """r, chance and spread over the clips of 3 s or more, weighted by length; of each clip the mean over its seeds.

    Chance pairs each clip with the generated motion of every clip of another speaker, both cut to the shorter.
    """
    clips = [clip for clip in clips if min(len(clip.reference), len(clip.generated)) >= min_frames]
    weights = [len(clip.reference) for clip in clips]
    speakers = [clip.speaker for clip in clips]
    chances = [
        np.mean([correlation(a.reference, b.generated) for b in clips if b.speaker != a.speaker] or [np.nan])
        for a in clips
    ]

    def over_seeds(measure: Callable[[np.ndarray, np.ndarray], float]) -> list[float]:
        return [
            float(np.mean([measure(clip.reference, generated) for generated in (clip.generated, *clip.others)]))
            for clip in clips
        ]

    return OpeningScore(
        weighted_mean(over_seeds(correlation), weights, speakers),
        weighted_mean([float(value) for value in chances], weights, speakers),
        weighted_mean(over_seeds(spread), weights, speakers).mean,
        len(clips),
    )


def silence_opening(opening: np.ndarray, start: int, stop: int, closed: float = 0.0) -> float:
    """Largest opening in the silent frames start..stop-1, after 0.3 s, over the clip's 90th percentile.

    `closed` is the opening of the closed mouth, subtracted from both: that of the mean mesh for LM3D. Aim: < 0.1.
    """
    opening = np.asarray(opening, np.float64) - closed
    return float(opening[start + SETTLE_FRAMES : stop].max() / np.percentile(opening, 90))


def closure_share(
    opening: np.ndarray, centres: Sequence[int], closed: float = 0.0, reach: int = 2, threshold: float = 0.25
) -> float:
    """Share of the phones at frames `centres` whose smallest opening within +-`reach` is under the threshold.

    The threshold is a share of the clip's 90th percentile. High for p, b, m; low for open vowels.
    """
    opening = np.asarray(opening, np.float64) - closed
    limit = threshold * np.percentile(opening, 90)
    lows = [opening[max(0, centre - reach) : centre + reach + 1].min() for centre in centres]
    return float(np.mean(np.array(lows) < limit))


def jitter(lm3d: np.ndarray) -> float:
    """Mean absolute second difference of LM3D [T, 68, 3] (cm), in mm. Aim in silence: at most 0.05."""
    return float(10 * np.abs(np.diff(np.asarray(lm3d, np.float64), n=2, axis=0)).mean())


def lm3d_error(reference: np.ndarray, generated: np.ndarray) -> float:
    """Mean L2 distance per point of two LM3D [T, 68, 3] (cm), in mm (Table 5)."""
    difference = np.asarray(reference, np.float64) - generated
    return float(10 * np.linalg.norm(difference, axis=-1).mean())


def centred_rms_error(reference: np.ndarray, estimate: np.ndarray) -> float:
    """RMS distance per point of two LM3D [T, 68, 3] (cm) after removing each clip's mean, in mm."""
    difference = np.asarray(reference, np.float64) - estimate
    difference = difference - difference.mean(axis=0)
    return float(10 * np.sqrt((difference**2).sum(axis=-1).mean()))


def energy_score(reference: np.ndarray, samples: np.ndarray) -> float:
    """Energy score in mm of samples [S, T, 68, 3] against LM3D [T, 68, 3], over frames; lower is better.

    E|x - y| - E|x - x'| / 2, with the RMS over the 68 points as the norm of a frame.
    """
    samples = np.asarray(samples, np.float64)
    norm = lambda d: np.sqrt((d**2).sum(axis=-1).mean(axis=-1)).mean()  # noqa: E731
    to_reference = np.mean([norm(sample - reference) for sample in samples])
    count = len(samples)
    between = [norm(samples[i] - samples[j]) for i in range(count) for j in range(i + 1, count)]
    return float(10 * (to_reference - 0.5 * np.mean(between)))


class SyncWindows(NamedTuple):
    """First frames of landmark and audio windows; `in_sync` where the two are equal."""

    landmarks: np.ndarray
    audio: np.ndarray
    in_sync: np.ndarray


def sync_windows(
    frames: int, count: int, rng: np.random.Generator, window: int = 5, min_offset: int = 3
) -> SyncWindows:
    """Balanced windows of one clip: offset 0, or an offset of at least `min_offset` frames.

    Needs window + min_offset frames or more.
    """
    starts = frames - window + 1
    in_sync = np.arange(count) % 2 == 0
    audio = rng.integers(starts, size=count)
    landmarks = audio.copy()
    for index in np.flatnonzero(~in_sync):
        candidates = np.flatnonzero(np.abs(np.arange(starts) - audio[index]) >= min_offset)
        if not len(candidates):
            audio[index] = 0
            candidates = np.arange(min_offset, starts)
        landmarks[index] = rng.choice(candidates)
    return SyncWindows(landmarks, audio, in_sync)


def sync_accuracy(cosines: np.ndarray, in_sync: np.ndarray) -> float:
    """Share of windows on the right side of one half."""
    return float(np.mean((np.asarray(cosines) > 0.5) == in_sync))


def mouth_box(points: np.ndarray, size: tuple[int, int] = (512, 512), grow: int = 12) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in pixels: the box of MediaPipe's 61, 291, 0, 17, grown, within (width, height)."""
    corners = np.asarray(points)[[61, 291, 0, 17], :2]
    low = np.floor(corners.min(axis=0)).astype(int) - grow
    high = np.ceil(corners.max(axis=0)).astype(int) + grow
    return max(0, low[0]), max(0, low[1]), min(size[0], high[0]), min(size[1], high[1])


def psnr(reference: np.ndarray, generated: np.ndarray, region: np.ndarray | None = None) -> float:
    """PSNR in dB of two uint8 arrays over the entries where `region` is true, or over all.

    `region` has the pictures' shape, or [..., H, W] for pictures [..., H, W, 3].
    """
    squared = (reference.astype(np.float64) - generated.astype(np.float64)) ** 2
    if region is not None:
        squared = squared[region]
    error = squared.mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


class LandmarkDistance(NamedTuple):
    lips: float
    face: float


def landmark_distance(reference: np.ndarray, generated: np.ndarray) -> LandmarkDistance:
    """LMD in pixels: mean distance of the lip points (48-67) and of all, of two [T, 68, 2]."""
    distance = np.linalg.norm(np.asarray(reference, np.float64) - generated, axis=-1)
    return LandmarkDistance(float(distance[..., LIP_POINTS].mean()), float(distance.mean()))


def reprojection_error(observed: np.ndarray, projected: np.ndarray) -> float:
    """Mean distance in pixels of two [..., 2], on points that the fit did not use."""
    return float(np.linalg.norm(np.asarray(observed, np.float64) - projected, axis=-1).mean())


def rotation_error(reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Angle in degrees between rotations [..., 3, 3]."""
    difference = np.swapaxes(np.asarray(reference, np.float64), -1, -2) @ estimate
    sine = 0.5 * np.linalg.norm(
        np.stack(
            [
                difference[..., 2, 1] - difference[..., 1, 2],
                difference[..., 0, 2] - difference[..., 2, 0],
                difference[..., 1, 0] - difference[..., 0, 1],
            ],
            axis=-1,
        ),
        axis=-1,
    )
    cosine = 0.5 * (np.trace(difference, axis1=-2, axis2=-1) - 1)
    return np.degrees(np.arctan2(sine, cosine))


def median_seconds(run: Callable[[], object], synchronise: Callable[[], None] = lambda: None, runs: int = 5) -> float:
    """Median wall time of `runs` calls after one to warm up; `synchronise` waits for a device."""
    times = []
    for _ in range(runs + 1):
        synchronise()
        started = time.perf_counter()
        run()
        synchronise()
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:]))
