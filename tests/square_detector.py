from typing import Self

import numpy as np

from geneface.face.landmarks import Face


class SquareDetector:
    """`faces` faces of 68 points, or of more with blendshapes, wherever a picture is bright."""

    order_68 = np.arange(68)
    stride, lead_in, part = 5, 3, 20

    def __init__(self, faces: int = 1, points: int = 68):
        self.faces, self.points, self.scores = faces, points, 52 if points > 68 else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def find(self, picture: np.ndarray) -> list[Face]:
        y, x = np.nonzero(picture.mean(-1) > 200)
        if not len(y):
            return []
        points = np.zeros((self.points, 3), np.float32)
        points[:, 0] = np.resize(np.linspace(x.min(), x.max(), 68), self.points)
        points[:, 1] = np.resize(np.linspace(y.min(), y.max(), 68), self.points)
        scores = np.zeros(52, np.float32) if self.points > 68 else None
        return [Face(points + np.float32([200 * index, 0, 0]), scores) for index in range(self.faces)]

    def restart(self) -> None:
        pass

    def follow(self, picture: np.ndarray) -> Face | None:
        return next(iter(self.find(picture)), None)
