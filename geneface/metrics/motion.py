"""Measures of the face's motion.

Landmarks: 478 MediaPipe points or 68 iBUG points, in square pixels; LM3D in centimetres.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from geneface.face.ibug68 import INNER_CORNERS, LIP_GAPS, LIPS, OUTER_EYE_CORNERS
from geneface.metrics.statistics import Estimate, weighted_mean

MEDIAPIPE_LIPS = ((13, 14), (82, 87), (312, 317))
MEDIAPIPE_FACE_HEIGHT = (10, 152)
SETTLE_FRAMES = 8
FROZEN_SPREAD = 0.2
"""Below this spread a mouth counts as frozen."""
BLINK_SHUT, BLINK_OPEN = 0.5, 0.3
"""Closures at which a blink begins, and below which it is over."""
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
    return np.mean([_distance(points, *pair) for pair in LIP_GAPS], axis=0)


def lm3d_width(lm3d: np.ndarray, mean_landmarks: np.ndarray) -> np.ndarray:
    """Mouth width [T] in cm between the inner corners of the lips; arguments as of `lm3d_opening`."""
    return _distance(np.asarray(lm3d, np.float64) + mean_landmarks, *INNER_CORNERS)


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; 0 where one of the two does not vary."""
    a, b = a - np.mean(a), b - np.mean(b)
    scale = np.sqrt(np.sum(a**2) * np.sum(b**2))
    return float(np.sum(a * b) / scale) if scale > 1e-12 else 0.0


def correlation_at(reference: np.ndarray, generated: np.ndarray, lag: int) -> float:
    """r of two curves [T], the generated one `lag` frames late; the longer curve is cut."""
    frames = min(len(reference), len(generated))
    a, b = np.asarray(reference, np.float64)[:frames], np.asarray(generated, np.float64)[:frames]
    return pearson(a[max(0, -lag) : frames + min(0, -lag)], b[max(0, lag) : frames + min(0, lag)])


def correlation(reference: np.ndarray, generated: np.ndarray, max_lag: int = 1) -> float:
    """r of two curves [T]: the best over the lags -max_lag .. max_lag; the longer curve is cut."""
    return max(correlation_at(reference, generated, lag) for lag in range(-max_lag, max_lag + 1))


def best_lag(reference: np.ndarray, generated: np.ndarray, max_lag: int = 12) -> int:
    """By how many frames the generated curve [T] is late: the lag, within +-max_lag, of the highest r; 0 if none."""
    lags = sorted(range(-max_lag, max_lag + 1), key=abs)
    found = [correlation_at(reference, generated, lag) for lag in lags]
    return lags[int(np.argmax(found))]


def concordance(a: np.ndarray, b: np.ndarray) -> float:
    """Lin's concordance of two curves [T]: r, lowered where their spread or their mean differs; at most 1."""
    scale = np.var(a) + np.var(b) + (np.mean(a) - np.mean(b)) ** 2
    return float(2 * np.mean((a - np.mean(a)) * (b - np.mean(b))) / scale) if scale > 1e-12 else 0.0


def spread(reference: np.ndarray, generated: np.ndarray) -> float:
    """Standard deviation of the generated curve over that of the reference."""
    return float(np.std(generated) / np.std(reference))


def is_frozen(reference: np.ndarray, generated: np.ndarray) -> bool:
    """Whether the generated mouth [T] hardly moves while the reference's does."""
    return bool(np.std(generated) < FROZEN_SPREAD * np.std(reference))


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


class LandmarkDistance(NamedTuple):
    lips: float
    face: float


def landmark_distance(reference: np.ndarray, generated: np.ndarray) -> LandmarkDistance:
    """LMD in pixels: mean distance of the lip points (48-67) and of all, of two [T, 68, 2]."""
    distance = np.linalg.norm(np.asarray(reference, np.float64) - generated, axis=-1)
    return LandmarkDistance(float(distance[..., LIPS].mean()), float(distance.mean()))


def interocular_distance(landmarks: np.ndarray) -> np.ndarray:
    """[T] from one outer eye corner to the other, of 68 points [T, 68, 2]; what normalised LMD is divided by."""
    return _distance(np.asarray(landmarks, np.float64), *OUTER_EYE_CORNERS)


def blink_onsets(closure: np.ndarray) -> np.ndarray:
    """bool [T]: the frames in which a blink begins, from the eyes' closure [T], 0 open to 1 shut."""
    onsets = np.zeros(len(closure), bool)
    shut = bool(len(closure)) and closure[0] > BLINK_OPEN
    for frame, value in enumerate(closure):
        if not shut and value > BLINK_SHUT:
            onsets[frame] = shut = True
        elif value < BLINK_OPEN:
            shut = False
    return onsets


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


def head_turn(rotation: np.ndarray) -> np.ndarray:
    """[T] degrees by which the head turns away from the mean of its rotations [T, 3, 3]."""
    u, _, v = np.linalg.svd(np.asarray(rotation, np.float64).mean(axis=0))
    return rotation_error(np.broadcast_to(u @ v, rotation.shape), rotation)
