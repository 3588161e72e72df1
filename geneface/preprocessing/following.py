"""The face followed through a video, in parts that do not depend on where a run was killed."""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import torch

from geneface.face.landmarks import Face, FaceDetector, FaceFinder
from geneface.face.parts import Course, Keep, Tensors, ranges


class Remembering:
    """A detector that keeps what it finds in pictures; of several runs over the same ones, only the first looks.

    Of a face, it keeps the points alone.
    """

    def __init__(self, detector: FaceFinder, keep: Keep):
        self.points, self.order_68, self.stride = detector.points, detector.order_68, detector.stride
        self._detector, self._keep, self._looked = detector, keep, 0

    def find(self, picture: np.ndarray) -> list[Face]:
        """As the detector's."""

        def look() -> Tensors:
            found = np.array([face.points for face in self._detector.find(picture)], np.float32)
            return {"points": torch.from_numpy(found.reshape(-1, self.points, 3))}

        self._looked += 1
        return [Face(points, None) for points in self._keep(f"look-{self._looked}", look)["points"].numpy()]


def follow_face(detector: FaceDetector, pictures: Iterable[np.ndarray], frames: int, keep: Keep) -> Iterator[Tensors]:
    """For each part of so many pictures, uint8 [H, W, 3], the `points` [n, N, 3], `scores` [n, 52 or 0], and whether a
    face was found, `valid` [n].

    What a detector finds depends on what it saw before. So it begins anew with each part, and sees some pictures
    before it, from which on it finds what it would have found anyhow (MediaPipe's points: to 0.05 pixels).
    """
    course = Course(pictures, detector.lead_in)

    def follow(part: range) -> Tensors:
        first = max(part.start - detector.lead_in, 0)
        detector.restart()
        faces = [detector.follow(picture) for picture in course.part(first, part.stop)][part.start - first :]
        points = np.zeros((len(faces), detector.points, 3), np.float32)
        scores = np.zeros((len(faces), detector.scores), np.float32)
        for row, face in enumerate(faces):
            if face is not None:
                points[row] = face.points
                scores[row] = [] if face.blendshapes is None else face.blendshapes
        valid = torch.tensor([face is not None for face in faces])
        return {"points": torch.from_numpy(points), "scores": torch.from_numpy(scores), "valid": valid}

    for part in ranges(frames, detector.part):
        yield keep(f"faces-{part.start}", partial(follow, part))
