"""Every long step of preprocessing goes on in the middle, and ends as if it had never been interrupted."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_person import Actor, ColourParser, NumberDetector, no_correspondence, write_drawn_face
from square_detector import SquareDetector

from geneface.errors import InputError
from geneface.face import alignment, tracking
from geneface.face.landmarks import Face
from geneface.face.parsing import FaceParser
from geneface.face.parts import Course, Tensors
from geneface.hub import assets
from geneface.media import segments
from geneface.media.video import VideoReader
from geneface.preprocessing import preprocess_steps
from geneface.preprocessing.following import Remembering, follow_face
from geneface.preprocessing.parts import Parts
from geneface.preprocessing.preprocess import preprocess

FRAMES = 100


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The video of a drawn head in a strip of a wider scene, so that it has to be cut out; small parts."""
    folder = tmp_path_factory.mktemp("drawn")
    actor = Actor(write_drawn_face(folder / "face.safetensors"), FRAMES)
    video = actor.write_video(folder / "video.mp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preprocess_steps.Job, "detector", lambda self: NumberDetector(actor))
        patch.setattr(preprocess_steps, "FaceParser", ColourParser)
        patch.setattr(preprocess_steps, "find_correspondence", no_correspondence)
        patch.setattr(preprocess_steps, "_copied", lambda *stream: False)
        patch.setattr(assets, "get_asset", lambda *asset: folder / "face.safetensors")
        patch.setattr(tracking, "CHUNK", 60)
        patch.setattr(alignment, "BATCH", 64)
        patch.setattr(segments, "SEGMENT", 40)
        yield video


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


class Interrupted(Parts):
    """Is killed after so many parts were made, and notes which."""

    made: list[str]
    patience = 10**9

    def __call__(self, name, make):
        def noted() -> Tensors:
            if Interrupted.patience == 0:
                raise KeyboardInterrupt
            Interrupted.patience -= 1
            Interrupted.made.append(f"{self._folder.name}/{name}")
            return make()

        return super().__call__(name, noted)


@pytest.mark.slow
def test_a_dataset_is_the_same_however_often_it_was_killed(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocess_steps, "Parts", Interrupted)
    Interrupted.made, Interrupted.patience = [], 10**9
    whole = digests(preprocess(drawn, tmp_path / "whole"))
    parts, Interrupted.made = Interrupted.made, []
    steps = {name.split("/")[0] for name in parts}
    assert steps == {"scan", "landmarks", "masks", "tracks", "features"} and len(set(parts)) == len(parts)
    assert sum(name.startswith("tracks/") for name in parts) == 9, (
        "person, 2 x 2 of motion, corners, 2 of poses, torso"
    )
    kills = 0
    while not (tmp_path / "killed").exists():
        Interrupted.patience = 7
        try:
            preprocess(drawn, tmp_path / "killed")
        except KeyboardInterrupt as stop:
            kills += 1
            assert str(tmp_path / ".killed.unfinished") in stop.__notes__[0]
    assert digests(tmp_path / "killed") == whole
    assert kills == (len(parts) - 1) // 7 and Interrupted.made == parts, "nothing is made twice"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]


def test_stopped_at_once_nothing_is_left(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*job: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(preprocess_steps, "sound_start", interrupted)
    with pytest.raises(KeyboardInterrupt) as stop:
        preprocess(drawn, tmp_path / "dataset")
    assert not hasattr(stop.value, "__notes__") and not list(tmp_path.iterdir())


def test_parts_overlap(tmp_path: Path) -> None:
    pictures = [np.full((2, 2, 3), number, np.uint8) for number in range(10)]
    looked: list[int] = []

    def shown() -> Iterator[np.ndarray]:
        for number, picture in enumerate(pictures):
            looked.append(number)
            yield picture

    course = Course(shown(), overlap=3)
    for first, stop in ((1, 3), (2, 6), (3, 7), (7, 7), (8, 12)):
        assert [int(picture[0, 0, 0]) for picture in course.part(first, stop)] == list(range(first, min(stop, 10)))
        assert looked == list(range(min(stop, 10))), "no further than asked for"


def test_a_damaged_part_is_made_anew(tmp_path: Path) -> None:
    keep = Parts(tmp_path / "parts")
    made = keep("a", lambda: {"x": torch.arange(3)})["x"]
    assert torch.equal(keep("a", lambda: pytest.fail("it is there"))["x"], made)
    (tmp_path / "parts" / "a.safetensors").write_bytes(bytes(50))
    assert torch.equal(keep("a", lambda: {"x": torch.arange(4)})["x"], torch.arange(4))
    with pytest.raises(InputError, match="no"):
        keep("b", lambda: (_ for _ in ()).throw(InputError("no")))
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["a.safetensors"]


class Averaging(SquareDetector):
    """Finds the mean of what it has seen since it was restarted, of three pictures at most."""

    def restart(self) -> None:
        self.seen: list[np.ndarray] = []

    def follow(self, picture: np.ndarray) -> Face | None:
        face = super().follow(picture)
        if face is None:
            return None
        self.seen = [*self.seen[-2:], face.points]
        return Face(np.mean(self.seen, axis=0, dtype=np.float32), None)


def test_what_a_detector_finds_does_not_depend_on_the_parts(tmp_path: Path) -> None:
    pictures = [np.zeros((64, 64, 3), np.uint8) for _ in range(50)]
    for number, picture in enumerate(pictures):
        picture[10:30, number // 3 : number // 3 + 20] = 255 * (number != 30)
    detector = Averaging()
    assert detector.part == 20 and detector.lead_in == 3
    found = list(follow_face(detector, pictures, 50, Parts(tmp_path / "parts")))
    assert [len(part["points"]) for part in found] == [20, 20, 10] and found[0]["scores"].shape == (20, 0)
    detector.restart()
    whole = [detector.follow(picture) for picture in pictures]
    valid = torch.cat([part["valid"] for part in found])
    assert valid.tolist() == [face is not None for face in whole] and not valid[30]
    for points, face in zip(torch.cat([part["points"] for part in found]), whole, strict=True):
        assert np.array_equal(points, np.zeros((68, 3)) if face is None else face.points)


def test_a_second_run_does_not_look_again(tmp_path: Path) -> None:
    bright, dark = np.full((20, 20, 3), 255, np.uint8), np.zeros((20, 20, 3), np.uint8)
    first = Remembering(SquareDetector(2), Parts(tmp_path / "parts"))
    found = [first.find(picture) for picture in (bright, dark)]
    again = Remembering(SquareDetector(0), Parts(tmp_path / "parts"))
    for before, picture in zip(found, (dark, bright), strict=True):
        known = again.find(picture)
        assert len(known) == len(before)
        assert all(np.array_equal(one.points, two.points) for one, two in zip(known, before, strict=True))
    assert not again.find(bright), "what was not looked at yet"


class Parser(FaceParser):
    """Knows nothing; like the real one, its masks depend on the neighbours."""

    def __init__(self) -> None:
        pass

    def shares(self, picture: np.ndarray) -> np.ndarray:
        return np.random.default_rng(int(picture[0, 0, 0])).random((128, 128, 2), np.float32)


def test_masks_do_not_depend_on_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace
    from typing import Any

    from geneface.datasets.rows import map_rows
    from geneface.preprocessing.preprocess_steps import StepProgress, _masks

    pictures = [np.full((8, 8, 3), index, np.uint8) for index in range(12)]
    monkeypatch.setattr(preprocess_steps, "FaceParser", lambda model: Parser())
    monkeypatch.setattr(preprocess_steps, "MASKS_PART", 5)
    job: Any = SimpleNamespace(
        progress=StepProgress(), frames=lambda: iter(pictures), asset=lambda asset: tmp_path,
        scan=lambda: SimpleNamespace(frames=12), parts=lambda step: Parts(tmp_path / step),
    )  # fmt: skip
    _masks(job, tmp_path / "masks.safetensors")
    assert np.array_equal(map_rows(tmp_path / "masks.safetensors"), list(Parser().masks(pictures)))


def test_segments_are_one_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT", 30)
    made: list[int] = []

    def picture(number: int) -> np.ndarray:
        made.append(number)
        if number == dies_at:
            raise KeyboardInterrupt
        return np.full((32, 48, 3), 20 + 2 * number, np.uint8)

    def write(name: str) -> Path:
        calls = ((lambda number=number: picture(number)) for number in range(75))
        segments.write_in_segments(tmp_path / name, calls, 75, tmp_path / "segments", crf=12)
        return tmp_path / name

    dies_at = -1
    whole = write("whole.mp4")
    with VideoReader(whole) as reader:
        levels = [float(frame.mean()) for frame in reader]
        assert reader.fps == 25
    assert len(levels) == 75 and np.abs(np.array(levels) - 20 - 2 * np.arange(75)).max() < 3
    for path in (tmp_path / "segments").iterdir():
        path.unlink()
    for number in (40, 74):
        dies_at = number
        with pytest.raises(KeyboardInterrupt):
            write("again.mp4")
    dies_at, made[:] = -1, []
    assert write("again.mp4").read_bytes() == whole.read_bytes() and made == list(range(60, 75))
