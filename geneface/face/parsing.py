"""Which part of a picture is head, torso and background."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from geneface.errors import InputError

BACKGROUND, HEAD, TORSO = 0, 1, 2
MASK_SIZE = 128
# Classes of CelebAMask-HQ: skin, brows, eyes, glasses, ears, earrings, nose, mouth, lips; hair and hat.
HEAD_CLASSES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 18)
# Neck, necklace and clothes: the neck moves with the shoulders as much as with the head, and is hidden by the chin.
TORSO_CLASSES = (14, 15, 16)
CLASSES = 19
MOUTH_INTERIOR = 11


class FaceParser:
    """BiSeNetV2 trained on CelebAMask-HQ, through ai-edge-litert."""

    def __init__(self, model: str | Path):
        try:
            from ai_edge_litert.interpreter import Interpreter
        except (ImportError, OSError) as error:
            raise InputError(
                f"parsing pictures needs ai-edge-litert ({error}): pip install mediapipe ai-edge-litert"
            ) from None
        try:
            self._network = Interpreter(str(model), num_threads=min(os.cpu_count() or 1, 4))
        except ValueError as error:
            raise InputError(f"{model} is not a face parser ({error}); see `geneface assets`") from None
        self._network.allocate_tensors()
        self._input = self._network.get_input_details()[0]
        self._output = self._network.get_output_details()[0]["index"]
        kinds = np.zeros((CLASSES, 2), np.float32)
        kinds[list(HEAD_CLASSES), 0] = kinds[list(TORSO_CLASSES), 1] = 1
        self._kinds = kinds

    def classes(self, picture: np.ndarray) -> np.ndarray:
        """uint8 RGB [H, W, 3], square -> the class of each pixel of 448 x 448."""
        from PIL import Image

        side = int(self._input["shape"][1])
        image = Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR)
        self._network.set_tensor(self._input["index"], np.asarray(image, np.float32)[None] / 127.5 - 1)
        self._network.invoke()
        return np.asarray(self._network.get_tensor(self._output).reshape(side, side))

    def mouth_interior(self, picture: np.ndarray) -> int:
        """Pixels, of 448 x 448, between the lips: teeth, tongue, darkness."""
        return int((self.classes(picture) == MOUTH_INTERIOR).sum())

    def shares(self, picture: np.ndarray) -> np.ndarray:
        """uint8 RGB [H, W, 3], square -> float32 [128, 128, 2]: how much of each cell is head, and torso."""
        from PIL import Image

        parts = self._kinds[self.classes(picture)]
        cells = (Image.fromarray(parts[..., k]).resize((MASK_SIZE,) * 2, Image.Resampling.BOX) for k in range(2))
        return np.stack([np.asarray(cell) for cell in cells], axis=-1)

    def masks(self, pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """A mask uint8 [128, 128] for each picture of a video, steadied by its two neighbours."""
        previous = current = None
        for picture in pictures:
            following = self.shares(picture)
            if current is not None:
                yield to_mask(current if previous is None else previous, current, following)
            previous, current = current, following
        if current is not None:
            yield to_mask(current if previous is None else previous, current, current)


def to_mask(*shares: np.ndarray) -> np.ndarray:
    """The larger part of each cell over shares [128, 128, 2]; only the largest person, without holes."""
    from scipy import ndimage

    head, torso = np.moveaxis(np.mean(shares, axis=0), -1, 0)
    person = head + torso > 0.5
    pieces, count = ndimage.label(person, structure=np.ones((3, 3)))
    if count > 1:
        sizes = ndimage.sum_labels(head, pieces, np.arange(1, count + 1))
        person = pieces == 1 + int(np.argmax(sizes))
    person = ndimage.binary_fill_holes(person)
    return np.where(person, np.where(head >= torso, HEAD, TORSO), BACKGROUND).astype(np.uint8)
