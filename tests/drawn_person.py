"""A drawn head that speaks: a video, a face model of 80 vertices, and what stands in for the third-party models.

Each picture has its number in bright and dark cells at its upper edge, by which the stand-in of MediaPipe knows where
the landmarks are.
"""

from pathlib import Path
from typing import Self

import numpy as np
import pytest
import torch
from motion_corpus import MODELS, speak, write_corpus, write_face_model
from safetensors import safe_open
from safetensors.torch import save_file

from geneface.face.correspondence import Correspondence
from geneface.face.face_model import FaceModel
from geneface.face.landmarks import MEDIAPIPE_68, Face
from geneface.hub import assets
from geneface.media.audio import open_audio
from geneface.media.video import VideoWriter
from geneface.preprocessing import preprocess_steps
from geneface.preprocessing.preprocess import preprocess

SIZE, FRAMES, FOCAL, BITS = 512, 80, 1400.0, 7
HEAD, BODY, WALL, LIPS = (230, 170, 150), (120, 120, 120), (40, 60, 160), (60, 20, 20)


def ring(count: int, x: float, y: float, width: float, height: float, z: float) -> np.ndarray:
    """[count, 3]: an ellipse from its left corner over its top."""
    angle = np.pi - np.arange(count) / count * 2 * np.pi
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle), np.full(count, z)], 1)


def mean_landmarks() -> np.ndarray:
    """[68, 3] cm: a face as children draw it, with some depth."""
    angle = np.linspace(0, np.pi, 17)
    jaw = np.stack([-7 * np.cos(angle), 2 - 10 * np.sin(angle), 6 * np.sin(angle) - 2], 1)
    brows = np.stack([np.r_[-5.5:-1.5:5j, 1.5:5.5:5j], np.full(10, 5.0), np.full(10, 6.0)], 1)
    bridge = np.stack([np.zeros(4), np.linspace(3, 0, 4), np.linspace(7, 9, 4)], 1)
    nostrils = np.stack([np.linspace(-1.2, 1.2, 5), np.full(5, -0.8), np.full(5, 7.0)], 1)
    eyes = [ring(6, x, 3, 1.3, 0.5, 6) for x in (-3.2, 3.2)]
    lips = [ring(12, 0, -4, 2.5, 1, 7), ring(8, 0, -4, 2, 0.04, 7)]
    return np.concatenate([jaw, brows, bridge, nostrils, *eyes, *lips]).astype(np.float32)


def write_drawn_face(path: Path) -> FaceModel:
    write_face_model(path)
    with safe_open(path, "pt") as file:
        tensors, names = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    tensors["mean"][:68] = torch.from_numpy(mean_landmarks())
    tensors["faces"] = torch.tensor([[36, 39, 42, 45], [27, 31, 35, 35], [48, 51, 54, 57]], dtype=torch.int32)
    save_file(tensors, path, metadata=names)
    return FaceModel.load(path)


def head_poses(frames: int) -> np.ndarray:
    """[T, 3, 4], head -> camera: it turns by up to 9 degrees, 70 cm away."""
    angle = 0.15 * np.sin(np.arange(frames) / 9)
    zero, one = np.zeros(frames), np.ones(frames)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.stack([cosine, zero, sine, zero, one, zero, -sine, zero, cosine], 1).reshape(-1, 3, 3)
    place = np.stack([4 * angle, zero - 1, zero + 70], 1)
    return np.concatenate([np.diag([1, -1, -1]) @ turn, place[:, :, None]], axis=2)


def draw(points: np.ndarray) -> np.ndarray:
    """uint8 [512, 512, 3]: the head that has these landmarks [68, 2]."""
    y, x = np.mgrid[:SIZE, :SIZE]
    picture = np.full((SIZE, SIZE, 3), WALL, np.uint8)
    picture[400:] = BODY

    def fill(part: np.ndarray, colour: tuple[int, int, int], grow: float = 1.0) -> None:
        (left, top), (right, bottom) = part.min(0), part.max(0)
        wide, high = grow * (right - left) / 2, grow * (bottom - top) / 2 + 1
        picture[((x - (left + right) / 2) / wide) ** 2 + ((y - (top + bottom) / 2) / high) ** 2 < 1] = colour

    fill(points[:27], HEAD, 1.25)
    fill(points[60:], LIPS)
    return picture


class Actor:
    """What is to be seen and heard."""

    def __init__(self, face: FaceModel, frames: int = FRAMES):
        self.samples, lm3d = speak(frames, face, np.random.default_rng(5))
        pose = head_poses(frames)
        seen = (lm3d + mean_landmarks()) @ pose[:, :, :3].transpose(0, 2, 1) + pose[:, None, :, 3]
        self.points = FOCAL * seen[..., :2] / seen[..., 2:] + SIZE / 2

    def picture(self, index: int) -> np.ndarray:
        """[512, 512, 3] uint8"""
        picture = draw(self.points[index])
        for bit in range(BITS):
            picture[:16, 16 * bit : 16 * bit + 16] = 255 * (index >> bit & 1)
        return picture

    def write_video(self, path: Path) -> Path:
        with open_audio(self.samples, 16000) as sound, VideoWriter(path, (SIZE, SIZE), sound) as video:
            for index in range(len(self.points)):
                video.write(self.picture(index)[None])
        return path


class NumberDetector:
    """Stands in for MediaPipe: reads the number of the picture."""

    points, order_68, stride, scores, lead_in, part = 478, MEDIAPIPE_68, 5, 52, 3, 20

    def __init__(self, actor: Actor):
        self.actor = actor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def follow(self, picture: np.ndarray) -> Face | None:
        index = sum(int(picture[8, 16 * bit + 8].mean() > 128) << bit for bit in range(BITS))
        points = np.zeros((478, 3), np.float32)
        points[MEDIAPIPE_68, :2] = self.actor.points[index]
        return Face(points, np.zeros(52, np.float32))

    def restart(self) -> None:
        pass

    def find(self, picture: np.ndarray) -> list[Face]:
        face = self.follow(picture)
        return [face] if face else []


class ColourParser:
    """Stands in for the face parser."""

    def __init__(self, model: Path):
        assert model.is_file()

    def masks(self, pictures):
        for picture in pictures:
            small = picture[2::4, 2::4].astype(int)
            yield np.select(
                [np.abs(small - colour).sum(-1) < 60 for colour in (HEAD, LIPS, BODY)], [1, 1, 2], 0
            ).astype(np.uint8)


def no_correspondence(task: Path, face: FaceModel) -> Correspondence:
    assert task.is_file()
    return Correspondence(np.zeros(0, int), torch.zeros(0, dtype=torch.long), torch.zeros(0, 3))


def write_drawn_dataset(folder: Path) -> Path:
    """The dataset that `geneface preprocess` makes of the drawn head, with what stands in for third-party models."""
    face = folder / "face.safetensors"
    actor = Actor(write_drawn_face(face))
    video = actor.write_video(folder / "video.mp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preprocess_steps.Job, "detector", lambda self: NumberDetector(actor))
        patch.setattr(preprocess_steps, "FaceParser", ColourParser)
        patch.setattr(preprocess_steps, "find_correspondence", no_correspondence)
        patch.setattr(assets, "get_asset", lambda *asset: face)
        return preprocess(video, folder / "dataset")


def write_tiny_models(folder: Path, face: FaceModel) -> dict[str, str]:
    """Untrained generic components and a corpus -> settings of the post-net's training."""
    from tiny import TINY_HUBERT

    from geneface.models.feature_extractor import FeatureExtractor
    from geneface.models.motion_generator import MotionGenerator
    from geneface.models.sync_expert import SyncExpert

    torch.manual_seed(0)
    parts = {
        "feature_extractor": FeatureExtractor(TINY_HUBERT),
        "motion_generator": MotionGenerator(feature_size=16, **MODELS["motion_generator"]),
        "sync_expert": SyncExpert(feature_size=16, **MODELS["sync_expert"]),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    corpus = write_corpus(folder / "corpus", face)
    return {**{name: str(folder / name) for name in parts}, "corpora": [str(corpus)]}
