"""How the head moves: as in the person's own video, but never the same way twice."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from geneface.motion.face_motion import Person
from geneface.units import FPS

LEAST_SEGMENT, MOST_SEGMENT = 4 * FPS, 9 * FPS
"""Frames of the person's track that are played before another part of it is joined on."""
JOIN = 16
"""Frames in which what differs at a join fades away."""
CANDIDATES = 24
"""Places of the track that are looked at for a join; the most alike one is taken."""
TURN_IN_CM = 12.0
"""A turn of one radian moves the face about as much as this shift does: to compare poses."""


class HeadWalk:
    """A seeded walk over a track of head poses: pieces of it, forth and back, joined where poses are alike.

    Depends on the seed and on absolute frame numbers alone, so that cutting a stream changes nothing. Two seeds
    begin in other places and in other directions.

    Args:
        track: [N, 3, 4], head to camera.
        reference: [3, 4], about which the head moves.
    """

    def __init__(self, track: np.ndarray, reference: np.ndarray, seed: int):
        self.reference = reference.astype(np.float64)
        # A track that comes back the way it went holds each pose twice.
        half = len(track) // 2
        if half > 1 and np.allclose(track[:half], track[: half - 1 : -1][:half], atol=1e-4):
            track = track[:half]
        turn = Rotation.from_matrix(track[:, :, :3] @ self.reference[:, :3].T).as_rotvec()
        self.moves = np.concatenate([turn, track[:, :, 3] - self.reference[:, 3]], axis=1)
        self.rng = np.random.default_rng([seed, 0x4EAD])
        self.walked = np.zeros((0, 6))
        self.row = int(self.rng.integers(len(track)))
        self.step = 1 if self.rng.random() < 0.5 else -1

    def poses(self, start: int, stop: int, amount: float = 1.0) -> np.ndarray:
        """Head poses [stop - start, 3, 4] of frames [start, stop); `amount` scales how far the head goes."""
        while len(self.walked) < stop:
            self._walk()
        moves = amount * self.walked[start:stop]
        rotation = Rotation.from_rotvec(moves[:, :3]).as_matrix() @ self.reference[:, :3]
        return np.concatenate([rotation, (moves[:, 3:] + self.reference[:, 3])[:, :, None]], axis=2)

    def _walk(self) -> None:
        """Walk one more piece of the track, from a place like that where the last one ended."""
        length = int(self.rng.integers(LEAST_SEGMENT, MOST_SEGMENT))
        rows = self._rows(self.row, self.step, length)
        piece = self.moves[rows].copy()
        if len(self.walked) > 1:
            # The place and the speed of the last frame go over into the piece's own within a few frames.
            last, speed = self.walked[-1], self.walked[-1] - self.walked[-2]
            frames = np.arange(1, min(JOIN, length) + 1)[:, None]
            fade = 1 - frames / (JOIN + 1)
            fade = fade * fade * (3 - 2 * fade)
            own_speed = piece[1] - piece[0] if length > 1 else 0 * speed
            piece[: len(frames)] += fade * (last + speed - piece[0] + (speed - own_speed) * (frames - 1))
        self.walked = np.concatenate([self.walked, piece])
        self._choose_next(int(rows[-1]))

    def _choose_next(self, row: int) -> None:
        candidates = self.rng.integers(0, len(self.moves), CANDIDATES)
        weights = np.array([TURN_IN_CM] * 3 + [1.0] * 3)
        distance = (np.abs(self.moves[candidates] - self.moves[row]) * weights).sum(1)
        # The place just left is the most alike of all, and would be the same motion again.
        distance[np.abs(candidates - row) < LEAST_SEGMENT // 2] += distance.max()
        self.row = int(candidates[distance.argmin()])
        self.step = 1 if self.rng.random() < 0.5 else -1

    def _rows(self, row: int, step: int, length: int) -> np.ndarray:
        """Rows of the track from `row` on, turned round at its ends."""
        count = len(self.moves)
        if count == 1:
            return np.zeros(length, int)
        there = np.concatenate([np.arange(count), np.arange(count - 2, 0, -1)])
        first = row if step > 0 else -row % len(there)
        return there[(first + np.arange(length)) % len(there)]


class HeadMotion:
    """Head poses of a stream's frames, one piece after the other.

    Args:
        pose: "natural", "still", or [N, 3, 4], head to camera, the last of which is held.
        amount: How far the head goes from the person's mean pose: 0 is still, 1 as the poses say.
    """

    def __init__(self, person: Person, pose: str | np.ndarray, seed: int, amount: float = 1.0):
        self.amount = amount
        self.reference = person.reference_pose.double().cpu().numpy()
        self.given: np.ndarray | None = None
        self.walk: HeadWalk | None = None
        if isinstance(pose, str) and pose == "natural":
            self.walk = HeadWalk(person.pose_track.double().cpu().numpy(), self.reference, seed)
        elif not isinstance(pose, str):
            self.given = np.asarray(pose, np.float64)

    def poses(self, start: int, stop: int) -> torch.Tensor:
        """[stop - start, 3, 4] float32, of frames [start, stop)."""
        if self.walk is not None:
            found = self.walk.poses(start, stop, self.amount)
        elif self.given is not None:
            found = self._scaled(self.given[np.minimum(np.arange(start, stop), len(self.given) - 1)])
        else:
            found = np.repeat(self.reference[None], stop - start, axis=0)
        return torch.from_numpy(found.astype(np.float32))

    def _scaled(self, poses: np.ndarray) -> np.ndarray:
        if self.amount == 1:
            return poses
        turn = Rotation.from_matrix(poses[:, :, :3] @ self.reference[:, :3].T) ** self.amount
        shift = self.reference[:, 3] + self.amount * (poses[:, :, 3] - self.reference[:, 3])
        return np.concatenate([turn.as_matrix() @ self.reference[:, :3], shift[:, :, None]], axis=2)
