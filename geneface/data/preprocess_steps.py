"""The steps of `data.preprocess`: each makes one file of a person dataset from the video and the files before it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from geneface import assets, metrics
from geneface.bundle import read_tensors, write_tensors
from geneface.data import report
from geneface.data.background import MOST_PICTURES, clean_plate
from geneface.data.in_step import Judge, agreement_curve, best_offset
from geneface.data.person import split_range
from geneface.data.rows import RowWriter, map_rows
from geneface.data.scan import Scan, scan_video
from geneface.data.torso import torso_flow
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
from geneface.face.tracking import Observation, Track, track_face
from geneface.files import read_json, write_json
from geneface.hub import PERSONS_DIR
from geneface.media.audio import load_audio, open_audio
from geneface.media.image import write_image
from geneface.media.resample import SteadyVideo, sound_start, write_sound
from geneface.media.video import VideoReader, VideoWriter
from geneface.units import FPS

DETECTORS: dict[str, type[LandmarkDetector | FaceAlignmentDetector]] = {
    "mediapipe": LandmarkDetector,
    "face-alignment": FaceAlignmentDetector,
}
EXTRACTOR = PERSONS_DIR / "generic" / "feature_extractor"
QUALITY = 12
"""x264's crf: not to be told from the original."""
COPIED = "h264 yuv420p"
GROWN_MASKS = "masks.grown"
EXTRA_POINTS = 2
"""Every second of MediaPipe's points beyond the 68 takes part in the fit; the others tell how good it is."""

T = TypeVar("T")


class StepProgress:
    """Is told how far preprocessing is; this one does not mind."""

    def part(self, title: str, done: int, parts: int) -> None:
        """The part of this title begins, after `done` of all `parts`."""

    def each(self, items: Iterable[T], name: str, length: int | None) -> Iterable[T]:
        """What a part goes through: the same items."""
        return items


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
        write_json(path, scan_video(video, detector).to_json())


def _frames(job: Job, path: Path) -> None:
    scan = job.scan()
    with SteadyVideo(job.video) as video:
        if scan.as_it_is and video.codec == COPIED and _copied(video, path, scan.frames):
            return
        with VideoWriter(path, (SIZE, SIZE), crf=QUALITY) as writer:
            for moment in job.progress.each(video, "cropping", scan.first + scan.frames):
                if moment.index >= scan.first + scan.frames:
                    break
                if moment.index >= scan.first:
                    writer.write(cut_out(video.picture(moment), scan.crop)[None])


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
    faces = []
    with job.detector() as detector, RowWriter(job.work / "points", "points", (detector.points, 3), "F32") as points:
        for picture in job.progress.each(job.frames(), "landmarks", job.scan().frames):
            face = detector.follow(picture)
            points.add(face.points[None] if face else np.zeros((1, detector.points, 3), np.float32))
            faces.append(face and (face.blendshapes if face.blendshapes is not None else np.zeros(0, np.float32)))
    valid = np.array([face is not None for face in faces])
    if not valid.any():
        raise InputError(f"no face was found in the square cut out of {job.video}; give another video")
    scores = np.stack([faces[index] for index in nearest_valid(valid)])
    write_tensors(path, {"blendshapes": torch.from_numpy(scores), "valid": torch.from_numpy(valid)})


def _masks(job: Job, path: Path) -> None:
    """The longest step: the masks grow in a file beside `path`, with which a later run goes on."""
    parser, grown = FaceParser(job.asset(assets.FACE_PARSER)), job.work / GROWN_MASKS
    pictures = iter(job.progress.each(job.frames(), "parsing", job.scan().frames))
    with grown.open("ab") as file:
        done = file.tell() // MASK_SIZE**2
        file.truncate(done * MASK_SIZE**2)
        # A mask depends on the pictures before and after its own, too.
        first = max(done - 1, 0)
        for mask in islice(parser.masks(islice(pictures, first, None)), done - first, None):
            file.write(mask.tobytes())
            file.flush()
    with RowWriter(path, "masks", (MASK_SIZE, MASK_SIZE), "U8") as masks, grown.open("rb") as file:
        while rows := file.read(1024 * MASK_SIZE**2):
            masks.add(np.frombuffer(rows, np.uint8).reshape(-1, MASK_SIZE, MASK_SIZE))


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
    masks = map_rows(job.work / "masks.safetensors")

    def sharpen(track: Track) -> torch.Tensor:
        neutral = face.mesh(track.identity, torch.zeros(1, len(face.expression_names)))[0]
        return sharpen_poses(job.frames, masks, landmarks, neutral, track.pose, track.intrinsics, train)

    track = track_face(observation, len(face.identity_basis), SIZE, train, sharpen=sharpen)
    flow, weight = torso_flow(job.frames, masks, train.stop // 2)
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
            "torso_flow": torch.from_numpy(flow),
            "torso_weight": torch.from_numpy(weight),
            "fit_error": torch.from_numpy(error[:, 17:].mean(1)),
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
    from geneface.components import trained_component

    extractor = trained_component(EXTRACTOR)
    with (
        open_audio(job.work / "audio.flac") as sound,
        RowWriter(path, "features", (extractor.feature_size,), "F16") as features,
    ):
        for chunk in extractor.stream(sound):
            features.add(chunk.numpy())


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
