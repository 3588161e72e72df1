"""A generated video beside the real one: aligned in time, compared frame by frame."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

import numpy as np

from geneface import metrics
from geneface.errors import InputError
from geneface.evaluation.inception import FEATURES
from geneface.evaluation.measures import Series
from geneface.evaluation.tools import Tools
from geneface.evaluation.tracks import STRIDE, Progress, Track, own_series, pictures
from geneface.media.resample import SteadyVideo
from geneface.utils.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

SAME_SOUND = 0.3
"""Similarity from which two recordings count as the same."""
CODEC_DELAY = 0.1
"""Seconds by which encoders shift the sound; the picture of such a video is where it was."""
THINNED = 4
SHORTEST = FPS
SAME_SHAPE = 0.01
CURVE_LAG = 1
"""r is the best of the lags up to this (docs/measures.md, The mouth's opening)."""


@dataclass(frozen=True)
class Alignment:
    """Frame t + `shift` of the reference belongs to frame t of the generated video."""

    shift: int
    frames: int
    """That both have."""
    sound_offset: float | None
    """Seconds by which the generated sound begins later in the reference's; None without the same sound in both."""
    said: str
    """How that was found, in words."""

    @property
    def noteworthy(self) -> bool:
        """Whether it is not simply frame by frame, with the same sound to half a frame."""
        return self.sound_offset is None or abs(self.sound_offset) > 0.5 / FPS

    @property
    def reference(self) -> slice:
        return slice(max(0, self.shift), max(0, self.shift) + self.frames)

    @property
    def generated(self) -> slice:
        return slice(max(0, -self.shift), max(0, -self.shift) + self.frames)


def align(reference: Track, generated: Track) -> Alignment:
    """By the sound that both have; else from the first frame of each. `InputError` if less than a second is left."""
    shift, offset = 0, None
    if reference.sound is None or generated.sound is None:
        said = "compared from the first frame of each on, as not both have sound"
    else:
        found = metrics.sound_offset(thin(reference.sound), thin(generated.sound))
        if found.similarity < SAME_SOUND:
            said = f"compared from the first frame of each on, as their sound differs (r {found.similarity:.2f})"
        else:
            offset = THINNED * found.samples / SAMPLING_RATE
            if abs(offset) >= CODEC_DELAY:
                shift = round(THINNED * found.samples / SAMPLES_PER_FRAME)
            said = f"same sound (r {found.similarity:.2f}), {offset:+.3f} s into the reference's"
            said += f": moved by {shift} frames" if shift else ""
    frames = min(len(reference) - shift, len(generated)) - max(0, -shift)
    if frames < SHORTEST:
        raise InputError(
            f"{generated.path} and {reference.path} have {max(frames, 0) / FPS:.1f} s in common; 1 s is needed"
        )
    return Alignment(shift, frames, offset, said)


def thin(sound: np.ndarray) -> np.ndarray:
    """Every so many samples [N] as their mean: speech is found as well, in a quarter of the memory."""
    return sound[: len(sound) // THINNED * THINNED].reshape(-1, THINNED).mean(axis=1)


def paired_pictures(
    reference: Track, generated: Track, alignment: Alignment
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The pictures of both that belong together, uint8 [H, W, 3] of the reference's size."""
    from PIL import Image

    with ExitStack() as stack:
        real = pictures(stack.enter_context(SteadyVideo(reference.path)))
        made = pictures(stack.enter_context(SteadyVideo(generated.path)))
        for a, b in zip(
            islice(real, alignment.reference.start, alignment.reference.stop),
            islice(made, alignment.generated.start, alignment.generated.stop),
            strict=True,
        ):
            if b.shape != a.shape:
                b = np.asarray(Image.fromarray(b).resize(reference.size, Image.Resampling.LANCZOS))
            yield a, b


def compare(
    reference: Track,
    generated: Track,
    alignment: Alignment,
    tools: Tools,
    progress: Progress = lambda items, name: items,
) -> Series:
    """All figures of each frame that both videos have."""
    shapes = [width / height for width, height in (reference.size, generated.size)]
    if abs(shapes[0] / shapes[1] - 1) > SAME_SHAPE:
        raise InputError(
            f"{generated.path} has the shape {generated.size[0]}:{generated.size[1]} and {reference.path} "
            f"{reference.size[0]}:{reference.size[1]}: they do not show the same part; crop one like the other"
        )
    sound = generated.sound
    if sound is None and reference.sound is not None:
        first = alignment.shift * SAMPLES_PER_FRAME
        silence = np.zeros(max(0, -first), np.float32)
        sound = np.concatenate([silence, reference.sound[max(0, first) :]])[: len(generated) * SAMPLES_PER_FRAME]
    theirs, ours = alignment.reference, alignment.generated
    series = {name: values[ours] for name, values in own_series(generated, sound, tools, progress).items()}
    pairs = paired_pictures(reference, generated, alignment)
    series |= compare_pictures(reference, theirs, progress(pairs, f"comparing {generated.path.name}"), tools)
    series |= compare_faces(reference, generated, alignment)
    if (seam := reference.seam_course) is not None:
        series["real_seam"] = seam[theirs]
    return series


def compare_pictures(
    reference: Track, frames: slice, pairs: Iterable[tuple[np.ndarray, np.ndarray]], tools: Tools
) -> Series:
    """Squared errors and similarities of the frame, the head and the mouth, as the reference has them; and how much
    each video changes from frame to frame, outside the mouth."""
    found: dict[str, list[np.ndarray | float]] = {}
    before: tuple[np.ndarray, np.ndarray] | None = None
    for frame, (real, made) in enumerate(pairs, frames.start):
        regions = {"frame": np.ones(real.shape[:2], bool), "mouth": np.zeros(real.shape[:2], bool)}
        left, top, right, bottom = metrics.mouth_box(reference.points[frame], reference.size)
        regions["mouth"][top:bottom, left:right] = True
        if reference.masks is not None:
            regions["head"] = reference.head(frame)
        similarities = metrics.structural_similarity(real, made, list(regions.values()))
        for (name, region), similar in zip(regions.items(), similarities, strict=True):
            error = metrics.squared_error(real, made, None if region.all() else region) if region.any() else np.nan
            found.setdefault(f"error_{name}", []).append(error)
            found.setdefault(f"ssim_{name}", []).append(similar.ssim)
            found.setdefault(f"ms_ssim_{name}", []).append(similar.ms_ssim)
        for index, (name, picture) in enumerate((("real_change", real), ("change", made))):
            change = metrics.frame_change(before[index], picture, ~regions["mouth"]) if before else np.nan
            found.setdefault(name, []).append(change)
        before = real, made
        for name, value in by_networks(real, made, tools, frame % STRIDE == 0).items():
            found.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in found.items()}


def by_networks(real: np.ndarray, made: np.ndarray, tools: Tools, looked: bool) -> dict[str, np.ndarray | float]:
    """What LPIPS and FID need of two pictures, as far as their weights are here; NaN if they are not `looked` at."""
    found: dict[str, np.ndarray | float] = {}
    if tools.lpips is not None:
        found["lpips"] = tools.lpips.distance(real, made) if looked else np.nan
    if tools.inception is not None:
        for name, picture in (("real_inception", real), ("inception", made)):
            found[name] = tools.inception.features(picture) if looked else np.full(FEATURES, np.nan, np.float32)
    return found


def compare_faces(reference: Track, generated: Track, alignment: Alignment) -> Series:
    """Distances of the landmarks and the two mouth openings; NaN where one of the faces was not found."""
    theirs, ours = alignment.reference, alignment.generated
    lost = ~(reference.valid[theirs] & generated.valid[ours])
    distances = [
        metrics.landmark_distance(a, b)
        for a, b in zip(reference.landmarks[theirs], generated.landmarks[ours], strict=True)
    ]
    lips, face = np.array(distances).T
    real, made = reference.opening[theirs], generated.opening[ours]
    lag = np.nan if metrics.is_frozen(real, made) else metrics.best_lag(real, made)
    near = metrics.best_lag(real, made, CURVE_LAG)
    series = {
        "lips": lips,
        "face": face,
        "real_opening": real,
        "own_opening": made,
        "near_opening": shifted(made, near),
    }
    if reference.lm3d is not None and generated.lm3d is not None:
        errors = zip(reference.lm3d[theirs], generated.lm3d[ours], strict=True)
        series["lm3d_error"] = np.array([metrics.lm3d_error(a, b) for a, b in errors])
    for values in series.values():
        values[lost] = np.nan
    eyes = metrics.interocular_distance(reference.landmarks[theirs])
    return series | {"eyes": eyes, "lag": np.full(alignment.frames, lag, float)}


def shifted(curve: np.ndarray, lag: int) -> np.ndarray:
    """[T] the curve `lag` frames earlier; NaN where it has ended or not begun."""
    moved = np.full(len(curve), np.nan)
    kept = range(max(0, -lag), len(curve) - max(0, lag))
    moved[kept.start : kept.stop] = curve[kept.start + lag : kept.stop + lag]
    return moved
