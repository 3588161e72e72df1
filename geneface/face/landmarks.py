"""Facial landmarks: MediaPipe's detector behind a small interface, and its points in the 68-point order."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from geneface.errors import InputError

# fmt: off
MEDIAPIPE_68 = np.array([
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,  # jaw line: approximate
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
])
# fmt: on
"""Which of MediaPipe's 478 points stands for each of the 68 iBUG points."""

MEDIAPIPE_BLENDSHAPES: tuple[str, ...] = tuple(
    (
        "_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
        "cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
        "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft "
        "eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft "
        "mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight "
        "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft "
        "mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft "
        "noseSneerRight"
    ).split()
)
"""ARKit's names in MediaPipe's order."""


def expression_from_blendshapes(blendshapes: np.ndarray, expression_names: tuple[str, ...]) -> np.ndarray:
    """ARKit scores [T, 52] as weights [T, N_e] of a face model's expressions; 0 for those without a score."""
    columns = {name: index for index, name in enumerate(MEDIAPIPE_BLENDSHAPES)}
    expression = np.zeros((len(blendshapes), len(expression_names)), np.float32)
    for index, name in enumerate(expression_names):
        stem, _, side = name.partition("_")
        for candidate in (stem + {"L": "Left", "R": "Right", "": ""}[side], stem):
            if candidate in columns:
                expression[:, index] = blendshapes[:, columns[candidate]]
                break
    return expression


class Detection(NamedTuple):
    """Landmarks of one face over T pictures; where no face was found, the last one found is repeated."""

    points: np.ndarray
    """[T, 478, 3] float32 in pixels, x right, y down; z is MediaPipe's guess."""
    blendshapes: np.ndarray
    """[T, 52] float32, ARKit scores."""
    valid: np.ndarray
    """[T] bool"""

    @property
    def landmarks_68(self) -> np.ndarray:
        """[T, 68, 2]"""
        return self.points[:, MEDIAPIPE_68, :2]


class LandmarkDetector:
    """MediaPipe's FaceLandmarker in video mode; a context manager.

    >>> with LandmarkDetector("face_landmarker.task") as detector:
    ...     detection = detector.detect(VideoReader("video.mp4"))
    """

    def __init__(self, model: str | Path, fps: float = 25.0):
        if not Path(model).is_file():
            raise InputError(f"{model} is missing: name MediaPipe's face_landmarker.task, or run `geneface assets`")
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except (ImportError, OSError) as error:
            raise InputError(
                f"finding landmarks needs mediapipe ({error}): pip install 'geneface[tracking]'; on a bare Debian or "
                "Ubuntu also apt-get install libgl1 libegl1 libgles2"
            ) from None
        self._image: Any = lambda frame: mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame)
        self._interval = 1000.0 / fps
        self._time = 0.0
        self._detector = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(model)),
                running_mode=vision.RunningMode.VIDEO,
                output_face_blendshapes=True,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._detector.close()

    def detect(self, frames: Iterable[np.ndarray]) -> Detection:
        """Landmarks in successive uint8 RGB pictures [H, W, 3]; `InputError` if no picture shows a face."""
        points: list[np.ndarray | None] = []
        scores: list[np.ndarray | None] = []
        for frame in frames:
            height, width = frame.shape[:2]
            result = self._detector.detect_for_video(self._image(np.ascontiguousarray(frame)), int(self._time))
            self._time += self._interval
            if result.face_landmarks:
                found = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]], np.float32)
                points.append(found * np.array([width, height, width], np.float32))
                scores.append(np.array([s.score for s in result.face_blendshapes[0]], np.float32))
            else:
                points.append(None)
                scores.append(None)
        valid = np.array([found is not None for found in points], bool)
        if not valid.any():
            raise InputError("no face was found in any picture: give a video of one person who faces the camera")
        nearest = np.maximum.accumulate(np.where(valid, np.arange(len(valid)), int(np.argmax(valid))))
        return Detection(
            np.stack([points[index] for index in nearest]),
            np.stack([scores[index] for index in nearest]),
            valid,
        )
