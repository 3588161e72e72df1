"""Tracked faces with audio -> a `Corpus` with LM3D: `python -m geneface.corpora.fit_corpus SOURCE FACE_MODEL TARGET`.

SOURCE/
    manifest.csv         name, source, language, speaker, seconds, split
    audio/NAME.flac      16 kHz
    offsets.csv          name, offset_frames: where sound and picture are apart; may be missing
    tracks/NAME.npz      landmark_steps [T, 478, 3] and landmark_scale: MediaPipe's points in square pixels, as
                         the scaled running sum of their steps; blendshapes [T, 52]; valid [T]; width; height
"""

import argparse
import csv
import logging
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from geneface import metrics
from geneface.datasets.corpus import Clip, write_clips
from geneface.errors import InputError, run_script
from geneface.face.face_model import FaceModel
from geneface.face.fitting import default_intrinsics, fit_face
from geneface.face.landmarks import MEDIAPIPE_68, expression_from_blendshapes
from geneface.utils.files import atomic_folder

logger = logging.getLogger(__name__)

MIN_VALID = 0.9


class Track(NamedTuple):
    """MediaPipe's view of one clip."""

    points: np.ndarray
    """[T, 478, 3] square pixels"""
    blendshapes: np.ndarray
    """[T, 52]"""
    valid: np.ndarray
    """[T] bool"""
    width: float
    height: float


def read_track(path: Path) -> Track:
    try:
        with np.load(path, allow_pickle=False) as file:
            points = np.cumsum(file["landmark_steps"], axis=0, dtype=np.int32) * float(file["landmark_scale"])
            return Track(
                points.astype(np.float32),
                file["blendshapes"].astype(np.float32),
                file["valid"],
                float(file["width"]),
                float(file["height"]),
            )
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a face track ({error}); leave its clip out of the manifest") from None


class Fitted(NamedTuple):
    lm3d: torch.Tensor
    """[T, 68, 3] of the mean identity, cm"""
    opening_r: float
    """Pearson's r of the mouth opening in LM3D and in MediaPipe's points."""
    reprojection: float
    """Mean distance in per cent of the face's height; without the jaw line."""
    yaw: np.ndarray
    """[T] degrees by which the head is turned to the side"""


def fit_track(track: Track, face: FaceModel) -> Fitted:
    points = track.points[:, MEDIAPIPE_68, :2]
    start = expression_from_blendshapes(track.blendshapes, face.expression_names)
    fit = fit_face(face, points, default_intrinsics(track.width, track.height), start)
    lm3d = face.lm3d(fit.expression)
    height = np.linalg.norm(track.points[:, 10, :2] - track.points[:, 152, :2], axis=-1).mean()
    return Fitted(
        lm3d,
        metrics.pearson(
            metrics.mediapipe_opening(track.points), metrics.lm3d_opening(lm3d.numpy(), face.mean_landmarks.numpy())
        ),
        100 * metrics.reprojection_error(points[:, 17:], fit.projected[:, 17:].numpy()) / float(height),
        yaw_angles(fit.pose.numpy()),
    )


def yaw_angles(pose: np.ndarray) -> np.ndarray:
    """[T] degrees between the nose and the camera's axis, seen from above, of head -> camera [T, 3, 4]."""
    return np.degrees(np.arctan2(pose[:, 0, 2], -pose[:, 2, 2]))


def read_offsets(path: Path) -> dict[str, int]:
    """Frames by which each clip's picture is early; nothing where the file is missing or says nothing of a clip."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["name"], row["offset_frames"]) for row in csv.DictReader(file)]
    return {name: round(float(offset)) for name, offset in rows if offset and offset != "nan"}


def fit_corpus(source: Path, face: FaceModel, target: Path) -> None:
    """Fit every clip of `source` and write the corpus `target`; clips whose face is often lost are left out."""
    with (source / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    offsets = read_offsets(source / "offsets.csv")
    clips: list[Clip] = []
    fits: list[Fitted] = []
    with atomic_folder(target) as folder:
        (folder / "audio").mkdir()
        (folder / "tracks").mkdir()
        for row in tqdm(rows, desc="fitting", unit="clip"):
            name = row["name"]
            track = read_track(source / "tracks" / f"{name}.npz")
            if track.valid.mean() < MIN_VALID:
                continue
            fit = fit_track(track, face)
            fits.append(fit)
            shutil.copyfile(source / "audio" / f"{name}.flac", folder / "audio" / f"{name}.flac")
            save_file({"lm3d": fit.lm3d.half().contiguous()}, folder / "tracks" / f"{name}.safetensors")
            clips.append(
                Clip(
                    name=name,
                    audio=f"audio/{name}.flac",
                    seconds=float(row["seconds"]),
                    speaker=row["speaker"],
                    language=row["language"],
                    source=row["source"],
                    split=row["split"],
                    lm3d=f"tracks/{name}.safetensors",
                    offset=offsets.get(name, 0),
                )
            )
        write_clips(folder, clips)
    r, error = np.array([fit.opening_r for fit in fits]), np.array([fit.reprojection for fit in fits])
    logger.info(
        f"{len(clips)} of {len(rows)} clips; mouth opening r {r.mean():.3f} (lowest {r.min():.3f}); "
        f"reprojection {error.mean():.2f}% of the face's height (highest {error.max():.2f}%); "
        f"{sum(clip.offset != 0 for clip in clips)} moved by up to {max(abs(clip.offset) for clip in clips)} frames, "
        "sound against picture"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("face_model", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    fit_corpus(arguments.source, FaceModel.load(arguments.face_model), arguments.target)


if __name__ == "__main__":
    run_script(main)
