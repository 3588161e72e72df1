"""How the torso moves in the picture: dense optical flow to one picture of it."""

from collections.abc import Callable, Iterable

import numpy as np

from geneface.face.parsing import TORSO

CELLS = 16
SIDE = 256
"""Pixels a side of the pictures that are compared."""
REACH = 10.0
"""Pixels over which the flow of the torso is averaged, and carried beyond its outline."""


def torso_flow(
    pictures: Callable[[], Iterable[np.ndarray]], masks: np.ndarray, reference: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where what is seen of the torso lies in the picture `reference`.

    Args:
        pictures: Gives all frames, uint8 [H, W, 3]; called twice.
        masks: [T, h, w], 2 on the torso.

    Returns:
        Displacements [T, CELLS, CELLS, 2] (x, y; half sides of the picture) at points spread evenly from edge to
        edge, and their weights [T, CELLS, CELLS] from 0 to 1, for how much of the torso is near; float16.
    """
    import cv2

    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    places = np.linspace(0, SIDE - 1, CELLS).round().astype(int)
    there = next(_grey(picture) for index, picture in enumerate(pictures()) if index == reference)
    flows = np.zeros((len(masks), CELLS, CELLS, 2), np.float16)
    weights = np.zeros((len(masks), CELLS, CELLS), np.float16)
    for index, (picture, mask) in enumerate(zip(pictures(), masks, strict=True)):
        seen = cv2.resize((mask == TORSO).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        flow = finder.calc(_grey(picture), there, np.zeros((SIDE, SIDE, 2), np.float32))
        spread = cv2.GaussianBlur(np.dstack([flow * seen[..., None], seen]), (0, 0), REACH)[places][:, places]
        weights[index] = spread[..., 2]
        flows[index] = spread[..., :2] / np.maximum(spread[..., 2:], 1e-4) * (2 / SIDE)
    return flows, weights


def _grey(picture: np.ndarray) -> np.ndarray:
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
