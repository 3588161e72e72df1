"""All that is found out about one video on its own: face, head, mask, motion, sound."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from geneface import metrics
from geneface.errors import InputError
from geneface.evaluation.tools import Tools
from geneface.face.eyes import eye_closure
from geneface.face.landmarks import (
    MEDIAPIPE_68,
    MEDIAPIPE_BLENDSHAPES,
    expression_from_blendshapes,
    nearest_valid,
)
from geneface.face.parsing import HEAD, MASK_SIZE, TORSO, to_mask
from geneface.media.audio import open_audio
from geneface.media.resample import SteadyVideo, sound_start
from geneface.media.video import probe
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

SIDE = 512
"""Pixels of the longer side of what is compared."""
STRIDE = 5
"""Every how many frames a picture is parsed; its mask serves the frames around."""
REACH = 15
"""Frames by which the sync-expert and SyncNet shift the voice."""

T = TypeVar("T")


class Progress(Protocol):
    """Is told by name what a step goes through: gives the same items."""

    def __call__(self, items: Iterable[T], name: str, /) -> Iterable[T]: ...


@dataclass(frozen=True)
class Track:
    """One video at 25 frames/s; what a missing tool would have found is None."""

    path: Path
    size: tuple[int, int]
    """Width and height that its pictures are compared at."""
    source: str
    """Its own size and rate, in words; empty if they are those that are compared."""
    points: np.ndarray
    """[T, 478, 3] pixels; a frame without a face has those of the last one with a face"""
    valid: np.ndarray
    """[T] bool"""
    masks: np.ndarray | None
    """uint8 [ceil(T / STRIDE), 128, 128], 1 head, 2 torso, of the square of `SIDE` pixels at the upper left"""
    seam: np.ndarray | None
    """[ceil(T / STRIDE)] of each mask"""
    lm3d: np.ndarray | None
    """[T, 68, 3] cm, of the mean identity"""
    pose: np.ndarray | None
    """[T, 3, 4]"""
    sound: np.ndarray | None
    """[640 T] float32 at 16 kHz from the first picture on; None if there is none"""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def landmarks(self) -> np.ndarray:
        """[T, 68, 2]"""
        return self.points[:, MEDIAPIPE_68, :2]

    @property
    def opening(self) -> np.ndarray:
        """[T]"""
        return metrics.mediapipe_opening(self.points)

    @property
    def seam_course(self) -> np.ndarray | None:
        """[T], NaN in frames that were not parsed"""
        if self.seam is None:
            return None
        course = np.full(len(self), np.nan)
        course[::STRIDE] = self.seam
        return course

    def head(self, frame: int) -> np.ndarray:
        """bool [H, W]: the head in the mask nearest to a frame."""
        assert self.masks is not None
        nearest = min(round(frame / STRIDE), len(self.masks) - 1)
        return enlarge(self.masks[nearest] == HEAD, self.size)


def enlarge(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[128, 128] -> [H, W] for the upper left `size` = (width, height) of the square that was parsed."""
    times = SIDE // MASK_SIZE
    return mask.repeat(times, 0).repeat(times, 1)[: size[1], : size[0]]


def compared_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) with a longer side of 512 pixels."""
    scale = SIDE / max(width, height)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def pictures(video: SteadyVideo) -> Iterator[np.ndarray]:
    """uint8 RGB [H, W, 3] at `compared_size`, 25 a second."""
    from PIL import Image

    size = compared_size(video.width, video.height)
    for moment in video:
        picture = video.picture(moment)
        if picture.shape[1::-1] != size:
            picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        yield picture


def track_video(path: Path, tools: Tools, progress: Progress = lambda items, name: items) -> Track:
    """Look through a video once; `InputError` if it cannot be read or shows no face."""
    points, scores, valid, masks, seam = [], [], [], [], []
    nothing = np.zeros(len(MEDIAPIPE_BLENDSHAPES), np.float32)
    with SteadyVideo(path) as video, tools.detector() as detector:
        size = compared_size(video.width, video.height)
        if min(size) < metrics.LEAST_SIDE:
            raise InputError(f"{path} is {video.width}x{video.height}, too narrow to be compared; crop it to the head")
        for index, picture in enumerate(progress(pictures(video), path.name)):
            face = detector.follow(picture)
            valid.append(face is not None)
            points.append(face.points if face else np.zeros((detector.points, 3), np.float32))
            scores.append(face.blendshapes if face and face.blendshapes is not None else nothing)
            if tools.parser is not None and index % STRIDE == 0:
                square = np.zeros((SIDE, SIDE, 3), np.uint8)
                square[: size[1], : size[0]] = picture
                mask = to_mask(tools.parser.shares(square))
                masks.append(mask)
                head, torso = enlarge(mask == HEAD, size), enlarge(mask == TORSO, size)
                seam.append(metrics.seam_energy(picture, head, torso))
        start = video.start
        source = describe(path, video)
    seen = np.array(valid)
    if not seen.any():
        raise InputError(f"no face was found in {path}; give a video of one person who faces the camera")
    rows = nearest_valid(seen)
    place = np.stack(points)[rows]
    lm3d, pose = fit(place, np.stack(scores)[rows], seen, size, tools) if tools.face else (None, None)
    return Track(
        path,
        size,
        source,
        place,
        seen,
        np.stack(masks) if masks else None,
        np.array(seam) if seam else None,
        lm3d,
        pose,
        read_sound(path, start, len(seen)),
    )


def describe(path: Path, video: SteadyVideo) -> str:
    """A video's own size and rate where they are not those that are compared."""
    parts = []
    if (video.width, video.height) != compared_size(video.width, video.height):
        parts.append(f"{video.width}x{video.height} pixels")
    if abs((rate := probe(path).fps) - 25) > 0.01:
        parts.append(f"{rate:.4g} frames/s")
    return " at ".join(parts)


def fit(
    points: np.ndarray, scores: np.ndarray, valid: np.ndarray, size: tuple[int, int], tools: Tools
) -> tuple[np.ndarray, np.ndarray]:
    """LM3D [T, 68, 3] and head poses [T, 3, 4] of the face model that fits the 68 points (`face.tracking`)."""
    from geneface.face.fit_problem import SurfacePoints
    from geneface.face.tracking import Observation, track_face

    assert tools.face is not None
    face, side = tools.face, max(size)
    middle = (np.array([side, side]) - size) / 2
    start = expression_from_blendshapes(scores, face.expression_names)
    rows = np.arange(len(points))
    seen = Observation(SurfacePoints.of(face), points[..., :2] + middle, rows, MEDIAPIPE_68, start, valid)
    track = track_face(seen, len(face.identity_basis), side, range(len(points)))
    return face.lm3d(track.expression).numpy(), track.pose.numpy()


def read_sound(path: Path, start: float, frames: int) -> np.ndarray | None:
    """[640 frames] float32 from `start`, the first picture's time, on; None for a silent film."""
    if not probe(path).audio_codec:
        return None
    with open_audio(path) as source:
        first = round((start - sound_start(path)) * SAMPLING_RATE)
        samples = source.read(first, first + frames * SAMPLES_PER_FRAME)
    return samples if np.abs(samples).max() > 1e-4 else None


def own_series(
    track: Track, sound: np.ndarray | None, tools: Tools, progress: Progress = lambda items, name: items
) -> dict[str, np.ndarray]:
    """Figures of each frame that need no other video, [T] or [T, n]; NaN in frames that have none."""
    frames = len(track)
    series: dict[str, np.ndarray] = {
        "opening": track.opening,
        "blink": metrics.blink_onsets(eye_closure(track.landmarks, range(frames))).astype(float),
    }
    if (seam := track.seam_course) is not None:
        series["seam"] = seam
    if track.lm3d is not None and track.pose is not None:
        series["turn"] = metrics.head_turn(track.pose[:, :, :3])
        bends = [metrics.jitter(track.lm3d[middle - 1 : middle + 2]) for middle in range(1, frames - 1)]
        series["jitter"] = np.array([np.nan, *bends, np.nan])
        if sound is not None and tools.expert is not None and tools.extractor is not None:
            series["sync"] = sync_series(track.lm3d, sound, tools)
    if sound is not None and tools.syncnet is not None:
        with SteadyVideo(track.path) as video:
            seen = progress(pictures(video), f"SyncNet on {track.path.name}")
            series["syncnet"] = -tools.syncnet.distances(seen, track.points, sound, REACH)
    return series


def sync_series(lm3d: np.ndarray, sound: np.ndarray, tools: Tools) -> np.ndarray:
    """Our sync-expert's similarity [T, 2 REACH + 1] of each frame with the voice -REACH .. REACH frames before it."""
    import torch

    assert tools.expert is not None and tools.extractor is not None
    expert, window = tools.expert, tools.expert.window
    with open_audio(sound, SAMPLING_RATE) as source:
        features = tools.extractor.extract(source)
    with torch.no_grad():
        points = expert.embed_landmarks(torch.from_numpy(lm3d).float().unfold(0, window, 1).movedim(-1, 1))
        voice = expert.embed_audio(features.unfold(0, 2 * window, 2).movedim(-1, 1))
    points, voice = (torch.nn.functional.normalize(embedded, dim=-1) for embedded in (points, voice))
    series = np.full((len(lm3d), 2 * REACH + 1), np.nan)
    for late in range(-REACH, REACH + 1):
        first, last = max(0, late), min(len(points), len(voice) + late)
        cosine = (points[first:last] * voice[first - late : last - late]).sum(-1).clamp(0, 1)
        series[first + window // 2 : last + window // 2, late + REACH] = cosine.numpy()
    return series
