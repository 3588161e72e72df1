"""The pictures of the dubbed video: the video's own at their own times, and then on and on within its last shot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geneface.dubbing.shots import Shot
from geneface.media.resample import SteadyVideo
from geneface.utils.units import FPS

TURN = 1.0
"""Seconds at each end of a shot in which the calmest picture is sought, to turn round there."""
AT_ONCE = 48
"""Pictures that are held in memory to be shown in reverse."""


@dataclass(frozen=True)
class Reel:
    """What is seen when.

    Attributes:
        runs: Numbers of the video's pictures, up or down, one after the other.
        starts: When each of these is first seen, in seconds [n].
        end: When the last one has been seen.
        sources: Each one's time in the video, in seconds from its first picture [n].
    """

    path: Path
    runs: list[range]
    starts: np.ndarray
    end: float
    sources: np.ndarray

    def __iter__(self) -> Iterator[np.ndarray]:
        """The pictures, uint8 [H, W, 3].

        Nothing is sought in the file, which not all formats allow: each run reads it from its beginning.
        """
        for run in self.runs:
            if run.step > 0:
                yield from self._read(run[0], run[-1])
                continue
            for start in range(0, len(run), AT_ONCE):
                part = run[start : start + AT_ONCE]
                yield from reversed(list(self._read(part[-1], part[0])))

    def _read(self, first: int, last: int) -> Iterator[np.ndarray]:
        with SteadyVideo(self.path) as video:
            for moment in video.own_pictures():
                if moment.index >= first:
                    yield video.picture(moment)
                if moment.index >= last:
                    return


def plan_reel(path: Path, seconds: float, shots: Sequence[Shot]) -> Reel:
    """The video `path` for so many seconds; if it is shorter, its last followed shot goes on.

    That runs back and forth between its calmest pictures near its ends, so that nothing jumps.
    """
    with SteadyVideo(path) as video:
        times = np.array([moment.shown for moment in video.own_pictures()])
    step = (times[-1] - times[0]) / max(len(times) - 1, 1) or 1 / FPS
    lengths = np.diff(times, append=times[-1] + step)
    numbers: list[int] = []
    runs: list[range] = []
    left = seconds
    for run in filter(None, _runs(times, seconds > times[-1] + step, shots[-1])):
        needed = int(np.searchsorted(np.cumsum(lengths[run]), left - 1e-6)) + 1
        runs.append(run[:needed])
        numbers += runs[-1]
        left -= float(lengths[runs[-1]].sum())
        if left <= 1e-6:
            break
    ends = np.cumsum(lengths[numbers])
    return Reel(path, runs, np.concatenate([[0.0], ends[:-1]]), float(ends[-1]), times[numbers])


def _runs(times: np.ndarray, longer: bool, last: Shot) -> Iterator[range]:
    if not longer:
        yield range(len(times))
        return
    low, high = _turning_points(times, last)
    if last.times[-1] + 2 / FPS >= times[-1]:
        yield range(high)
    else:  # Other shots come after it: one cut more leads back.
        yield range(len(times))
        yield range(low, high)
    while True:
        yield range(high, low, -1) or range(high, high + 1)  # A picture that is seen for seconds is both ends.
        yield range(low, high)


def _turning_points(times: np.ndarray, shot: Shot) -> tuple[int, int]:
    """Numbers of the pictures near the beginning and the end of a shot in which the face moves least."""
    points = shot.data.tracks["landmarks_2d"].float().numpy()
    speed = np.linalg.norm(np.gradient(points, axis=0), axis=-1).mean(1)
    near = min(round(TURN * FPS), len(speed) // 3)
    calm = int(speed[1:near].argmin()) + 1, len(speed) - near + int(speed[-near:-1].argmin())
    low, high = (int(np.abs(times - shot.times[frame]).argmin()) for frame in calm)
    return low, high
