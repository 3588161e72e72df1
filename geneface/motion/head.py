"""How the head moves: as in the person's own video, but never the same way twice, and calmly while nobody speaks."""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from geneface.motion.face_motion import Person
from geneface.motion.hearing import Heard
from geneface.utils.units import FPS

LEAST_SEGMENT, MOST_SEGMENT = 3 * FPS, 7 * FPS
"""Frames of the person's track that are played before another part of it is joined on."""
BETWEEN = 32
"""Places of the path between two rows of the track."""
JOIN = 24
"""Frames in which what differs at a join fades away."""
CANDIDATES = 48
"""Places of the track that are looked at for a join; the most alike one is taken."""
TURN_IN_CM = 12.0
"""A turn of one radian moves the face about as much as this shift does: to compare poses."""
SIZES, PACES = (0.8, 1.2), (0.8, 1.15)
"""How far and how fast a piece is played, beside the track; drawn for each."""
CALM_SIZE, CALM_PACE = 0.55, 0.4
"""The same while nobody speaks: the head comes back to the viewer."""
SIZE_EASE, PACE_EASE = 0.03, 0.08
"""How fast the two follow, a frame."""
WIDEST = np.radians(12.0)
"""A turn away from the mean pose comes near to this, and goes no further: a speaker looks at the viewer."""
HOMING, HOMING_EASE = 0.6, 0.03
"""Share of where the head has lately been on average that it is brought back by, and how fast that is followed."""
DRIFT = 0.3
"""Of the track's own deviation: slow waves without a common period, so that no piece comes back as it was."""
DRIFT_HERTZ = (0.03, 0.15)


class HeadWalk:
    """A seeded walk over a track of head poses: pieces of it, forth and back, joined where poses are alike.

    Depends on the seed and on what was heard until then alone, frame by frame, so that cutting a stream changes
    nothing. Two seeds begin in other places and in other directions, and so do two recordings.

    Args:
        track: [N, 3, 4], head to camera.
        reference: [3, 4], about which the head moves.
    """

    def __init__(self, track: np.ndarray, reference: np.ndarray, seed: int):
        self.seed = seed
        # A track that comes back the way it went holds each pose twice.
        half = len(track) // 2
        if half > 1 and np.allclose(track[:half], track[: half - 1 : -1][:half], atol=1e-4):
            track = track[:half]
        turn = Rotation.from_matrix(track[:, :, :3] @ reference[:, :3].T).as_rotvec()
        self.moves = np.concatenate([turn, track[:, :, 3] - reference[:, 3]], axis=1)
        self.path = _between(self.moves)
        self.drift = DRIFT * self.moves.std(0)
        rng = np.random.default_rng([seed, 0x4EAD])
        self.drift_hertz = rng.uniform(*DRIFT_HERTZ, (3, 6))
        self.drift_phase = rng.uniform(0, 2 * np.pi, (3, 6))
        self.frame = self.joins = self.left = self.since = 0
        self.heard: deque[int] = deque(maxlen=4)
        self.spoken = False
        self.row, self.step, self.size = 0.0, 1.0, 1.0
        self.gap = self.gap_speed = np.zeros(6)
        self.last = self.before = self.usual = np.zeros(6)
        self.calm_size, self.calm_pace = CALM_SIZE, CALM_PACE

    def push(self, heard: Heard, speaking: bool) -> np.ndarray:
        """The head's way from the reference in the next frame, [6]: a rotation vector in radians, a shift in cm."""
        self.heard.append(round(2 * heard.level))
        self.calm_size += SIZE_EASE * ((1 if speaking else CALM_SIZE) - self.calm_size)
        self.calm_pace += PACE_EASE * ((1 if speaking else CALM_PACE) - self.calm_pace)
        # What is said first decides, too: silence is alike in all recordings.
        if self.left <= 0 or (speaking and not self.spoken):
            self._join()
        self.spoken |= speaking
        self.since += 1
        found = self._place(self.row)
        if self.since <= JOIN:
            fade = 1 - self.since / (JOIN + 1)
            found = found + fade * fade * (3 - 2 * fade) * (self.gap + self.gap_speed * (self.since - 1))
        self.row += self.step * self.calm_pace
        self.left -= 1
        if not 0 <= self.row <= len(self.moves) - 1:
            self.left = 0
        self.before, self.last = self.last, found
        waves = np.sin(2 * np.pi * self.drift_hertz * self.frame / FPS + self.drift_phase).mean(0)
        self.frame += 1
        self.usual = self.usual + HOMING_EASE * (found - self.usual)
        return _held_back(self.calm_size * (found - HOMING * self.usual) + self.drift * waves)

    def _join(self) -> None:
        """Begin another piece of the track, at a place like that where the last one ended."""
        rng = np.random.default_rng([self.seed, self.joins, *(level % 2**16 for level in self.heard)])
        count, first = len(self.moves), self.joins == 0
        candidates = rng.integers(0, count, 1 if first else CANDIDATES)
        weights = np.array([TURN_IN_CM] * 3 + [1.0] * 3)
        distance = (np.abs(self.moves[candidates] - self.last) * weights).sum(1)
        # The place just left is the most alike of all, and would be the same motion again.
        distance[np.abs(candidates - self.row) < LEAST_SEGMENT // 2] += distance.max()
        row = int(candidates[distance.argmin()])
        step, size = rng.uniform(*PACES) * rng.choice([-1, 1]), rng.uniform(*SIZES)
        # From near an end of the track towards its middle.
        step = abs(step) if row < JOIN else -abs(step) if row >= count - JOIN else step
        self.joins += 1
        self.row, self.step, self.size, self.since = float(row), float(step), float(size), 0
        self.left = int(rng.integers(LEAST_SEGMENT, MOST_SEGMENT))
        if not first:
            # Place and speed of the last frame go over into the piece's own.
            speed = self.last - self.before
            own_speed = self._place(self.row + self.step * self.calm_pace) - self._place(self.row)
            self.gap, self.gap_speed = self.last + speed - self._place(self.row), speed - own_speed

    def _place(self, row: float) -> np.ndarray:
        return self.size * self.path[min(max(round(row * BETWEEN), 0), len(self.path) - 1)]


def _between(moves: np.ndarray) -> np.ndarray:
    """A smooth path [BETWEEN (N - 1) + 1, 6] through moves [N, 6]."""
    count = len(moves)
    if count == 1:
        return moves
    return CubicSpline(np.arange(count), moves)(np.arange(BETWEEN * (count - 1) + 1) / BETWEEN)


def _held_back(moves: np.ndarray) -> np.ndarray:
    """Moves [6] that turn no further than `WIDEST`; small turns stay as they are."""
    turn = math.sqrt(moves[:3] @ moves[:3])
    return moves * (WIDEST * math.tanh(turn / WIDEST) / turn) if turn > 1e-9 else moves


class HeadMotion:
    """Head poses of a stream's frames, in order.

    Args:
        pose: "natural", "still", or [N, 3, 4], head to camera, the last of which is held.
        amount: How far the head goes from the person's mean pose: 0 is still, 1 as the poses say.
    """

    def __init__(self, person: Person, pose: str | np.ndarray, seed: int, amount: float = 1.0):
        self.amount = amount
        self.reference = person.reference_pose.double().cpu().numpy()
        self.given: np.ndarray | None = None
        self.walk: HeadWalk | None = None
        self.frame = 0
        if isinstance(pose, str) and pose == "natural":
            self.walk = HeadWalk(person.pose_track.double().cpu().numpy(), self.reference, seed)
        elif not isinstance(pose, str):
            self.given = np.asarray(pose, np.float64)

    def push(self, heard: Sequence[Heard], speaking: Sequence[bool], nods: Sequence[float]) -> torch.Tensor:
        """[n, 3, 4] float32 of the next frames; a natural head also nods, by so many radians."""
        first, self.frame = self.frame, self.frame + len(heard)
        if self.walk is not None:
            moves = np.stack([self.walk.push(*frame) for frame in zip(heard, speaking, strict=True)])
            moves[:, 0] += nods
            found = self._moved(moves)
        elif self.given is not None:
            found = self.given[np.minimum(np.arange(first, self.frame), len(self.given) - 1)]
            if self.amount != 1:
                turn = Rotation.from_matrix(found[:, :, :3] @ self.reference[:, :3].T).as_rotvec()
                found = self._moved(np.concatenate([turn, found[:, :, 3] - self.reference[:, 3]], axis=1))
        else:
            found = np.repeat(self.reference[None], len(heard), axis=0)
        return torch.from_numpy(found.astype(np.float32))

    def _moved(self, moves: np.ndarray) -> np.ndarray:
        """Poses [n, 3, 4] at `amount` times these moves [n, 6] from the reference."""
        moves = self.amount * moves
        rotation = Rotation.from_rotvec(moves[:, :3]).as_matrix() @ self.reference[:, :3]
        return np.concatenate([rotation, (moves[:, 3:] + self.reference[:, 3])[:, :, None]], axis=2)
