"""The square of a video that becomes the dataset's picture: one for all frames, so that what does not move stays."""

from dataclasses import dataclass

import numpy as np

from geneface.errors import InputError
from geneface.face.ibug68 import LEFT_EYE, RIGHT_EYE

SIZE = 512
FACE_SHARE = 0.4
"""Height from the brows to the chin over the side of the square: hair and shoulders are in the picture."""
FACE_MIDDLE = 0.57
"""Where the middle of that height lies, from the top of the square."""
LEAST_MARGIN = 0.75
"""Room kept on each side of all places where the face was, in heights of the face."""
FITTING = (0.2, 0.6)
"""Shares of the face at which a square video is taken as it is."""
SMALLEST_FACE = 60
"""Pixels from the brows to the chin."""


@dataclass(frozen=True)
class Crop:
    """A square in the pixels of the source."""

    left: float
    top: float
    side: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.left + self.side, self.top + self.side

    def scaled(self, factor: float) -> "Crop":
        """The same square in a picture scaled by `factor`."""
        return Crop(self.left * factor, self.top * factor, self.side * factor)


def face_box(points: np.ndarray) -> np.ndarray:
    """(left, top, right, bottom) of 68 points [..., 68, 2]: from the brows to the chin."""
    return np.concatenate([points[..., :2].min(-2), points[..., :2].max(-2)], axis=-1)


def roll(points: np.ndarray) -> float:
    """Degrees by which the line through the eyes of 68 points [68, 2 or 3] is turned, clockwise, from -180 to 180."""
    across = points[LEFT_EYE, :2].mean(0) - points[RIGHT_EYE, :2].mean(0)
    return float(np.degrees(np.arctan2(across[1], across[0])))


def fits(boxes: np.ndarray, width: int, height: int) -> bool:
    """Whether a picture of `width` x `height` with faces in `boxes` [n, 4] is already such a crop."""
    share = np.median(boxes[:, 3] - boxes[:, 1]) / SIZE
    inside = (boxes[:, :2] > 0).all() and (boxes[:, 2:] < SIZE).all()
    return bool(width == height == SIZE and inside and FITTING[0] < share < FITTING[1])


def choose_crop(boxes: np.ndarray, width: int, height: int) -> Crop:
    """The square for faces in `boxes` [n, 4] of a `width` x `height` video; `InputError` if they are too small."""
    size = float(np.median(boxes[:, 3] - boxes[:, 1]))
    if size < SMALLEST_FACE:
        raise InputError(
            f"the face is too small: {size:.0f} pixels from the brows to the chin, {SMALLEST_FACE} are needed; "
            "film from nearer, or give the video in its full size"
        )
    # One wrong box must not move the square.
    low, high = np.percentile(boxes[:, :2], 2, axis=0), np.percentile(boxes[:, 2:], 98, axis=0)
    side = max(size / FACE_SHARE, float((high - low).max()) + 2 * LEAST_MARGIN * size)
    side = min(side, width, height)
    middle = (low + high) / 2
    left = float(np.clip(middle[0] - side / 2, 0, width - side))
    top = float(np.clip(middle[1] - FACE_MIDDLE * side, 0, height - side))
    return Crop(left, top, side)


def cut_out(picture: np.ndarray, crop: Crop) -> np.ndarray:
    """uint8 [512, 512, 3]"""
    from PIL import Image

    resized = Image.fromarray(picture).resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=crop.box)
    return np.asarray(resized)
