"""One talking video -> clips of a corpus: tracked, cut in pieces, and only those of good quality."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from geneface import metrics
from geneface.bundles.component import write_tensors
from geneface.corpora.fit_corpus import Fitted, Track, fit_track
from geneface.datasets.in_step import OFFSETS, Judge, agreement_curve, best_offset
from geneface.errors import InputError
from geneface.face.crop import SIZE, cut_out
from geneface.face.face_model import FaceModel
from geneface.face.landmarks import FaceDetector, LandmarkDetector, nearest_valid
from geneface.media.audio import load_audio, open_audio
from geneface.media.resample import SteadyVideo, sound_start, write_sound
from geneface.preprocessing.scan import scan_video
from geneface.utils.units import FPS


@dataclass(frozen=True)
class Filter:
    """What a clip must be like: the paper takes "samples of good quality" of its corpus; the numbers are ours."""

    face: int = 60
    """Pixels from the brows to the chin, in the source."""
    yaw: float = 40.0
    """Degrees to the side that nine of ten frames stay under."""
    offset: int = 2
    """Frames by which sound and picture may be apart; the sound is then moved."""
    agreement: float = 0.08
    """By how much r of the mouth opening with what the sound lets expect is larger there than far from there."""
    piece: float = 20.0
    """Seconds of a clip at most."""

    MIN_SECONDS = 3.0
    MIN_VALID = 0.9
    MAX_REPROJECTION = 4.0
    """Per cent of the face's height."""


@dataclass
class Tools:
    """What reads faces and judges them; tests give their own."""

    detector: Callable[[], FaceDetector]
    fit: Callable[[Track], Fitted]
    agreement: Callable[[torch.Tensor, np.ndarray], np.ndarray]
    """LM3D [T, 68, 3] and samples -> how well they agree at each of `OFFSETS`."""


class Piece(NamedTuple):
    """A tracked part of a video that passed."""

    first: int
    """Frame of the video at 25 frames/s."""
    lm3d: torch.Tensor


class Found(NamedTuple):
    """What a video gave."""

    names: list[str]
    seconds: list[float]
    left_out: list[str]
    """A sentence for each piece that did not pass, or for the whole."""
    moved: int = 0
    """Frames by which the picture was early: the sound was moved to fit the lips."""


def standard_tools(landmarker: Path, face_model: Path, generic: Path) -> Tools:
    """MediaPipe, the face model's fit, and the judge of lips and sound that ships."""
    face = FaceModel.load(face_model)
    judge = Judge(generic)
    mean_landmarks = face.mean_landmarks.numpy()

    def agreement(lm3d: torch.Tensor, samples: np.ndarray) -> np.ndarray:
        return agreement_curve(metrics.lm3d_opening(lm3d.numpy(), mean_landmarks), judge.expects(samples))

    return Tools(lambda: LandmarkDetector(landmarker), lambda track: fit_track(track, face), agreement)


def take_video(video: Path, folder: Path, name: str, wanted: Filter, tools: Tools) -> Found:
    """Write the clips NAME-000 ... of a video to `folder`; `InputError` says why the whole of it cannot be used."""
    pieces, left_out = _track(video, wanted, tools)
    if not pieces:
        return Found([], [], left_out)
    begin = _sound_begin(video)
    names, seconds, curves = [], [], []
    with open_audio(video) as sound:
        for number, piece in enumerate(pieces):
            clip = f"{name}-{number:03d}"
            path = folder / "audio" / f"{clip}.flac"
            write_sound(sound, path, begin + piece.first / FPS, len(piece.lm3d))
            write_tensors(folder / "tracks" / f"{clip}.safetensors", {"lm3d": piece.lm3d.half()})
            curves.append((tools.agreement(piece.lm3d, load_audio(path)), len(piece.lm3d)))
            names.append(clip)
            seconds.append(len(piece.lm3d) / FPS)
    # The whole video at once: a few seconds alone say too little.
    curve = np.average([curve for curve, _ in curves], axis=0, weights=[frames for _, frames in curves])
    if reason := out_of_sync(curve, wanted):
        for clip in names:
            (folder / "audio" / f"{clip}.flac").unlink()
            (folder / "tracks" / f"{clip}.safetensors").unlink()
        return Found([], [], [*left_out, reason])
    if offset := best_offset(curve).offset:
        with open_audio(video) as sound:
            for clip, piece in zip(names, pieces, strict=True):
                start = begin + (piece.first + offset) / FPS
                write_sound(sound, folder / "audio" / f"{clip}.flac", start, len(piece.lm3d))
    return Found(names, seconds, left_out, offset)


def out_of_sync(curve: np.ndarray, wanted: Filter) -> str:
    """Why what was found at `OFFSETS` does not show sound and lips together; "" if they do."""
    found = best_offset(curve)
    if found.margin < wanted.agreement or abs(found.offset) == max(OFFSETS):
        return "the lips do not follow the sound (another voice, or music)"
    if abs(found.offset) > wanted.offset:
        return f"sound and picture are {abs(found.offset)} frames apart"
    return ""


def _sound_begin(video: Path) -> float:
    with SteadyVideo(video) as pictures:
        return pictures.start - sound_start(video)


def _track(video: Path, wanted: Filter, tools: Tools) -> tuple[list[Piece], list[str]]:
    """The pieces of the video's longest shot that pass, and sentences on the others."""
    sound_start(video)  # A video without sound is refused before any work.
    with SteadyVideo(video) as pictures, tools.detector() as detector:
        scan = scan_video(pictures, detector)
    if scan.face_pixels < wanted.face:
        raise InputError(f"{video}: the face is {scan.face_pixels:.0f} pixels high, {wanted.face} are asked for")
    pieces, left_out = [], []
    if scan.frames < scan.total:
        left_out.append(f"{(scan.total - scan.frames) / FPS:.1f} s: other shots than the longest")
    with SteadyVideo(video) as pictures, tools.detector() as detector:
        crops = (
            cut_out(pictures.picture(moment), scan.crop)
            for moment in pictures
            if scan.first <= moment.index < scan.first + scan.frames
        )
        first = scan.first
        for track in _tracks(crops, detector, round(wanted.piece * FPS)):
            frames = len(track.valid)
            if frames >= Filter.MIN_SECONDS * FPS:
                fitted, reason = _judge(track, wanted, tools)
                if fitted is None:
                    left_out.append(f"{first / FPS:.1f} to {(first + frames) / FPS:.1f} s: {reason}")
                else:
                    pieces.append(Piece(first, fitted.lm3d))
            first += frames
    return pieces, left_out


def _tracks(pictures: Iterator[np.ndarray], detector: FaceDetector, frames: int) -> Iterator[Track]:
    """Tracks of at most so many pictures."""
    faces = []
    for picture in pictures:
        faces.append(detector.follow(picture))
        if len(faces) == frames:
            yield _as_track(faces)
            faces = []
    if faces:
        yield _as_track(faces)


def _as_track(faces: list) -> Track:
    valid = np.array([face is not None for face in faces])
    if not valid.any():
        none = np.zeros((len(faces), 0), np.float32)
        return Track(none, none, valid, SIZE, SIZE)
    found = [faces[index] for index in nearest_valid(valid)]
    return Track(
        np.stack([face.points for face in found]), np.stack([face.blendshapes for face in found]), valid, SIZE, SIZE
    )


def _judge(track: Track, wanted: Filter, tools: Tools) -> tuple[Fitted | None, str]:
    """The fit of a piece, or None and why it is not taken."""
    if (seen := track.valid.mean()) < Filter.MIN_VALID:
        return None, f"the face is seen in only {seen:.0%} of the frames"
    fitted = tools.fit(track)
    if (yaw := float(np.percentile(np.abs(fitted.yaw), 90))) > wanted.yaw:
        return None, f"the head is turned {yaw:.0f} degrees to the side"
    if fitted.reprojection > Filter.MAX_REPROJECTION:
        return None, f"the tracked face is off by {fitted.reprojection:.1f}% of its height"
    return fitted, ""
