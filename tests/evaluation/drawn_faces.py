"""Videos of a drawn face whose mouth opens as it is told, and a detector and a parser that see just that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from geneface.evaluation.tools import Tools
from geneface.face.landmarks import MEDIAPIPE_68, Face
from geneface.media.audio import open_audio
from geneface.media.video import VideoWriter

MOUTH_TOP, MOUTH_LEFT, MOUTH_RIGHT = 330, 216, 296
"""Pixels of 512."""


def opening_curve(frames: int, seed: int = 0) -> np.ndarray:
    """[frames] pixels of 512 that the mouth is open."""
    noise = np.random.default_rng(seed).normal(size=frames + 8)
    curve = np.convolve(noise, np.hanning(9), "valid")
    return 22 + 14 * np.tanh(curve)


def draw(opening: float, side: int = 512, seed: int = 0) -> np.ndarray:
    """uint8 [side, side, 3]: a head on a torso, a blue mouth."""
    from PIL import Image

    picture = np.full((512, 512, 3), 90, np.uint8)
    picture[:] += np.random.default_rng(seed).integers(0, 40, (64, 64, 1), np.uint8).repeat(8, 0).repeat(8, 1)
    picture[120:400, 156:356] = (200, 160, 140)
    picture[400:, 100:412] = (60, 90, 60)
    bottom = MOUTH_TOP + round(opening)
    picture[MOUTH_TOP:bottom, MOUTH_LEFT:MOUTH_RIGHT] = (20, 20, 220)
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))


def write_face(
    path: Path, openings: Sequence[float], sound: np.ndarray | None = None, side: int = 256, fps: int = 25
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = None if sound is None else open_audio(sound, 16000)
    with VideoWriter(path, (side, side), source, fps=fps, crf=8) as writer:
        for opening in openings:
            writer.write(draw(opening, side)[None])
    return path


class BlueMouthDetector:
    """478 points that stand still, but for the lower lip, at the lower end of what is blue."""

    points, order_68, stride = 478, MEDIAPIPE_68, 5

    def find(self, picture: np.ndarray) -> list[Face]:
        red, _, blue = picture[:, 256].astype(int).T
        rows = np.flatnonzero(blue - red > 60)
        if not len(rows):
            return []
        points = np.random.default_rng(0).uniform((170, 150, 0), (340, 390, 1), (478, 3)).astype(np.float32)
        points[10], points[152] = (256, 120, 0), (256, 400, 0)
        points[33], points[263] = (206, 220, 0), (306, 220, 0)
        points[61], points[291] = (MOUTH_LEFT, MOUTH_TOP, 0), (MOUTH_RIGHT, MOUTH_TOP, 0)
        for upper, lower in ((13, 14), (82, 87), (312, 317), (0, 17)):
            points[upper], points[lower] = (256, rows[0], 0), (256, rows[-1] + 1, 0)
        return [Face(points, None)]

    def follow(self, picture: np.ndarray) -> Face | None:
        return next(iter(self.find(picture)), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...


class BoxParser:
    def shares(self, picture: np.ndarray) -> np.ndarray:
        shares = np.zeros((128, 128, 2), np.float32)
        shares[30:100, 39:89, 0] = 1
        shares[100:, 25:103, 1] = 1
        return shares


def drawn_tools(**others: Any) -> Tools:
    missing = {"face": "needs a face model", **dict.fromkeys(("lpips", "inception", "syncnet"), "needs weights")}
    return Tools(BlueMouthDetector, BoxParser(), missing=missing, **others)
