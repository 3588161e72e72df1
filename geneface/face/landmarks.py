"""Facial landmarks: MediaPipe's detector behind a small interface, and its points in the 68-point order."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

import numpy as np

from geneface.errors import InputError

if TYPE_CHECKING:
    from mediapipe import Image
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerResult, RunningMode

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


class Face(NamedTuple):
    """One face in one picture."""

    points: np.ndarray
    """[N, 3] float32 in pixels; N is the detector's `points`"""
    blendshapes: np.ndarray | None
    """[52] ARKit scores, from a detector that has them"""


class FaceFinder(Protocol):
    """Looks for faces in pictures, each on its own."""

    points: int
    """How many landmarks it finds."""
    order_68: np.ndarray
    """[68] which of them stand for the iBUG points"""
    stride: int
    """Every how many frames a search through a whole video can afford to look."""

    def find(self, picture: np.ndarray) -> list[Face]:
        """All faces in a uint8 RGB picture [H, W, 3]."""
        ...


class FaceDetector(FaceFinder, Protocol):
    """What tracking asks of a landmark detector; a context manager."""

    scores: int
    """How many ARKit scores it gives a face."""
    lead_in: int
    """Pictures after a `restart` from which on it finds what it would have found without."""
    part: int
    """Pictures after which it can afford to begin anew; `lead_in` or more."""

    def follow(self, picture: np.ndarray) -> Face | None:
        """The face in the next picture of a video of one person."""
        ...

    def restart(self) -> None:
        """Forget the pictures before."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class LandmarkDetector:
    """MediaPipe's FaceLandmarker; a context manager.

    >>> with LandmarkDetector("face_landmarker.task") as detector:
    ...     detection = detector.detect(VideoReader("video.mp4"))
    """

    points = 478
    order_68 = MEDIAPIPE_68
    stride = 5
    scores = len(MEDIAPIPE_BLENDSHAPES)
    lead_in, part = 25, 250
    most_faces = 3

    def __init__(self, model: str | Path, fps: float = 25.0):
        if not Path(model).is_file():
            raise InputError(f"{model} is missing: name MediaPipe's face_landmarker.task, or run `geneface assets`")
        try:
            from mediapipe.tasks.python import vision
        except (ImportError, OSError) as error:
            raise InputError(
                f"finding landmarks needs mediapipe ({error}): pip install mediapipe ai-edge-litert; on a bare Debian "
                "or Ubuntu also apt-get install libgl1 libegl1 libgles2"
            ) from None
        self._model = str(model)
        self._interval = 1000.0 / fps
        self._time = 0.0
        self._video = self._open(vision.RunningMode.VIDEO, 1)
        self._single: FaceLandmarker | None = None

    def _open(self, mode: "RunningMode", faces: int) -> "FaceLandmarker":
        from mediapipe.tasks.python import BaseOptions, vision

        return vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=self._model),
                running_mode=mode,
                num_faces=faces,
                output_face_blendshapes=True,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._video.close()
        if self._single is not None:
            self._single.close()

    def find(self, picture: np.ndarray) -> list[Face]:
        """All faces in a uint8 RGB picture [H, W, 3], on its own; three at most."""
        if self._single is None:
            from mediapipe.tasks.python import vision

            self._single = self._open(vision.RunningMode.IMAGE, self.most_faces)
        return _faces(self._single.detect(_image(picture)), picture)

    def follow(self, picture: np.ndarray) -> Face | None:
        """The face in the next picture of a video of one person."""
        result = self._video.detect_for_video(_image(picture), int(self._time))
        self._time += self._interval
        return next(iter(_faces(result, picture)), None)

    def restart(self) -> None:
        """Forget the pictures before."""
        from mediapipe.tasks.python import vision

        self._video.close()
        self._video, self._time = self._open(vision.RunningMode.VIDEO, 1), 0.0

    def detect(self, frames: Iterable[np.ndarray]) -> Detection:
        """Landmarks in successive uint8 RGB pictures [H, W, 3]; `InputError` if no picture shows a face."""
        faces = [self.follow(frame) for frame in frames]
        valid = np.array([face is not None for face in faces], bool)
        if not valid.any():
            raise InputError("no face was found in any picture: give a video of one person who faces the camera")
        found = [faces[index] for index in nearest_valid(valid)]
        return Detection(
            np.stack([face.points for face in found if face is not None]),
            np.stack([face.blendshapes for face in found if face is not None and face.blendshapes is not None]),
            valid,
        )


def _image(picture: np.ndarray) -> "Image":
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))


def _faces(result: "FaceLandmarkerResult", picture: np.ndarray) -> list[Face]:
    height, width = picture.shape[:2]
    faces = []
    for points, scores in zip(result.face_landmarks, result.face_blendshapes, strict=True):
        found = np.array([(p.x, p.y, p.z) for p in points], np.float32)
        faces.append(
            Face(found * np.array([width, height, width], np.float32), np.array([s.score for s in scores], np.float32))
        )
    return faces


def nearest_valid(valid: np.ndarray) -> np.ndarray:
    """[T] for each frame the last valid one, or the first of all before it."""
    return np.maximum.accumulate(np.where(valid, np.arange(len(valid)), int(np.argmax(valid))))


class FaceAlignmentDetector:
    """The face-alignment package (Bulat & Tzimiropoulos 2017): 68 points, one or two pictures a second on a CPU.

    It fetches its weights at first use. A context manager.
    """

    points = 68
    order_68 = np.arange(68)
    stride = 25
    scores = lead_in = 0
    part = 10

    def __init__(self, device: str = "cpu"):
        try:
            from face_alignment import FaceAlignment, LandmarksType
        except (ImportError, OSError) as error:
            raise InputError(
                f"these landmarks need face-alignment ({error}): pip install face-alignment, or take mediapipe's"
            ) from None
        self._network = FaceAlignment(LandmarksType.TWO_D, device=device, flip_input=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        del self._network

    def find(self, picture: np.ndarray) -> list[Face]:
        """All faces in a uint8 RGB picture [H, W, 3]."""
        found = self._network.get_landmarks_from_image(picture) or []
        return [Face(np.pad(np.asarray(points, np.float32), ((0, 0), (0, 1))), None) for points in found]

    def follow(self, picture: np.ndarray) -> Face | None:
        """The largest face in a picture."""
        return max(self.find(picture), key=lambda face: float(np.ptp(face.points[:, 1])), default=None)

    def restart(self) -> None:
        """Each picture is looked at on its own."""
