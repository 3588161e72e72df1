"""Pictures of odd files: mirrored, HDR, untagged, interlaced, unseekable, stills before the film, deep greys."""

from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from odd_files import beep, film, set_matrix
from PIL import Image

from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.media.pictures import check_colours
from geneface.media.remux import remux
from geneface.media.resample import SteadyVideo
from geneface.media.video import VideoReader, probe
from geneface.media.watermark_reader import sample_frames
from tests.odd_media.files import FILMS

CORNERS = {"red": (240, 20, 20), "green": (20, 240, 20), "blue": (20, 20, 240), "white": (240, 240, 240)}
SKIN = (224, 172, 140)
REC2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


def corners(picture: np.ndarray) -> list[str]:
    """The colours in the four quarters of a picture, row by row."""
    height, width = picture.shape[:2]
    found = []
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            found.append(min(CORNERS, key=lambda name: np.abs(picture[y, x].astype(int) - CORNERS[name]).sum()))
    return found


def quartered(path: Path) -> Path:
    picture = np.zeros((96, 64, 3), np.uint8)
    for index, colour in enumerate(CORNERS.values()):
        y, x = 48 * (index // 2), 32 * (index % 2)
        picture[y : y + 48, x : x + 32] = colour
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 96, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), "red green blue white"),
        ((-1, 0, 0, 1), "green red white blue"),
        ((1, 0, 0, -1), "blue white red green"),
        ((-1, 0, 0, -1), "white blue green red"),
        ((0, 1, -1, 0), "blue red white green"),
        ((0, -1, 1, 0), "green white red blue"),
        ((0, 1, 1, 0), "red blue green white"),
        ((0, -1, -1, 0), "white green blue red"),
    ],
)
def test_pictures_are_turned_and_mirrored_as_players_do(
    tmp_path: Path, matrix: tuple[int, int, int, int], expected: str
) -> None:
    path = set_matrix(quartered(tmp_path / "a.mp4"), tmp_path / "b.mp4", *matrix)
    shape = (64, 96, 3) if matrix[0] == 0 else (96, 64, 3)
    with SteadyVideo(path) as video, VideoReader(path) as reader:
        picture = video.picture(next(iter(video)))
        assert picture.shape == shape == (video.height, video.width, 3) == (reader.height, reader.width, 3)
        assert corners(picture) == corners(next(iter(reader))) == expected.split()
        assert video.plain == (matrix == (1, 0, 0, 1))


def record(
    path: Path, frame: Any, count: int, codec: str, size: tuple[int, int], pix_fmt: str, **context: Any
) -> Path:
    options = context.pop("options", {})
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        for index in range(count):
            made = frame(index)
            made.pts, made.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(made))
        container.mux(stream.encode())
    return path


def yuv_frame(codes: np.ndarray, size: tuple[int, int], pix_fmt: str) -> av.VideoFrame:
    frame = av.VideoFrame(*size, pix_fmt)
    for plane, code in zip(frame.planes, codes, strict=True):
        kind = np.uint16 if "10" in pix_fmt else np.uint8
        plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, code, kind).tobytes())
    return frame


def codes(rgb: np.ndarray, weights: tuple[float, float, float], bits: int) -> np.ndarray:
    """Narrow-range YUV of R'G'B' in [0, 1] by a matrix's weights."""
    luma = float(np.dot(weights, rgb))
    blue, red = (rgb[2] - luma) / (2 - 2 * weights[2]), (rgb[0] - luma) / (2 - 2 * weights[0])
    return np.round(np.array([219 * luma + 16, 224 * blue + 128, 224 * red + 128]) * 2 ** (bits - 8))


def hdr(rgb: tuple[int, int, int], curve: int) -> np.ndarray:
    """BT.2020 signal of an SDR colour whose white has 203 cd/m2, by PQ (16) or HLG (18)."""
    light = REC2020 @ (np.array(rgb) / 255) ** 2.4 * 203
    if curve == 16:
        power = (light / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    scene = light / 1000 * float(np.dot([0.2627, 0.678, 0.0593], light / 1000)) ** (1 / 1.2 - 1)
    low, high = np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, low, high)


@pytest.mark.slow
@pytest.mark.parametrize("curve", [16, 18])
def test_hdr_skin_has_its_colour(tmp_path: Path, curve: int) -> None:
    size, pix_fmt = (320, 240), "yuv420p10le"
    tags = {"colorspace": 9, "color_primaries": 9, "color_trc": curve, "color_range": 1}
    code = codes(hdr(SKIN, curve), (0.2627, 0.678, 0.0593), 10)
    options = {"x265-params": "log-level=0:crf=4"}
    frame = lambda _: yuv_frame(code, size, pix_fmt)  # noqa: E731
    path = record(tmp_path / "a.mp4", frame, 3, "libx265", size, pix_fmt, options=options, **tags)
    with SteadyVideo(path) as video, VideoReader(path) as reader:
        for picture in (video.picture(next(iter(video))), next(iter(reader))):
            np.testing.assert_allclose(picture[120, 160], SKIN, atol=6)
        assert "HDR" in video.notes[0] and not video.plain
    turned = set_matrix(path, tmp_path / "b.mp4", 0, 1, -1, 0)
    with SteadyVideo(turned) as video:
        assert video.picture(next(iter(video))).shape == (320, 240, 3)


@pytest.mark.parametrize(
    ("size", "weights"), [((1280, 720), (0.2126, 0.7152, 0.0722)), ((640, 480), (0.299, 0.587, 0.114))]
)
def test_untagged_pictures_have_the_matrix_of_their_size(
    tmp_path: Path, size: tuple[int, int], weights: tuple[float, float, float]
) -> None:
    code = codes(np.array(SKIN) / 255, weights, 8)
    path = record(tmp_path / "a.mp4", lambda _: yuv_frame(code, size, "yuv420p"), 2, "libx264", size, "yuv420p")
    with SteadyVideo(path) as video:
        np.testing.assert_allclose(video.picture(next(iter(video)))[100, 100], SKIN, atol=4)


def combed(index: int) -> av.VideoFrame:
    """A bar that moves by 8 pixels from one half picture to the next."""
    picture = np.zeros((240, 320, 3), np.uint8)
    for field in range(2):
        left = 40 + 16 * index + 8 * field
        picture[field::2, left : left + 60] = 255
    return av.VideoFrame.from_ndarray(picture, "rgb24")


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_interlaced_film_has_no_combs(tmp_path: Path, codec: str) -> None:
    options = {
        "mpeg2video": {"flags": "+ilme+ildct", "field_order": "tt", "qmin": "2", "qmax": "2", "bf": "0"},
        "libx264": {"x264-params": "tff=1", "crf": "4"},
    }[codec]
    path = record(tmp_path / "a.ts", combed, 15, codec, (320, 240), "yuv420p", options=options)
    with SteadyVideo(path) as video:
        pictures = [video.picture(moment).mean(-1) for moment in video]
        assert "interlaced" in video.notes[0] and not video.plain
    assert len(pictures) == 15
    for picture in pictures[3:10]:
        rows = picture[40:200]
        assert np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean() < 2


@pytest.mark.parametrize(("name", "codec"), [("a.flv", "flv"), ("a.mxf", "mpeg2video"), ("a.nut", "mpeg4")])
def test_containers_that_cannot_seek_are_read_again_and_again(tmp_path: Path, name: str, codec: str) -> None:
    sound = {"a.flv": "pcm_s16le", "a.mxf": "pcm_s16le", "a.nut": "pcm_s16le"}[name]
    made = film(tmp_path / name, sounds=() if name == "a.flv" else (beep(6, 4),), flash=4.0, codecs=(codec, sound))
    with SteadyVideo(made) as video:
        for _ in range(2):
            bright = [video.picture(moment).mean() > 128 for moment in video]
            assert len(bright) == 150 and bright.index(True) == 100
    with VideoReader(made) as reader:
        assert len(list(reader)) == len(list(reader)) == 150


def test_a_still_before_the_film_is_not_the_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        still = container.add_stream("mjpeg", rate=25)
        still.width, still.height, still.pix_fmt = 100, 100, "yuvj420p"
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        grey = np.full((100, 100, 3), 90, np.uint8)
        container.mux(still.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey[:48, :64].copy(), "rgb24")))
        container.mux(stream.encode())
    with SteadyVideo(tmp_path / "a.mkv") as video:
        assert (video.width, video.height, sum(1 for _ in video)) == (64, 48, 30)
    assert probe(tmp_path / "a.mkv").width == 64


def test_a_recording_with_a_cover_is_no_video(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "cover.jpg")
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as container:
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        audio = container.add_stream("aac", rate=48000, layout="mono")
        container.mux(cover.encode(av.VideoFrame.from_image(Image.open(tmp_path / "cover.jpg"))))
        block = av.AudioFrame.from_ndarray(beep(2, 1)[None], "flt", "mono")
        block.sample_rate = 48000
        container.mux(audio.encode(block))
        container.mux(audio.encode())
    with pytest.raises(InputError, match="no video track"):
        SteadyVideo(tmp_path / "a.m4a")


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("a.png", np.full((8, 8), 40000, np.uint16)),
        ("a.tif", np.full((8, 8), 40000, np.uint16)),
        ("b.tif", np.full((8, 8), 40000, np.int32)),
        ("c.tif", np.full((8, 8), 40000 / 65535, np.float32)),
        ("d.tif", np.full((8, 8), 156, np.uint8)),
    ],
)
def test_deep_greys_are_scaled(tmp_path: Path, name: str, levels: np.ndarray) -> None:
    Image.fromarray(levels).save(tmp_path / name)
    assert (np.abs(read_image(tmp_path / name).astype(int) - 156) <= 1).all()


def test_a_copy_of_a_matroska_film_has_all_its_pictures(tmp_path: Path) -> None:
    """Its first packet has no decoding time."""
    made = film(tmp_path / "a.mkv", codecs=("libx264", "aac"), flash=1.0, seconds=2.0, sounds=(beep(2, 1),))
    remux(made, tmp_path / "b.mp4")
    with VideoReader(tmp_path / "b.mp4") as reader:
        levels = [float(frame.mean()) for frame in reader]
    assert len(levels) == 50 and np.argmax(np.array(levels) > 128) == 25


def test_the_watermark_is_sought_in_the_film_and_not_in_its_cover(tmp_path: Path) -> None:
    make = next(odd.make for odd in FILMS if odd.name == "a cover picture before the film")
    make(tmp_path / "a.mkv")
    assert {frame.shape for frame in sample_frames(tmp_path / "a.mkv")} == {(64, 96, 3)}


@pytest.mark.parametrize(
    ("tag", "metadata", "tags", "refused"),
    [
        ("dvh1", None, (2, 2, 2), True),
        ("hvc1", b"rpu", (2, 2, 2), True),
        ("hvc1", b"rpu", (9, 18, 9), False),
        ("dvh1", None, (9, 16, 9), False),
        ("hvc1", None, (2, 2, 2), False),
    ],
)
def test_dolby_vision_that_is_nothing_else(
    tag: str, metadata: bytes | None, tags: tuple[int, int, int], refused: bool
) -> None:
    """Profile 5, by its name or its pictures' metadata, and by the colour tags that others have."""
    side_data = {} if metadata is None else {"DOVI_RPU_BUFFER": metadata}
    frame: Any = SimpleNamespace(color_primaries=tags[0], color_trc=tags[1], colorspace=tags[2], side_data=side_data)
    stream = SimpleNamespace(codec_context=SimpleNamespace(codec_tag=tag))
    with pytest.raises(InputError, match="Dolby Vision of profile 5") if refused else nullcontext():
        check_colours(frame, stream, "a.mp4")
