"""A first look through a video: its shots, where the face is, and whether it can be used at all."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from geneface.errors import InputError
from geneface.face.crop import Crop, choose_crop, face_box, fits, roll
from geneface.face.landmarks import FaceFinder
from geneface.media.resample import TOLERANCE, SteadyVideo
from geneface.utils.units import FPS

SHORTEST = 3 * FPS
THUMBNAIL = 48
CUT_LEVELS, CUT_RATIO, CUT_REACH = 10.0, 6.0, 12
"""A cut changes the thumbnail by so many of 255 levels, and by so many times the usual change of the frames around."""
LONGEST_SIDE = 1280
"""Faces are sought in pictures no larger than this."""
SECOND_FACE, SECOND_SHARE = 0.4, 0.1
"""A second face counts from this size beside the first, and is refused from this share of the pictures."""
LYING = 60.0
"""Degrees to the side from which on a head is not held so: the picture is turned."""
TURNS_TRIED = 5
"""So many pictures are also turned, if none of them shows a face as it is."""
LEAST_SEEN = 0.6
"""Share of a shot's pictures that must show the face."""


@dataclass(frozen=True)
class Scan:
    """What a video is, and which part of it is used."""

    width: int
    height: int
    first: int
    """First frame of the shot that is used, at 25 frames/s."""
    frames: int
    cuts: list[int]
    total: int
    """Frames of the whole video."""
    crop: Crop
    as_it_is: bool
    """Whether the video is already such a crop at 25 frames/s."""
    face_pixels: float
    """Height from the brows to the chin in the source."""
    seen: float
    """Share of the pictures looked at that showed the face."""
    notes: list[str] = field(default_factory=list)
    """Sentences on what was put right in the video, see `SteadyVideo.notes`."""

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Scan":
        return cls(**{**content, "crop": Crop(**content["crop"])})


@dataclass
class _Faces:
    """What was found in the pictures that were looked at, by their index."""

    boxes: dict[int, np.ndarray | None] = field(default_factory=dict)
    crowds: dict[int, bool] = field(default_factory=dict)
    rolls: dict[int, float] = field(default_factory=dict)
    turned: list[float] = field(default_factory=list)
    """Of faces that were found only in turned pictures."""

    def look(self, index: int, picture: np.ndarray, scale: float, detector: FaceFinder) -> None:
        """`picture` has one `scale`th of the video's size."""
        found = find_faces(detector, picture)
        self.boxes[index], self.crowds[index] = _largest([scale * face.box for face in found])
        if found:
            self.rolls[index] = max(found, key=lambda face: face.box[3] - face.box[1]).roll
        elif not self.rolls and len(self.boxes) <= TURNS_TRIED:
            self.turned += find_turned(detector, picture)

    def check_upright(self, path: Path) -> None:
        """`InputError` if there is no face, or if faces lie on their side."""
        if not self.rolls:
            refuse_lying(self.turned, path)
            raise InputError(f"no face was found in {path}; give a video of one person who faces the camera")
        refuse_lying(list(self.rolls.values()), path)

    def of_one_person(self, first: int, stop: int, path: Path) -> tuple[np.ndarray, float]:
        """The boxes [n, 4] of the frames `first` to `stop`, and the share of pictures that show a face."""
        looked = [index for index in self.boxes if first <= index < stop]
        seen = [box for index in looked if (box := self.boxes[index]) is not None]
        share = len(seen) / max(len(looked), 1)
        if share < LEAST_SEEN:
            raise InputError(
                f"only {share:.0%} of {path} shows a face; give a part of it in which the person faces the camera"
            )
        if np.mean([self.crowds[index] for index in looked]) > SECOND_SHARE:
            raise InputError(f"several faces are to be seen in {path}; give a video of one person, or crop it")
        return np.array(seen), share


@dataclass
class Overview:
    """A video that was looked through once."""

    faces: _Faces
    cuts: list[int]
    """The frames, at 25 frames/s, before which a new shot begins."""
    times: list[float]
    """Seconds of the picture that each of these frames shows, from the first one."""
    even: bool
    """Whether these are the video's own frames."""

    @property
    def total(self) -> int:
        return len(self.times)

    @property
    def shots(self) -> list[tuple[int, int]]:
        """First frame and the one after the last."""
        return list(pairwise([0, *self.cuts, self.total]))

    def scan(self, video: SteadyVideo, first: int, stop: int) -> Scan:
        """Of the frames `first` to `stop`; `InputError` if they do not show one face well enough."""
        places, share = self.faces.of_one_person(first, stop, video.path)
        as_it_is = self.even and video.plain and not self.cuts and fits(places, video.width, video.height)
        crop = Crop(0.0, 0.0, video.width) if as_it_is else choose_crop(places, video.width, video.height)
        return Scan(
            width=video.width,
            height=video.height,
            first=first,
            frames=stop - first,
            cuts=self.cuts,
            total=self.total,
            crop=crop,
            as_it_is=as_it_is,
            face_pixels=float(np.median(places[:, 3] - places[:, 1])),
            seen=share,
            notes=video.notes,
        )


def look_through(video: SteadyVideo, detector: FaceFinder) -> Overview:
    """Look at all frames of a video; `InputError` if it is too short or shows no upright face."""
    changes = [0.0]
    faces, times = _Faces(), list[float]()
    previous: np.ndarray | None = None
    even = True
    for moment in video:
        times.append(moment.shown)
        even = even and moment.fresh and abs(moment.shown - moment.index / FPS) < TOLERANCE
        thumbnail = video.picture(moment, THUMBNAIL).astype(np.float32)
        if previous is not None:
            changes.append(float(np.abs(thumbnail - previous).mean()))
        previous = thumbnail
        if moment.index % detector.stride == 0:
            picture = video.picture(moment, LONGEST_SIDE)
            faces.look(moment.index, picture, video.width / picture.shape[1], detector)
    total = len(times)
    if total < SHORTEST:
        raise InputError(
            f"{video.path} is {total / FPS:.1f} s long; give at least {SHORTEST // FPS} s, better some minutes"
        )
    faces.check_upright(video.path)
    cuts = sorted({*find_cuts(np.array(changes)), *(cut for cut in video.cuts if 0 < cut < total)})
    return Overview(faces, cuts, times, even)


def scan_video(video: SteadyVideo, detector: FaceFinder) -> Scan:
    """Look at all frames of a video and choose its longest shot; `InputError` that says why it cannot be used."""
    found = look_through(video, detector)
    first, stop = longest_shot(found.cuts, found.total, found.faces.boxes)
    if stop - first < SHORTEST:
        raise InputError(
            f"{video.path} is cut into shots of less than {SHORTEST // FPS} s; give a video of one person in one shot"
        )
    return found.scan(video, first, stop)


def refuse_lying(rolls: Sequence[float], path: Path) -> None:
    """`InputError` if the pictures of a video are turned, judged by the faces' `roll` in degrees."""
    turns = np.exp(1j * np.radians(rolls))
    turned = float(np.degrees(np.angle(turns.mean()))) if len(rolls) else 0.0
    if abs(turned) > LYING:
        quarters = round(turned / 90) % 4
        advice = {1: "transpose=2", 2: "transpose=1,transpose=1", 3: "transpose=1"}[quarters]
        way = {1: "is turned to the right", 2: "is upside down", 3: "is turned to the left"}[quarters]
        raise InputError(
            f"the person in {path} {way}: turn the video upright, for example with ffmpeg -i {path.name} "
            f"-vf {advice} upright.mp4"
        )


class Seen(NamedTuple):
    """A face in a picture."""

    box: np.ndarray
    """[4]"""
    roll: float
    """Degrees by which it is turned clockwise."""


def find_faces(detector: FaceFinder, picture: np.ndarray) -> list[Seen]:
    """The faces in a picture; where there seem to be none, small ones are sought in parts of it."""
    height, width = picture.shape[0] * 5 // 9, picture.shape[1] * 5 // 9
    corners = [(x, y) for y in (0, picture.shape[0] - height) for x in (0, width * 2 // 5, picture.shape[1] - width)]
    parts = [(0, 0, picture), *((x, y, picture[y : y + height, x : x + width]) for x, y in corners)]
    for left, top, part in parts:
        if found := detector.find(part):
            faces = [face.points[detector.order_68] for face in found]
            return [Seen(face_box(points) + np.array([left, top] * 2), roll(points)) for points in faces]
    return []


def find_turned(detector: FaceFinder, picture: np.ndarray) -> list[float]:
    """The rolls of faces in a picture that can be seen only if it is turned by 90, 180 or 270 degrees."""
    turns = ((90 * quarters, np.ascontiguousarray(np.rot90(picture, quarters))) for quarters in (1, 2, 3))
    return [face.roll + angle for angle, turned in turns for face in find_faces(detector, turned)[:1]]


def _largest(boxes: list[np.ndarray]) -> tuple[np.ndarray | None, bool]:
    """The largest of some faces, and whether there is another that counts."""
    ordered = sorted(boxes, key=lambda box: box[1] - box[3])
    if not ordered:
        return None, False
    first = ordered[0]
    for other in ordered[1:]:
        middle = (other[:2] + other[2:]) / 2
        apart = (middle < first[:2]).any() or (middle > first[2:]).any()
        if apart and other[3] - other[1] > SECOND_FACE * (first[3] - first[1]):
            return first, True
    return first, False


def find_cuts(changes: np.ndarray) -> list[int]:
    """The frames at which another shot begins, from how much each frame differs from the one before."""
    cuts = []
    for index in np.flatnonzero(changes > CUT_LEVELS):
        around = np.append(changes[max(index - CUT_REACH, 0) : index], changes[index + 1 : index + 1 + CUT_REACH])
        if changes[index] > CUT_RATIO * (np.median(around) + 0.5):
            cuts.append(int(index))
    return cuts


def longest_shot(cuts: list[int], total: int, boxes: dict[int, np.ndarray | None]) -> tuple[int, int]:
    """The shot in which most pictures show a face, as (first, stop)."""
    borders = [0, *cuts, total]

    def faces(shot: tuple[int, int]) -> tuple[int, int]:
        seen = sum(box is not None for index, box in boxes.items() if shot[0] <= index < shot[1])
        return seen, shot[1] - shot[0]

    return max(pairwise(borders), key=faces)
