import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from media_files import FORMATS, empty_wav, encode, silent_video, tone

from geneface.errors import InputError
from geneface.media.audio import load_audio, open_audio
from geneface.utils.units import SAMPLING_RATE


def peak_frequency(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax()) * SAMPLING_RATE / len(samples)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format(kind: str, layout: str, tmp_path: Path) -> None:
    path = tmp_path / f"speech.{kind}"
    path.write_bytes(encode(tone(1.0, 48000), 48000, kind, layout))
    samples = load_audio(path)
    assert samples.dtype == np.float32
    padding = 1024 / 48000 * SAMPLING_RATE if kind == "m4a" else 2
    assert abs(len(samples) - SAMPLING_RATE) <= padding
    assert peak_frequency(samples) == pytest.approx(440, abs=1)
    assert samples.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.06)
    np.testing.assert_array_equal(samples, load_audio(path.read_bytes()))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 37800, 44100, 96000])
def test_any_rate_keeps_length_and_pitch(rate: int) -> None:
    with open_audio(tone(1.5, rate), rate) as source:
        assert abs(source.samples - 24000) <= 1
        assert source.frames == 38
        assert rate <= source.track_rate <= 48000 or rate > 48000 == source.track_rate
        assert abs(source.track_samples - 1.5 * source.track_rate) <= 2
        assert peak_frequency(source.read(0, source.samples)) == pytest.approx(440, abs=1)


def test_resampling_is_clean() -> None:
    expected = tone(1.0, SAMPLING_RATE)
    samples = load_audio(tone(1.0, 48000), 48000)
    assert np.abs(samples - expected)[200:-200].max() < 1e-3


def test_what_16_khz_cannot_hold_is_removed() -> None:
    assert np.abs(load_audio(tone(1.0, 48000, 11000.0), 48000)[200:-200]).max() < 1e-3


def test_arrays_of_all_kinds_agree() -> None:
    reference = tone(0.5, SAMPLING_RATE)
    whole = np.round(reference * 32767).astype(np.int16)
    for array in (
        reference,
        reference.astype(np.float64),
        torch.from_numpy(reference),
        whole,
        whole.astype(np.int32) * 65536,
        np.stack([reference, reference]),
        np.stack([reference, reference], axis=1),
        reference[::-1].copy()[::-1],
    ):
        np.testing.assert_allclose(load_audio(array, SAMPLING_RATE), reference, atol=1e-4)
    np.testing.assert_allclose(load_audio((SAMPLING_RATE, whole)), reference, atol=1e-4)


def test_stereo_is_mixed_and_kept_for_the_track() -> None:
    left = tone(0.5, 44100)
    with open_audio(np.stack([left, np.zeros_like(left)]), 44100) as source:
        assert (source.track_rate, source.track_channels) == (44100, 2)
        track = source.read_track(0, source.track_samples)
        np.testing.assert_allclose(track[:, 0] / 32768, left, atol=1e-4)
        assert not track[:, 1].any()
        assert np.abs(source.read(0, source.samples)).max() == pytest.approx(0.25, abs=0.01)


def test_read_outside_is_silence() -> None:
    with open_audio(tone(0.1, SAMPLING_RATE), SAMPLING_RATE) as source:
        everything = source.read(0, source.samples)
        window = source.read(-100, source.samples + 50)
        np.testing.assert_array_equal(window, np.pad(everything, (100, 50)))
        np.testing.assert_array_equal(source.read(-20, -10), np.zeros(10))
        np.testing.assert_array_equal(source.read(10**7, 10**7 + 5), np.zeros(5))
        assert source.read(5, 5).shape == (0,)


def test_source_can_be_opened_again_while_in_use() -> None:
    with open_audio(tone(0.1, SAMPLING_RATE), SAMPLING_RATE) as source:
        with open_audio(source) as again:
            assert again is source
        assert source.read(0, 10).any()
    with pytest.raises(ValueError, match="closed"):
        source.read(0, 10)


@pytest.mark.parametrize(("seconds", "frames"), [(0.04, 1), (0.05, 2), (0.08, 2), (1.0, 25), (1.001, 26)])
def test_frames(seconds: float, frames: int) -> None:
    with open_audio(tone(seconds, SAMPLING_RATE), SAMPLING_RATE) as source:
        assert source.frames == frames


def test_silence_is_allowed() -> None:
    assert not load_audio(np.zeros(16000, np.float32), 16000).any()


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "webm"])
def test_truncated_file_gives_what_is_there(kind: str) -> None:
    content = encode(tone(4.0, 48000), 48000, kind)
    samples = load_audio(content[: len(content) // 2])
    assert 1.5 * SAMPLING_RATE < len(samples) < 2.5 * SAMPLING_RATE
    assert peak_frequency(samples) == pytest.approx(440, abs=2)


def test_sound_of_a_video(tmp_path: Path) -> None:
    from geneface.media.video import VideoWriter

    with open_audio(tone(1.0, 44100), 44100) as source, VideoWriter(tmp_path / "v.mp4", (64, 64), source) as writer:
        writer.write(np.zeros((25, 64, 64, 3), np.uint8))
    samples = load_audio(tmp_path / "v.mp4")
    assert len(samples) == pytest.approx(SAMPLING_RATE, abs=1024)
    assert peak_frequency(samples) == pytest.approx(440, abs=1)


def bad_files(folder: Path) -> dict[Path, str]:
    folder.joinpath("a folder.wav").mkdir()
    files = {
        "text.wav": b"this is a text\n" * 200,
        "text.mp3": b"this is a text\n" * 200,
        "empty.wav": b"",
        "no_samples.wav": empty_wav(),
        "short.wav": encode(tone(0.03, 16000), 16000, "wav"),
        "silent.mp4": silent_video(),
        "headless.m4a": encode(tone(1.0, 48000), 48000, "m4a")[:2000],
        "nan.wav": encode(np.full(16000, np.nan, np.float32), 16000, "float.wav"),
        "list.m3u8": b"#EXTM3U\n#EXTINF:10,\nshort.wav\n",
    }
    for name, content in files.items():
        folder.joinpath(name).write_bytes(content)
    return {
        folder / "missing.wav": "does not exist",
        folder / "a folder.wav": "is a folder",
        folder / "text.wav": "cannot be read",
        folder / "text.mp3": "cannot be read",
        folder / "empty.wav": "is empty",
        folder / "no_samples.wav": "no sound",
        folder / "short.wav": "shorter than one video frame",
        folder / "silent.mp4": "no audio track",
        folder / "headless.m4a": "cannot be read",
        folder / "nan.wav": "not finite",
        folder / "list.m3u8": "cannot be read",
    }


def test_bad_files_get_one_sentence(tmp_path: Path) -> None:
    for path, words in bad_files(tmp_path).items():
        with pytest.raises(InputError, match=words) as caught:
            open_audio(path)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("audio", "rate", "words"),
    [
        (np.zeros(0, np.float32), 16000, "no sound"),
        (np.zeros(400, np.float32), 16000, "shorter than one video frame"),
        (np.zeros(16000, np.float32), None, "needs its sampling_rate"),
        (np.zeros(16000, np.float32), 16, "not possible"),
        (np.zeros(16000, np.float32), -16000, "not possible"),
        (np.zeros(16000, np.float32), 16000.5, "not possible"),
        (np.zeros(16000, np.float32), "fast", "not possible"),
        (np.zeros(16000, np.float32), float("nan"), "not possible"),
        (np.zeros(16000, np.int64), 16000, "no known scale"),
        (np.zeros(16000, complex), 16000, "no known scale"),
        (np.zeros((4, 16000), np.float32), 16000, "shape"),
        (np.float32(1), 16000, "shape"),
        (np.full(16000, 20000.0), 16000, "scale them"),
        (np.r_[np.zeros(40000), np.inf], 16000, "not finite"),
        (torch.full((16000,), torch.nan), 16000, "not finite"),
        (b"", None, "empty"),
        (None, None, "NoneType"),
        ("speech.wav", 16000, "leave sampling_rate out"),
    ],
)
def test_bad_arguments_get_one_sentence(audio: object, rate: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_audio(audio, rate)  # type: ignore[arg-type]


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    script = """
import pathlib, re, resource, sys
from geneface.media.audio import open_audio
with open_audio(sys.argv[1]) as source:
    assert source.frames == int(sys.argv[2])
# On Linux ru_maxrss includes the process that started this one.
status = pathlib.Path("/proc/self/status")
own = re.search("VmHWM:\\s*(\\d+)", status.read_text())[1] if status.exists() else 0
print(own or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = []
    for seconds in (10, 300):
        path = tmp_path / f"{seconds}.flac"
        path.write_bytes(encode(tone(seconds, 16000), 16000, "flac"))
        command = [sys.executable, "-c", script, str(path), str(seconds * 25)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.1 * peaks[0]
