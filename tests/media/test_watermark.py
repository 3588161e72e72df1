"""The watermark is put in, videos are re-encoded and altered as they are on their way, and it is read again."""

import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from geneface.errors import InputError
from geneface.media.video import VideoWriter
from geneface.media.watermark import (
    HIGHEST_PAYLOAD,
    KEY,
    LIMIT,
    Watermark,
    from_chips,
    pattern,
    to_chips,
    video_number,
    waves,
)
from geneface.media.watermark_reader import (
    FALSE_ALARM,
    MOST_FRAMES,
    SIDE,
    THRESHOLD,
    find_watermark,
    read_watermark,
    sample_frames,
)
from geneface.media.webm import TransparentWriter
from research.watermark_changes import (
    cropped,
    encode,
    mirrored,
    resized,
    scaled,
    screen_recording,
)

NUMBER = 0xC0FFEE42
PATTERN = [5, 4, 2, 2, 1, 1, 1, 0, -1, -2, -3, -3, -2, 0, 2, 4]


def clip(width: int = 512, height: int = 512, frames: int = 12, seed: int = 0) -> np.ndarray:
    """uint8 [frames, height, width, 3]: a textured disc that sways before a soft background."""
    rng = np.random.default_rng(seed)
    soft = rng.uniform(60, 190, (4, 4, 3)).astype(np.uint8)
    ground = np.asarray(Image.fromarray(soft).resize((width, height), Image.Resampling.BICUBIC))
    texture = rng.uniform(40, 220, (height // 4, width // 4, 3)).astype(np.uint8)
    texture = np.asarray(Image.fromarray(texture).resize((width, height), Image.Resampling.BICUBIC))
    rows, columns = np.mgrid[:height, :width]
    result = np.empty((frames, height, width, 3), np.uint8)
    for number in range(frames):
        sway = round(0.03 * width * np.sin(number / 3))
        disc = np.hypot(rows - 0.55 * height, columns - width / 2 - sway) < 0.27 * min(width, height)
        result[number] = np.where(disc[..., None], np.roll(texture, sway, axis=1), ground)
    return result


def marked(frames: np.ndarray, number: int = NUMBER) -> np.ndarray:
    result = frames.copy()
    Watermark(frames.shape[2], frames.shape[1], number).draw(result)
    return result


def number_of(path: Path) -> int | None:
    reading = read_watermark(path)
    return reading.payload if reading else None


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A marked video as GeneFace writes it."""
    path = tmp_path_factory.mktemp("watermark") / "v.mp4"
    with VideoWriter(path, (512, 512)) as writer:
        writer.write(marked(clip()))
    return path


def altered(video: Path, change: object, crf: int, fps: int = 25) -> Path:
    from geneface.media.video import VideoReader

    target = video.with_name("altered.mp4")
    with VideoReader(video) as reader:
        encode(change(reader), target, crf, fps)  # type: ignore[operator]
    return target


@pytest.mark.parametrize("number", [0, 1, NUMBER, HIGHEST_PAYLOAD])
def test_chips_there_and_back(number: int) -> None:
    chips = to_chips(number)
    assert chips.shape == (96,)
    assert from_chips(chips + np.random.default_rng(number).normal(0, 0.5, 96)) == number


@pytest.mark.parametrize("number", [-1, HIGHEST_PAYLOAD + 1])
def test_numbers_out_of_range(number: int) -> None:
    with pytest.raises(InputError, match=f"{number} is out of range; give one from 0 to 4294967295"):
        Watermark(512, 512, number)


def test_noise_is_no_number() -> None:
    noise = np.random.default_rng(0).normal(size=(500, 96))
    assert [from_chips(chips) for chips in noise] == [None] * 500


def test_the_waves_never_change() -> None:
    """Else older videos could no longer be read; the pattern of an older release stands here."""
    used = waves()
    assert (len(used.carrier), len(used.finding), used.chips.shape) == (1508, 452, (96, 11))
    assert pattern(512, 512, NUMBER)[100, 40:56, 2].tolist() == PATTERN
    assert video_number("vera", 4) == 0xEF51B597


def test_it_cannot_be_seen() -> None:
    frames = clip(frames=2)
    difference = marked(frames).astype(int) - frames
    assert (np.abs(difference).max((0, 1, 2)) <= LIMIT).all()
    assert 10 * np.log10(255**2 / (difference**2).mean()) > 43
    assert np.sqrt(((difference @ [0.2126, 0.7152, 0.0722]) ** 2).mean()) < 0.6, "levels of luma"
    assert abs(difference.mean()) < 0.05, "no change of brightness"
    # No wave is longer than a sixteenth of the picture: nothing like a cloud or a band.
    spectrum = np.abs(np.fft.rfft2(difference[0, ..., 2]))
    assert spectrum[:11, :11].max() < 0.2 * spectrum.max()


@pytest.mark.parametrize("shade", [0, 1, 254, 255])
def test_black_and_white_do_not_wrap_around(shade: int) -> None:
    frames = np.full((1, 128, 128, 3), shade, np.uint8)
    assert (np.abs(marked(frames).astype(int) - shade).max((0, 1, 2)) <= LIMIT).all()


def test_opacity_is_left_alone() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 96, 128, 4), dtype=np.uint8)
    result = marked(frames)
    np.testing.assert_array_equal(result[..., 3], frames[..., 3])
    np.testing.assert_array_equal(result[..., :3], marked(np.ascontiguousarray(frames[..., :3])))


def test_every_frame_is_marked_alike() -> None:
    frames = clip(frames=3)
    watermark = Watermark(512, 512, NUMBER)
    single = frames.copy()
    for number in (2, 0, 1):
        watermark.draw(single[number : number + 1])
    np.testing.assert_array_equal(single, marked(frames))


@pytest.mark.parametrize(
    ("width", "height"), [(512, 512), (256, 256), (450, 450), (640, 360), (359, 641), (1080, 1920), (131, 257)]
)
def test_read_from_frames_of_any_size(width: int, height: int) -> None:
    reading = find_watermark(marked(clip(width, height, 4)))
    assert reading is not None
    assert reading.payload == NUMBER
    assert reading.score > THRESHOLD
    assert reading.false_alarm < FALSE_ALARM


def test_one_frame_is_enough() -> None:
    assert find_watermark(marked(clip(frames=1))).payload == NUMBER


def test_pictures_too_small_for_anything() -> None:
    assert find_watermark(np.zeros((3, 16, 300, 3), np.uint8)) is None
    Watermark(2, 2, NUMBER).draw(np.zeros((1, 2, 2, 3), np.uint8))


@pytest.mark.parametrize("crf", [23, 28, 31])
def test_survives_encoding_again(video: Path, crf: int) -> None:
    assert number_of(altered(video, iter, crf)) == NUMBER


@pytest.mark.parametrize("change", [scaled(360, 360), scaled(720, 720), cropped(0.1), cropped(0.1, back=True)])
def test_survives_scaling_and_cropping(video: Path, change: object) -> None:
    assert number_of(altered(video, change, 23)) == NUMBER


def test_survives_a_screen_recording(video: Path) -> None:
    assert number_of(altered(video, screen_recording, 26, 30)) == NUMBER


def test_survives_in_a_transparent_video(tmp_path: Path) -> None:
    frames = np.concatenate([clip(), np.full((12, 512, 512, 1), 255, np.uint8)], axis=-1)
    with TransparentWriter(tmp_path / "v.webm", (512, 512)) as writer:
        writer.write(marked(frames))
    assert number_of(tmp_path / "v.webm") == NUMBER


def test_found_in_a_part_of_a_longer_film(tmp_path: Path) -> None:
    other = clip(frames=150, seed=9)[:, ::-1]
    inserted = np.concatenate([other[:90], marked(clip(frames=50)), other[90:]])
    encode(inserted, tmp_path / "film.mp4", 23, 25, "ultrafast")
    assert number_of(tmp_path / "film.mp4") == NUMBER


def test_mirrored_it_is_not_promised_and_not_misread(video: Path) -> None:
    assert number_of(altered(video, mirrored, 23)) is None


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_nothing_is(seed: int) -> None:
    assert find_watermark(clip(frames=4, seed=seed)) is None


@pytest.mark.parametrize("kind", ["black", "stripes", "noise", "checks"])
def test_nothing_is_found_in_patterns(kind: str) -> None:
    rows, columns = np.mgrid[:300, :400]
    picture = {
        "black": np.zeros((300, 400)),
        "stripes": 255 * (columns // 8 % 2),
        "noise": np.random.default_rng(0).integers(0, 256, (300, 400)),
        "checks": 255 * ((columns // 12 + rows // 12) % 2),
    }[kind]
    frames = np.repeat(picture.astype(np.uint8)[None, ..., None], 3, axis=-1)
    assert find_watermark(frames) is None


def test_only_the_key_reads_it() -> None:
    assert find_watermark(marked(clip(frames=2)), KEY + 1) is None


@pytest.mark.real_data
@pytest.mark.slow
def test_nothing_is_found_in_real_clips(shared: Path) -> None:
    for path in sorted((shared / "data/person").glob("*.mp4")):
        assert read_watermark(path) is None


def test_frames_are_taken_from_all_over_and_not_too_many(tmp_path: Path) -> None:
    shades = np.arange(200, dtype=np.uint8)
    frames = np.broadcast_to(shades[:, None, None, None], (200, 32, 48, 3))
    encode(frames, tmp_path / "v.mp4", 10, 25)
    taken = [int(frame.mean()) for frame in sample_frames(tmp_path / "v.mp4")]
    assert MOST_FRAMES // 2 <= len(taken) <= MOST_FRAMES
    assert taken[0] < 4
    assert taken[-1] > 190
    assert np.ptp(np.diff(taken)) <= 3
    encode([resized(frames[0], 800, 500)], tmp_path / "large.mp4", 10, 25)
    assert min(sample_frames(tmp_path / "large.mp4")[0].shape[:2]) == SIDE


@pytest.mark.parametrize("every", [20, 1000])
def test_of_a_long_video_key_frames_are_enough(tmp_path: Path, every: int) -> None:
    frames = [np.full((32, 48, 3), shade, np.uint8) for shade in range(200)]
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        options = {"crf": "10", "g": str(every), "keyint_min": str(every), "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=2, options=options)
        stream.height, stream.width = 32, 48
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())
    taken = [int(frame.mean()) for frame in sample_frames(tmp_path / "v.mp4")]
    if every == 20:
        np.testing.assert_allclose(taken, np.arange(0, 200, 20), atol=3)
    else:
        assert len(taken) > MOST_FRAMES // 2


def test_very_wide_frames_take_little_memory(tmp_path: Path) -> None:
    encode([np.zeros((400, 4000, 3), np.uint8)] * 2, tmp_path / "wide.mp4", 30, 25)
    assert sample_frames(tmp_path / "wide.mp4")[0].shape == (154, 1536, 3)


def test_no_video_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "t.mp4").write_text("no video")
    for name in ("t.mp4", "none.mp4"):
        with pytest.raises(InputError):
            read_watermark(tmp_path / name)


def test_it_takes_less_than_three_parts_in_a_hundred_of_the_time() -> None:
    watermark, frames = Watermark(512, 512, NUMBER), np.zeros((1, 512, 512, 3), np.uint8)

    def once() -> float:
        start = time.perf_counter()
        watermark.draw(frames)
        return time.perf_counter() - start

    assert min(once() for _ in range(50)) < 0.75e-3
