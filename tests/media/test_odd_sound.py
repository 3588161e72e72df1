"""Sound of odd files: times with holes and jumps, tracks, channels, unscaled floats, pipes, addresses, long names."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from media_files import encode, tone
from odd_files import RATE, beep, film, write_wave

from geneface.errors import InputError
from geneface.media.audio import load_audio, open_audio
from geneface.media.intake import on_disk
from geneface.media.resample import SteadyVideo, sound_start, write_sound
from geneface.utils.units import FPS, SAMPLING_RATE


def first_loud(samples: np.ndarray) -> float:
    return float(np.flatnonzero(np.abs(samples) > 0.1)[0]) / SAMPLING_RATE


def apart(path: Path, folder: Path) -> tuple[float, float, SteadyVideo]:
    """Seconds from the first picture to the flash and to the beep, as preprocessing finds them."""
    with SteadyVideo(path) as video, open_audio(path) as sound:
        bright = np.array([video.picture(moment).mean() > 128 for moment in video])
        write_sound(sound, folder / "sound.flac", video.start - sound_start(path), len(bright))
    return np.flatnonzero(bright)[0] / FPS, first_loud(load_audio(folder / "sound.flac")), video


def without(first: float, last: float):
    return lambda time: None if first <= time < last else time


@pytest.mark.parametrize(
    ("name", "codec", "hole"),
    [
        ("a.mkv", "pcm_s16le", (1.5, 2.5)),
        ("b.mkv", "flac", (1.5, 1.7)),
        ("c.mp4", "aac", (1.5, 3.1)),
        ("d.ts", "mp2", (0.5, 3.0)),
        ("e.mka", "libopus", (1.5, 2.5)),
    ],
)
def test_a_hole_becomes_silence(tmp_path: Path, name: str, codec: str, hole: tuple[float, float]) -> None:
    alone = name.endswith("mka")
    path = film(
        tmp_path / name, sounds=(beep(6, 4),), flash=None if alone else 4.0, sound_time=without(*hole),
        codecs=("libx264", codec),
    )  # fmt: skip
    with open_audio(path) as sound:
        assert first_loud(sound.read(0, sound.samples)) == pytest.approx(4.0, abs=0.03)
        assert sound.seconds == pytest.approx(6, abs=0.05)
        track = sound.read_track(0, sound.track_samples)
        assert np.flatnonzero(np.abs(track[:, 0]) > 3000)[0] / sound.track_rate == pytest.approx(4.0, abs=0.03)
        assert ("missing" in " ".join(sound.notes)) == (hole[1] - hole[0] > 0.25)
    if not alone:
        flash, click, _ = apart(path, tmp_path)
        assert click == pytest.approx(flash, abs=0.04)


def test_many_short_holes_add_up_to_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", sounds=(beep(6, 4),), sound_time=lambda time: None if time % 0.4 < 0.03 else time)
    assert first_loud(load_audio(path)) == pytest.approx(4.0, abs=0.06)


def test_what_overlaps_is_cut(tmp_path: Path) -> None:
    first = film(tmp_path / "a.ts", sounds=(beep(2, 1.9, 0.05),), codecs=("", "mp2"))
    second = film(tmp_path / "b.ts", sounds=(beep(4, 2),), codecs=("", "mp2"), sound_time=lambda time: time + 1.5)
    (tmp_path / "c.ts").write_bytes(first.read_bytes() + second.read_bytes())
    samples = load_audio(tmp_path / "c.ts")
    assert first_loud(samples[32000:]) + 2 == pytest.approx(3.5, abs=0.03)
    assert len(samples) / 16000 == pytest.approx(5.5, abs=0.05)


def test_damaged_packets_leave_a_hole(tmp_path: Path) -> None:
    content = bytearray(film(tmp_path / "a.mp4", sounds=(beep(6, 4),), codecs=("", "aac")).read_bytes())
    import av

    with av.open(str(tmp_path / "a.mp4")) as container:
        bad = [packet for packet in container.demux(audio=0) if packet.pts and 1 < packet.pts / RATE < 2]
    for packet in bad:
        content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    (tmp_path / "b.mp4").write_bytes(content)
    assert first_loud(load_audio(tmp_path / "b.mp4")) == pytest.approx(4.0, abs=0.03)


@pytest.mark.parametrize("kind", ["picture", "both", "sound", "one picture"])
def test_jumps_are_cuts_and_all_stay_in_step(tmp_path: Path, kind: str) -> None:
    def jump(time: float) -> float:
        return time + 18000 * (time >= 3)

    def glitch(time: float) -> float:
        return time + 18000 * (abs(time - 2) < 0.01)

    one = kind == "one picture"
    path = film(
        tmp_path / "a.mkv",
        sounds=(beep(6, 4),),
        flash=4.0,
        picture_time={"sound": lambda time: time, "one picture": glitch}.get(kind, jump),
        sound_time=jump if kind in ("both", "sound") else lambda time: time,
        codecs=("mpeg4" if one else "libx264", "pcm_s16le"),
        move_decoding=not one,
    )
    flash, click, video = apart(path, tmp_path)
    assert flash == pytest.approx(4.0, abs=0.09)
    assert click == pytest.approx(flash, abs=0.06)
    assert "jump at" in video.notes[0] or kind == "sound"
    assert (video.cuts == [75]) == (kind == "both")


def test_transport_streams_joined_as_they_are(tmp_path: Path) -> None:
    codecs = "libx264", "mp2"
    first = film(tmp_path / "a.ts", sounds=(np.zeros(3 * RATE, np.float32),), flash=9.0, seconds=3, codecs=codecs)
    second = film(tmp_path / "b.ts", sounds=(beep(3, 1),), flash=1.0, seconds=3, codecs=codecs)
    (tmp_path / "c.ts").write_bytes(first.read_bytes() + second.read_bytes())
    flash, click, video = apart(tmp_path / "c.ts", tmp_path)
    assert flash == pytest.approx(4.0, abs=0.06)
    assert click == pytest.approx(flash, abs=0.06)
    assert len(video.cuts) == 1 and abs(video.cuts[0] - 75) <= 2


def test_a_long_pause_of_one_track_is_kept(tmp_path: Path) -> None:
    for hole in ("picture", "sound"):
        path = film(
            tmp_path / f"{hole}.mkv", sounds=(beep(20, 18),), flash=18.0, seconds=20,
            **{f"{hole}_time": without(2, 16)},
        )  # fmt: skip
        flash, click, video = apart(path, tmp_path)
        assert (flash, click) == (pytest.approx(18.0, abs=0.04), pytest.approx(18.0, abs=0.04))
        assert not video.cuts


def test_the_default_track_is_taken(tmp_path: Path) -> None:
    silence, voice = np.zeros(6 * RATE, np.float32), beep(6, 4)
    path = film(tmp_path / "a.mkv", sounds=(silence, voice), flash=4.0, default=1)
    assert first_loud(load_audio(path)) == pytest.approx(4.0, abs=0.03)
    path = film(tmp_path / "b.mkv", sounds=(silence, voice), flash=4.0, default=0)
    with open_audio(path) as sound:
        assert "track 2 has sound" in sound.notes[0]


def voice(seconds: float = 2.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.3 * np.sin(2 * np.pi * 300 * np.arange(round(16000 * seconds)) / 16000) * rng.uniform(0.8, 1)).astype(
        np.float32
    )


@pytest.mark.parametrize("channels", [3, 4, 6, 8, 10, 12, 16, 32])
def test_a_voice_in_one_of_many_channels_is_heard(tmp_path: Path, channels: int) -> None:
    samples = np.zeros((32000, channels))
    samples[:, -1] = 32767 * voice()
    with open_audio(write_wave(tmp_path / "a.wav", samples)) as sound:
        assert np.corrcoef(sound.read(0, 32000), voice())[0, 1] > 0.99
        assert sound.read(0, 32000).std() == pytest.approx(voice().std(), rel=0.1)
        assert sound.read_track(0, 32000).std() / 32768 == pytest.approx(voice().std(), rel=0.1)


def test_two_voices_in_unknown_channels_are_both_heard(tmp_path: Path) -> None:
    samples = np.zeros((32000, 8))
    samples[:16000, 2], samples[16000:, 5] = 32767 * voice(1), 32767 * voice(1)
    heard = load_audio(write_wave(tmp_path / "a.wav", samples))
    assert heard[2000:14000].std() == pytest.approx(heard[18000:30000].std(), rel=0.05) and heard.std() > 0.05


@pytest.mark.parametrize("factor", [-1.0, -0.9, -1.1])
def test_channels_that_cancel_each_other(tmp_path: Path, factor: float) -> None:
    stereo = np.stack([voice() * 0.8, factor * 0.8 * voice()], axis=1)
    with open_audio(write_wave(tmp_path / "a.wav", 32767 * stereo)) as sound:
        assert np.abs(np.corrcoef(sound.read(0, 32000), voice())[0, 1]) > 0.99
        assert sound.read(0, 32000).std() == pytest.approx(0.8 * voice().std() * max(1, -factor), rel=0.05)
        assert sound.track_channels == 2
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(32000) / 16000) + 0.05
    heard = load_audio((stereo + hum[:, None]).astype(np.float32).T, 16000)
    assert np.abs(np.corrcoef(np.diff(heard), np.diff(voice()))[0, 1]) > 0.9


@pytest.mark.parametrize("peak", [40.0, 14000.0, 8e6, 2e9])
def test_floats_of_no_scale_are_refused(tmp_path: Path, peak: float) -> None:
    with pytest.raises(InputError, match="scale them"):
        open_audio(write_wave(tmp_path / "a.wav", peak * voice()[:, None] / 0.3, "f"))


@pytest.mark.parametrize("peak", [1.6, 4.0, 12.0])
def test_floats_that_are_too_loud_are_scaled_not_cut(tmp_path: Path, peak: float) -> None:
    heard = load_audio(write_wave(tmp_path / "a.wav", peak * voice()[:, None] / voice().max(), "f"))
    assert np.corrcoef(heard, voice())[0, 1] > 0.999
    assert 0.9 < np.abs(heard).max() <= 1.001


def test_loud_floats_in_many_channels(tmp_path: Path) -> None:
    samples = np.zeros((32000, 32))
    samples[:, 30] = 8 * voice() / voice().max()
    with open_audio(write_wave(tmp_path / "a.wav", samples, "f")) as sound:
        assert np.corrcoef(sound.read(0, 32000), voice())[0, 1] > 0.999
        assert 0.9 < sound.read(0, 32000).max() <= 1.001


def test_a_pipe_is_read_and_a_film_is_not(tmp_path: Path) -> None:
    content, pipe = encode(tone(1.0, 16000), 16000, "wav"), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    assert len(load_audio(pipe)) == 16000
    writer.join()
    with pytest.raises(InputError, match="is a pipe"):
        SteadyVideo(pipe)


def test_a_pipe_is_copied_where_it_is_read_twice(tmp_path: Path) -> None:
    content, pipe = encode(tone(1.0, 16000), 16000, "wav"), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    with on_disk(pipe) as copy:
        assert Path(copy).read_bytes() == Path(copy).read_bytes() == content
    writer.join()
    assert not Path(copy).exists()
    with on_disk(tmp_path) as same:
        assert same == str(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("https://example.org/talk.mp3", "https://example.org/talk.mp3 is an address"),
        ("rtmp://example.org/live", "is an address"),
        ("x" * 300 + ".wav", "File name too long"),
        ("a\0b.wav", "cannot be read"),
    ],
)
def test_what_is_no_file_is_said(name: str, words: str) -> None:
    for path in (name, Path(name)):
        with pytest.raises(InputError, match=words):
            open_audio(path)


def test_a_full_temporary_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    full = lambda: open("/dev/full", "r+b", buffering=0)  # noqa: E731, SIM115
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left") as caught:
        open_audio(tone(1.0, 16000), 16000)
    assert caught.value.filename == tempfile.gettempdir()
