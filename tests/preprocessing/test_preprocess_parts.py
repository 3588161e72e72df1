"""The parts of preprocessing, with a detector that sees a bright square as a face: no MediaPipe needed."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from square_detector import SquareDetector

from geneface.bundles.component import read_tensors
from geneface.datasets.rows import RowWriter, map_rows
from geneface.errors import InputError
from geneface.face.crop import Crop
from geneface.face.face_model import FaceModel
from geneface.face.landmarks import Face
from geneface.media.resample import SteadyVideo
from geneface.preprocessing import preprocess as module
from geneface.preprocessing.background import clean_plate, fill
from geneface.preprocessing.contact_sheet import Sheet, draw_sheet, face_polygons, shade_mesh
from geneface.preprocessing.preprocess import Settings, preprocess
from geneface.preprocessing.preprocess_steps import Step
from geneface.preprocessing.report import Figures, find_warnings
from geneface.preprocessing.scan import Scan, find_cuts, find_turned, longest_shot, scan_video


def film(path: Path, frames: int = 100, size: tuple[int, int] = (640, 360), cut: int | None = None, face: int = 100):
    """A grey scene with a white square that drifts; from `cut` on another scene."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index in range(frames):
            picture = np.full((size[1], size[0], 3), 150 if cut is not None and index >= cut else 60, np.uint8)
            picture[100 : 100 + face, 200 + index // 4 : 200 + index // 4 + face] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


def scan(path: Path, faces: int = 1) -> Scan:
    with SteadyVideo(path) as video:
        return scan_video(video, SquareDetector(faces))


def test_a_scan_finds_shot_and_square(tmp_path: Path) -> None:
    found = scan(film(tmp_path / "a.mp4"))
    assert (found.first, found.frames, found.cuts, found.as_it_is) == (0, 100, [], False)
    assert found.face_pixels == pytest.approx(100, abs=3) and found.seen == 1
    left, top, right, bottom = found.crop.box
    assert left < 200 and right > 325 and top < 100 and bottom > 200 and right - left == pytest.approx(bottom - top)
    assert Scan.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_fitting_crop_is_taken_as_it_is(tmp_path: Path) -> None:
    found = scan(film(tmp_path / "a.mp4", size=(512, 512), face=180))
    assert found.as_it_is and found.crop == Crop(0, 0, 512)


def test_the_longest_shot_is_used(tmp_path: Path) -> None:
    found = scan(film(tmp_path / "a.mp4", frames=130, cut=40))
    assert found.cuts == [40] and (found.first, found.frames) == (40, 90)


@pytest.mark.parametrize(
    ("options", "faces", "message"),
    [
        ({"frames": 50}, 1, r"2\.0 s long"),
        ({"face": 0}, 1, "no face"),
        ({"face": 30}, 1, "too small"),
        ({}, 2, "several faces"),
        ({"frames": 130, "cut": 65}, 1, "shots of less than 3 s"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, options, faces: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scan(film(tmp_path / "a.mp4", **options), faces)


class EyesAcross(SquareDetector):
    """A bright square with eyes in a line that is turned; if `shy`, only where the picture is brightest at its top."""

    def __init__(self, roll: float, shy: bool = False):
        super().__init__()
        self.roll, self.shy = np.radians(roll), shy

    def find(self, picture: np.ndarray) -> list[Face]:
        down, across = (np.gradient(picture[..., 0].astype(float).mean(axis)).mean() for axis in (1, 0))
        if self.shy and not -down > abs(across):
            return []
        found = super().find(picture)
        for face in found:
            middle = face.points.mean(0)
            across = 20 * np.array([np.cos(self.roll), np.sin(self.roll), 0])
            face.points[36:42], face.points[42:48] = middle - across, middle + across
        return found


@pytest.mark.parametrize(
    ("roll", "words"),
    [
        (90, "turned to the right.*transpose=2 "),
        (-80, "turned to the left.*transpose=1 "),
        (175, "upside down.*transpose=1,transpose=1 "),
        (-40, ""),
    ],
)
def test_a_film_that_is_turned_is_refused(tmp_path: Path, roll: float, words: str) -> None:
    with SteadyVideo(film(tmp_path / "a.mp4")) as video:
        if not words:
            assert scan_video(video, EyesAcross(roll)).seen == 1
            return
        with pytest.raises(InputError, match=words):
            scan_video(video, EyesAcross(roll))


@pytest.mark.parametrize(("quarters", "roll"), [(0, None), (1, -90), (2, 180), (3, 90)])
def test_faces_are_sought_in_turned_pictures(quarters: int, roll: float | None) -> None:
    picture = np.zeros((240, 320, 3), np.uint8) + np.linspace(150, 0, 240).astype(np.uint8)[:, None, None]
    picture[100:140, 140:180] = 255
    found = find_turned(EyesAcross(0, shy=True), np.ascontiguousarray(np.rot90(picture, quarters)))
    assert {(angle + 180) % 360 - 180 for angle in found} == ({(roll + 180) % 360 - 180} if roll else set())


def test_cuts_are_told_from_motion_and_flicker() -> None:
    rng = np.random.default_rng(0)
    calm = rng.uniform(0.5, 2, 200)
    calm[[50, 120]] = [40, 14]
    assert find_cuts(calm) == [50, 120]
    assert find_cuts(rng.uniform(8, 14, 200)) == [], "a shaking camera"
    assert longest_shot([50, 120], 200, {index: np.zeros(4) for index in range(0, 200, 5)}) == (120, 200)
    assert longest_shot([50], 200, {index: np.zeros(4) if index < 50 else None for index in range(0, 200, 5)}) == (
        0,
        50,
    )


def test_the_plate_is_the_scene_behind_a_moving_person() -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    pictures, masks = [], []
    for index in range(20):
        picture, mask = scene.copy(), np.zeros((16, 16), np.uint8)
        left = index // 2
        mask[8:, left : left + 4] = 1
        picture[32:, 4 * left : 4 * left + 16] = 255
        pictures.append(picture)
        masks.append(mask)
    plate = clean_plate(pictures, masks)
    assert plate.seen > 0.95 and plate.unrest < 1
    assert np.abs(plate.picture[:20].astype(int) - scene[:20]).max() == 0
    assert (np.abs(plate.picture.astype(int) - scene).max(-1) == 0).mean() > 0.95


def test_what_is_never_seen_is_filled_from_around_it() -> None:
    picture = np.full((50, 70, 3), 100, np.float32)
    known = np.ones((50, 70), bool)
    known[10:40, 20:60] = False
    picture[~known] = 0
    np.testing.assert_allclose(fill(picture, known), 100, atol=0.1)


def test_rows_are_a_safetensors_file(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "a.safetensors", "masks", (3, 2), "U8") as rows:
        rows.add(np.arange(12).reshape(2, 3, 2))
        rows.add(np.arange(6).reshape(1, 3, 2))
    expected = np.concatenate([np.arange(12), np.arange(6)]).reshape(3, 3, 2)
    assert (map_rows(tmp_path / "a.safetensors") == expected).all()
    assert (read_tensors(tmp_path / "a.safetensors")["masks"].numpy() == expected).all()
    with pytest.raises(RuntimeError), RowWriter(tmp_path / "b.safetensors", "x", (1,), "F32"):
        raise RuntimeError
    assert not list(tmp_path.glob("b*"))


def test_warnings_say_what_is_wrong() -> None:
    good = Figures(300, 0, 1, 15, 0.3, -20, 60, 0.3, 0.2, 0.5, 1, 1)
    fine = Scan(1920, 1080, 0, 7500, [], 7500, Crop(0, 0, 512), False, 300, 1)
    assert find_warnings(good, fine) == []
    bad = Figures(20, 0.1, 5, 60, 0, -60, 0, 0.01, 0, 0.5, 30, 3)
    told = find_warnings(bad, Scan(1920, 1080, 50, 500, [50], 550, Crop(0, 0, 512), False, 60, 1))
    assert len(told) == 10 and "2.0 to 22.0 s" in told[0]


def test_the_sheet_is_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    polygon = torch.tensor([[0, 1, 2, 3]])
    vertices = torch.tensor([[[-5.0, -5, 0], [5, -5, 0], [5, 5, 0], [-5, 5, 0]]] * 6)
    pose = torch.tensor([[[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 60]]] * 6)
    intrinsics = torch.tensor([[1000.0, 0, 256], [0, 1000, 256], [0, 0, 1]])
    pixels, shades, polygons = shade_mesh(vertices, pose, intrinsics, polygon)
    assert pixels[0, 2] == pytest.approx([256 + 5000 / 60, 256 - 5000 / 60]) and shades.min() > 0
    away = shade_mesh(vertices.flip(1), pose, intrinsics, polygon)[1]
    assert (away == 0).all()
    sheet = Sheet(
        title="a",
        figures=["b"],
        warnings=["c"],
        source=np.zeros((90, 160, 3), np.uint8),
        crop=Crop(10, 10, 50),
        background=np.zeros((512, 512, 3), np.uint8),
        chosen=list(range(6)),
        pictures=[rng.integers(0, 255, (512, 512, 3), dtype=np.uint8) for _ in range(6)],
        landmarks=rng.uniform(100, 400, (6, 478, 3)),
        vertices=pixels,
        shades=shades,
        polygons=polygons,
        masks=[np.ones((128, 128), np.uint8)] * 6,
        opening=rng.uniform(size=100),
        loudness=np.zeros(100),
    )
    draw_sheet(sheet, tmp_path / "sheet.png")
    from geneface.media.image import read_image

    page = read_image(tmp_path / "sheet.png")
    assert page.shape[1] > 1500 and page.std() > 10


def test_steps_are_kept_and_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    broken = {"b.txt"}

    def step(name: str):
        def run(job: module.Job, path: Path) -> None:
            done.append(name)
            path.write_text("half")
            if name in broken:
                path.with_name(f".{path.stem}.k1ll3d.mp4").write_text("half")
                raise KeyboardInterrupt
            path.write_text(str(job.video.stat().st_size))

        return Step(name, run, f"making {name}")

    monkeypatch.setattr(module, "STEPS", tuple(step(name) for name in ("a.txt", "b.txt", "c.txt")))
    monkeypatch.setattr(module, "_manifest", lambda job, made_of: {"made_of": made_of})
    (tmp_path / "v.mp4").write_bytes(b"video")
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        preprocess(tmp_path / "v.mp4", target)
    assert not target.exists()
    broken.clear()
    assert preprocess(tmp_path / "v.mp4", target) == target
    assert done == ["a.txt", "b.txt", "b.txt", "c.txt"] and (target / "b.txt").read_text() == "5"
    kept = {"a.txt", "b.txt", "c.txt", "manifest.json"}
    assert {path.name for path in target.iterdir()} == kept, "nothing half-written is left"
    preprocess(tmp_path / "v.mp4", target)
    assert len(done) == 4, "finished: nothing is done again"
    with pytest.raises(InputError, match="something else"):
        preprocess(tmp_path / "v.mp4", target, Settings(landmarks="face-alignment"))


def test_another_video_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def run(job: module.Job, path: Path) -> None:
        done.append(job.video.stat().st_size)
        path.write_text("done")

    def stop(job: module.Job, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "STEPS", (Step("a.txt", run, "a"), Step("b.txt", stop, "b")))
    for content in (b"video", b"video", b"another"):
        if not (tmp_path / "v.mp4").exists() or (tmp_path / "v.mp4").read_bytes() != content:
            (tmp_path / "v.mp4").write_bytes(content)
        with pytest.raises(KeyboardInterrupt):
            preprocess(tmp_path / "v.mp4", tmp_path / "out")
    assert done == [5, 7]


def test_bad_arguments_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.mp4"):
        preprocess(tmp_path / "nothing.mp4", tmp_path / "out")
    with pytest.raises(InputError, match="face-alignment"):
        preprocess(tmp_path / "nothing.mp4", tmp_path / "out", Settings(landmarks="dlib"))
    (tmp_path / "v.mp4").write_bytes(b"junk")
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="exists"):
        preprocess(tmp_path / "v.mp4", tmp_path / "there")
    with pytest.raises(InputError, match="cannot be read"):
        preprocess(tmp_path / "v.mp4", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there", "v.mp4"], "a refused video leaves nothing"


@pytest.mark.real_data
def test_the_polygons_drawn_are_the_face(shared: Path) -> None:
    face = FaceModel.load(shared / "models/ict_face_model.safetensors")
    middle = face.mean[face_polygons(face)].mean(1)
    assert 3000 < len(middle) < len(face.faces) and middle[:, 2].min() > 0
