"""The steps of `preprocessing.preprocess`: each makes one file of a person dataset of the video and earlier files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from geneface import metrics
from geneface.bundles.component import read_tensors, write_tensors
from geneface.datasets.in_step import Judge, agreement_curve, best_offset
from geneface.datasets.person import split_range
from geneface.datasets.rows import RowWriter, map_rows
from geneface.errors import InputError
from geneface.face.alignment import sharpen_poses
from geneface.face.correspondence import find_correspondence
from geneface.face.crop import SIZE, cut_out
from geneface.face.eyes import eye_closure
from geneface.face.face_model import FaceModel
from geneface.face.fit_problem import SurfacePoints
from geneface.face.landmarks import (
    FaceAlignmentDetector,
    FaceDetector,
    LandmarkDetector,
    expression_from_blendshapes,
    nearest_valid,
)
from geneface.face.parsing import MASK_SIZE, FaceParser
from geneface.face.parts import Course, Tensors, join, ranges
from geneface.face.solid import head_volume
from geneface.face.tracking import Observation, Track, track_face
from geneface.hub import assets
from geneface.hub.persons import PERSONS_DIR
from geneface.media.audio import load_audio, open_audio
from geneface.media.image import write_image
from geneface.media.resample import SteadyVideo, sound_start, write_sound
from geneface.media.segments import write_in_segments
from geneface.media.video import VideoReader
from geneface.models.features import FeatureStage, FeatureState
from geneface.preprocessing import report
from geneface.preprocessing.background import MOST_PICTURES, clean_plate
from geneface.preprocessing.following import Remembering, follow_face
from geneface.preprocessing.parts import Parts
from geneface.preprocessing.progress import StepProgress
from geneface.preprocessing.scan import Scan, scan_video
from geneface.preprocessing.torso import torso_flow
from geneface.streaming.audio import blocks
from geneface.utils.files import read_json, write_json
from geneface.utils.units import FPS

DETECTORS: dict[str, type[LandmarkDetector | FaceAlignmentDetector]] = {
    "mediapipe": LandmarkDetector,
    "face-alignment": FaceAlignmentDetector,
}
EXTRACTOR = PERSONS_DIR / "generic" / "feature_extractor"
QUALITY = 12
"""x264's crf: not to be told from the original."""
COPIED = "h264 yuv420p"
PARTS = "parts"
"""Folder of what is kept of the step that is not done."""
MASKS_PART, SOUND_PART = 50, 150
"""Frames that are parsed, or listened to, at once."""
EXTRA_POINTS = 2
"""Every second of MediaPipe's points beyond the 68 takes part in the fit; the others tell how good it is."""


@dataclass(frozen=True)
class Settings:
    """What a dataset depends on, beside the video."""

    landmarks: str = "mediapipe"
    """One of `DETECTORS`."""
    face_model: str = ""
    """A converted face model; ICT-FaceKit's if empty."""


@dataclass
class Job:
    """Where a dataset is being made, and of what."""

    video: Path
    work: Path
    settings: Settings
    assets_folder: Path | None
    progress: StepProgress

    def asset(self, asset: assets.Asset) -> Path:
        return assets.get_asset(asset, self.assets_folder)

    def detector(self) -> FaceDetector:
        if self.settings.landmarks == "face-alignment":
            return FaceAlignmentDetector()
        return LandmarkDetector(self.asset(assets.FACE_LANDMARKER))

    def face(self) -> FaceModel:
        return FaceModel.load(self.settings.face_model or self.asset(assets.FACE_MODEL))

    def frames(self) -> Iterator[np.ndarray]:
        """The dataset's pictures."""
        with VideoReader(self.work / "frames.mp4") as reader:
            yield from reader

    def parts(self, step: str) -> Parts:
        """What is kept of a step that is not done."""
        return Parts(self.work / PARTS / step)

    def opening(self) -> np.ndarray:
        """Mouth opening [T] over the distance of the eyes, by the 68 points."""
        order = DETECTORS[self.settings.landmarks].order_68
        valid = read_tensors(self.work / "landmarks.safetensors", "run")["valid"].numpy()
        points = map_rows(self.work / "points")[:, order, :2][nearest_valid(valid)]
        return metrics.lm3d_opening(points, np.zeros(2)) / metrics.interocular_distance(points)

    def scan(self) -> Scan:
        return Scan.from_json(read_json(self.work / "scan.json", "run"))


def _scan(job: Job, path: Path) -> None:
    sound_start(job.video)
    # What is missing is fetched before any work is done.
    job.face()
    job.asset(assets.FACE_PARSER)
    with SteadyVideo(job.video) as video, job.detector() as detector:
        write_json(path, scan_video(video, Remembering(detector, job.parts("scan"))).to_json())


def _frames(job: Job, path: Path) -> None:
    scan = job.scan()
    with SteadyVideo(job.video) as video:
        if scan.as_it_is and video.codec == COPIED and _copied(video, path, scan.frames):
            return
        moments = islice(job.progress.each(video, "cropping", scan.first + scan.frames), scan.first, None)
        pictures = (partial(lambda moment: cut_out(video.picture(moment), scan.crop), moment) for moment in moments)
        write_in_segments(path, pictures, scan.frames, job.work / PARTS / "frames", crf=QUALITY)


def _copied(video: SteadyVideo, path: Path, frames: int) -> bool:
    """Whether the video's own stream could be put into an mp4 with all of its frames."""
    import av

    try:
        video.copy_stream(path)
        with VideoReader(path) as reader:
            return sum(1 for _ in reader) == frames
    except (av.FFmpegError, ValueError):
        return False


def _audio(job: Job, path: Path) -> None:
    scan = job.scan()
    with SteadyVideo(job.video) as video, open_audio(job.video) as sound:
        begin = video.start - sound_start(job.video) + scan.first / FPS
        notes = sound.notes
        write_sound(sound, path, begin, scan.frames)
    judge = Judge(EXTRACTOR.parent)
    found = best_offset(agreement_curve(job.opening(), judge.expects(load_audio(path))))
    moved = found.offset if found.is_sure else 0
    if moved:
        notes = [*notes, f"{found.said}: the sound was moved"]
        with open_audio(job.video) as sound:
            write_sound(sound, path, begin + moved / FPS, scan.frames)
    write_json(job.work / "sound.json", {"notes": notes, "said": found.said, "moved": moved, **found.to_json()})


def _landmarks(job: Job, path: Path) -> None:
    """Points into a file of rows beside `path`, which gets the rest."""
    frames, parts = job.scan().frames, []
    with job.detector() as detector, RowWriter(job.work / "points", "points", (detector.points, 3), "F32") as points:
        pictures = job.progress.each(job.frames(), "landmarks", frames)
        for part in follow_face(detector, pictures, frames, job.parts("landmarks")):
            points.add(part.pop("points").numpy())
            parts.append(part)
    found = join(parts)
    if not found["valid"].any():
        raise InputError(f"no face was found in the square cut out of {job.video}; give another video")
    rows = nearest_valid(found["valid"].numpy())
    write_tensors(path, {"blendshapes": found["scores"][rows], "valid": found["valid"]})


def _masks(job: Job, path: Path) -> None:
    parser, frames, keep = FaceParser(job.asset(assets.FACE_PARSER)), job.scan().frames, job.parts("masks")
    course = Course(job.progress.each(job.frames(), "parsing", frames), overlap=2)

    def parse(part: range) -> Tensors:
        # A mask depends on the pictures before and after its own, too.
        first = max(part.start - 1, 0)
        found = list(parser.masks(course.part(first, part.stop + 1)))[part.start - first :][: len(part)]
        return {"masks": torch.from_numpy(np.stack(found))}

    with RowWriter(path, "masks", (MASK_SIZE, MASK_SIZE), "U8") as masks:
        for part in ranges(frames, MASKS_PART):
            masks.add(keep(f"masks-{part.start}", partial(parse, part))["masks"].numpy())


def _tracks(job: Job, path: Path) -> None:
    face = job.face()
    points, seen = map_rows(job.work / "points"), read_tensors(job.work / "landmarks.safetensors", "run")
    valid = seen["valid"].numpy()
    rows = nearest_valid(valid)
    if job.settings.landmarks == "mediapipe":
        extra = find_correspondence(job.asset(assets.FACE_LANDMARKER), face)
        order = LandmarkDetector.order_68
        columns = np.concatenate([order, extra.points[::EXTRA_POINTS]])
        surface = SurfacePoints.of(face, extra.vertices[::EXTRA_POINTS], extra.places[::EXTRA_POINTS])
        start = expression_from_blendshapes(seen["blendshapes"].numpy(), face.expression_names)
    else:
        order = columns = FaceAlignmentDetector.order_68
        surface = SurfacePoints.of(face)
        start = np.zeros((len(valid), len(face.expression_names)), np.float32)
    observation = Observation(surface, points, rows, columns, start, valid)
    landmarks, train = points[:, order, :2][rows], split_range(len(valid), "train")
    masks, keep = map_rows(job.work / "masks.safetensors"), job.parts("tracks")

    def sharpen(track: Track) -> torch.Tensor:
        neutral = face.mesh(track.identity, torch.zeros(1, len(face.expression_names)))[0]
        return sharpen_poses(job.frames, masks, landmarks, neutral, track.pose, track.intrinsics, train, keep)

    track = track_face(observation, len(face.identity_basis), SIZE, train, sharpen=sharpen, keep=keep)
    error = np.linalg.norm(landmarks - track.projected[:, :68].numpy(), axis=-1)
    write_tensors(
        path,
        {
            "lm3d": face.lm3d(track.expression, track.identity),
            "landmarks_2d": torch.from_numpy(landmarks),
            "pose": track.pose,
            "intrinsics": track.intrinsics,
            "expression": track.expression,
            "identity": track.identity,
            "blink": torch.from_numpy(eye_closure(landmarks, train)),
            "mean_landmarks": face.mean_landmarks,
            "solid": head_volume(face, track.identity, track.expression[: train.stop].mean(0)),
            "fit_error": torch.from_numpy(error[:, 17:].mean(1)),
            **torso_flow(job.frames, masks, train.stop // 2, keep),
        },
    )


def _background(job: Job, path: Path) -> None:
    masks = map_rows(job.work / "masks.safetensors")
    train = split_range(len(masks), "train")
    chosen = np.linspace(0, train.stop - 1, min(MOST_PICTURES, train.stop)).astype(int)
    wanted = set(chosen.tolist())
    pictures = (picture for index, picture in enumerate(job.frames()) if index in wanted)
    plate = clean_plate(pictures, masks[chosen])
    write_image(path, plate.picture)
    write_json(job.work / "background.json", {"seen": plate.seen, "unrest": plate.unrest})


def _features(job: Job, path: Path) -> None:
    from geneface.bundles.loading import trained_component

    extractor, keep = trained_component(EXTRACTOR), job.parts("features")
    stage = FeatureStage(extractor)

    def hear(block: np.ndarray | None) -> Tensors:
        found = stage.flush() if block is None else stage.push(block)
        state = stage.state
        return {
            "features": torch.zeros(0, extractor.feature_size) if found is None else found,
            "samples": torch.from_numpy(state.samples),
            "place": torch.tensor([state.first, state.done]),
        }

    with (
        open_audio(job.work / "audio.flac") as sound,
        RowWriter(path, "features", (extractor.feature_size,), "F16") as features,
    ):
        for number, block in enumerate(chain(blocks(sound, SOUND_PART), [None])):
            part = keep(f"features-{number}", partial(hear, block))
            stage.state = FeatureState(part["samples"].numpy(), *part["place"].tolist())
            features.add(part["features"].numpy())


def _sheet(job: Job, path: Path) -> None:
    face = job.face()
    write_json(job.work / "report.json", report.write_sheet(job.video, job.work, job.scan(), face, path))


class Step(NamedTuple):
    """A part of preprocessing: the file that it makes, how, and what that is called."""

    file: str
    make: Callable[[Job, Path], None]
    title: str


STEPS = (
    Step("scan.json", _scan, "looking through the video"),
    Step("frames.mp4", _frames, "cutting out the face"),
    Step("landmarks.safetensors", _landmarks, "following the face"),
    Step("audio.flac", _audio, "taking the sound, in step with the lips"),
    Step("masks.safetensors", _masks, "telling head, shoulders and background apart"),
    Step("tracks.safetensors", _tracks, "fitting the face model"),
    Step("background.png", _background, "clearing the background"),
    Step("features.safetensors", _features, "listening to the voice"),
    Step("contact_sheet.png", _sheet, "drawing the overview"),
)
