"""Any frame rate becomes 25 frames/s, with sound and picture in step: a flash and a click meet in the same frame."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from geneface.errors import InputError
from geneface.media.audio import load_audio, open_audio
from geneface.media.resample import SteadyVideo, sound_start, write_sound
from geneface.utils.units import SAMPLES_PER_FRAME

SECONDS, FLASH = 4.0, 2.2


def record(path: Path, times: np.ndarray, delay: float = 0.0, codec: str = "libx264") -> None:
    """A dark video whose picture is bright for 0.2 s from `FLASH` on, and sound that clicks there.

    The pictures of `times` are shown `delay` later, as is the flash; the sound stays.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 90000)
        audio = container.add_stream("aac" if codec == "libx264" else "libopus", rate=48000, layout="mono")
        for time in times:
            level = 235 if FLASH - 1e-6 <= time + delay < FLASH + 0.2 - 1e-6 else 20
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), "rgb24")
            frame.pts, frame.time_base = round((time + delay) * 90000), Fraction(1, 90000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        samples = np.zeros(int(SECONDS * 48000), np.float32)
        samples[int(FLASH * 48000) : int((FLASH + 0.2) * 48000)] = 0.5
        samples *= np.sin(np.arange(len(samples)))
        for start in range(0, len(samples), 960):
            block = av.AudioFrame.from_ndarray(samples[None, start : start + 960], "flt", "mono")
            block.sample_rate, block.pts, block.time_base = 48000, start, Fraction(1, 48000)
            container.mux(audio.encode(block))
        container.mux(audio.encode())


def even(rate: float) -> np.ndarray:
    return np.arange(0, SECONDS - 0.5 / rate, 1 / rate)


RNG = np.random.default_rng(0)
CASES = {
    "25.mp4": (even(25), 0.0),
    "30.mkv": (even(30), 0.0),
    "60.mp4": (even(60), 0.0),
    "12.5.mkv": (even(12.5), 0.0),
    "29.97.mov": (even(30000 / 1001), 0.0),
    "variable.webm": (np.sort(np.append(RNG.uniform(0.01, SECONDS - 0.05, 90), [0.0, FLASH, FLASH + 0.2])), 0.0),
    "late.mkv": (even(25)[:-20], 0.8),
}


@pytest.mark.parametrize("name", CASES)
def test_flash_and_click_meet(tmp_path: Path, name: str) -> None:
    times, delay = CASES[name]
    path = tmp_path / name
    record(path, times, delay, "libvpx" if name.endswith("webm") else "libx264")
    with SteadyVideo(path) as video, open_audio(path) as sound:
        bright = np.array([video.picture(moment).mean() > 128 for moment in video])
        indices = [moment.index for moment in video]
        write_sound(sound, tmp_path / "sound.flac", video.start - sound_start(path), len(bright))
    assert indices == list(range(len(bright)))
    assert abs(len(bright) - 25 * (times[-1] + np.diff(times).mean())) <= 2
    samples = load_audio(tmp_path / "sound.flac")
    assert len(samples) == SAMPLES_PER_FRAME * len(bright)
    loud = np.abs(samples).reshape(-1, SAMPLES_PER_FRAME).mean(1) > 0.1
    flash, click = np.flatnonzero(bright), np.flatnonzero(loud)
    slowest = 25 * np.diff(times).max()
    assert abs(flash[0] - click[0]) <= max(1, slowest / 2)
    assert abs(flash[-1] - click[-1]) <= max(1, slowest / 2)


def test_oblong_pixels_become_square(tmp_path: Path) -> None:
    record(tmp_path / "plain.mp4", even(25))
    with av.open(str(tmp_path / "plain.mp4")) as source, av.open(str(tmp_path / "wide.mp4"), "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for index, frame in enumerate(source.decode(video=0)):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    with SteadyVideo(tmp_path / "wide.mp4") as video:
        assert (video.width, video.height, video.plain) == (128, 48, False)
        assert video.picture(next(iter(video))).shape == (48, 128, 3)
        assert video.picture(next(iter(video)), 32).shape == (12, 32, 3)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_pictures_are_seen_upright(tmp_path: Path, degrees: int) -> None:
    """As a telephone held upright stores them: turned, with a tag that says by how much."""
    upright = np.full((96, 64, 3), 20, np.uint8)
    upright[:32] = 230
    with av.open(str(tmp_path / "phone.mov"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stored = np.ascontiguousarray(np.rot90(upright, -degrees // 90))
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(degrees)
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored, "rgb24")))
        container.mux(stream.encode())
    with SteadyVideo(tmp_path / "phone.mov") as video:
        assert (video.width, video.height, video.plain) == (64, 96, False)
        picture = video.picture(next(iter(video)))
    assert picture.shape == (96, 64, 3)
    assert picture[:30].mean() > 200 and picture[34:].mean() < 50


def test_the_stream_is_copied_as_it_is(tmp_path: Path) -> None:
    record(tmp_path / "plain.mp4", even(25))
    with SteadyVideo(tmp_path / "plain.mp4") as video:
        assert video.plain and video.codec == "h264 yuv420p"
        video.copy_stream(tmp_path / "copy.mp4")
        pictures = [video.picture(moment) for moment in video]
    with SteadyVideo(tmp_path / "copy.mp4") as copy:
        again = [copy.picture(moment) for moment in copy]
    assert len(again) == len(pictures) == 100
    assert all((a == b).all() for a, b in zip(pictures, again, strict=True))


def test_no_sound_and_no_picture_are_said(tmp_path: Path) -> None:
    from media_files import encode, silent_video, tone

    (tmp_path / "silent.mp4").write_bytes(silent_video())
    with pytest.raises(InputError, match="no sound"):
        sound_start(tmp_path / "silent.mp4")
    (tmp_path / "sound.wav").write_bytes(encode(tone(1, 16000), 16000, "wav"))
    with pytest.raises(InputError, match="no video"):
        SteadyVideo(tmp_path / "sound.wav")
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 999)
    with pytest.raises(InputError, match="cannot be read"):
        SteadyVideo(tmp_path / "junk.mp4")
