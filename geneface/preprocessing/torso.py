"""How the torso moves in the picture: dense optical flow to one picture of it."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch

from geneface.face.parsing import TORSO
from geneface.face.parts import Course, Keep, Tensors, join, make_anew, ranges

CELLS = 16
PART = 100
"""Frames that are kept at once."""
SIDE = 256
"""Pixels a side of the pictures that are compared."""
REACH = 10.0
"""Pixels over which the flow of the torso is averaged, and carried beyond its outline."""


def torso_flow(
    pictures: Callable[[], Iterable[np.ndarray]], masks: np.ndarray, reference: int, keep: Keep = make_anew
) -> Tensors:
    """Where what is seen of the torso lies in the picture `reference`.

    Args:
        pictures: Gives all frames, uint8 [H, W, 3]; called twice.
        masks: [T, h, w], 2 on the torso.
        keep: Is asked for each part of the work.

    Returns:
        `torso_flow` [T, CELLS, CELLS, 2], displacements (x, y; half sides of the picture) at points spread evenly from
        edge to edge, and `torso_weight` [T, CELLS, CELLS] from 0 to 1, for how much of the torso is near; float16.
    """
    import cv2

    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    places = np.linspace(0, SIDE - 1, CELLS).round().astype(int)
    there = next(_grey(picture) for index, picture in enumerate(pictures()) if index == reference)

    def follow(part: range) -> Tensors:
        found = np.zeros((len(part), CELLS, CELLS, 3), np.float32)
        shown = zip(course.part(part.start, part.stop), masks[part.start : part.stop], strict=True)
        for row, (picture, mask) in enumerate(shown):
            seen = cv2.resize((mask == TORSO).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            flow = finder.calc(_grey(picture), there, np.zeros((SIDE, SIDE, 2), np.float32))
            found[row] = cv2.GaussianBlur(np.dstack([flow * seen[..., None], seen]), (0, 0), REACH)[places][:, places]
        flows = found[..., :2] / np.maximum(found[..., 2:], 1e-4) * (2 / SIDE)
        return {"torso_flow": torch.from_numpy(flows).half(), "torso_weight": torch.from_numpy(found[..., 2]).half()}

    course = Course(pictures())
    return join(keep(f"torso-{part.start}", partial(follow, part)) for part in ranges(len(masks), PART))


def _grey(picture: np.ndarray) -> np.ndarray:
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
