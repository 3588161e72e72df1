from pathlib import Path

import av
import numpy as np
import pytest
from media_files import encode, tone

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.media.video import VideoReader, VideoWriter, check_output, probe

COLOURS = [(230, 40, 40), (40, 200, 60), (30, 60, 220), (250, 220, 60), (128, 128, 128), (8, 8, 8), (248, 248, 248)]


def flat(colour: tuple[int, int, int], count: int = 1, size: int = 64) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (count, size, size, 3))


def write(path: Path, frames: np.ndarray, audio: tuple[np.ndarray, int] | None = None, **options: object) -> None:
    size = (frames.shape[2], frames.shape[1])
    if audio is None:
        with VideoWriter(path, size, **options) as writer:  # type: ignore[arg-type]
            writer.write(frames)
    else:
        with open_audio(*audio) as source, VideoWriter(path, size, source, **options) as writer:  # type: ignore[arg-type]
            for start in range(0, len(frames), 16):
                writer.write(frames[start : start + 16])


def test_colours_survive_and_are_tagged(tmp_path: Path) -> None:
    for colour in COLOURS:
        write(tmp_path / "c.mp4", flat(colour, 3))
        with VideoReader(tmp_path / "c.mp4") as reader:
            for frame in reader:
                np.testing.assert_allclose(frame.mean((0, 1)), colour, atol=2.5)
    with av.open(str(tmp_path / "c.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


@pytest.mark.parametrize(("seconds", "rate"), [(0.05, 16000), (1.0, 8000), (2.013, 44100), (1.5, 96000)])
def test_sound_and_picture_end_together(seconds: float, rate: int, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    samples = tone(seconds, rate)
    with open_audio(samples, rate) as source:
        frames = source.frames
    write(path, flat((90, 90, 90), frames), (samples, rate))
    info = probe(path)
    assert (info.video_codec, info.pixel_format, info.audio_codec) == ("h264", "yuv420p", "aac")
    assert info.fps == 25
    assert info.video_seconds == pytest.approx(frames / 25, abs=1e-3)
    assert info.audio_seconds == pytest.approx(frames / 25, abs=1e-3)
    with VideoReader(path) as reader:
        assert len(list(reader)) == frames
        assert len(list(reader)) == frames
        assert (reader.width, reader.height, reader.fps) == (64, 64, 25)


def test_sound_is_in_time(tmp_path: Path) -> None:
    samples = np.zeros(48000, np.float32)
    samples[24000:] = tone(0.5, 48000)
    write(tmp_path / "v.mp4", flat((0, 0, 0), 25), (samples, 48000))
    with open_audio(tmp_path / "v.mp4") as source:
        loud = np.flatnonzero(np.abs(source.read(0, source.samples)) > 0.1)
    assert loud[0] / 16000 == pytest.approx(0.5, abs=0.005)


def test_streams_are_interleaved_behind_the_index(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    write(path, np.random.default_rng(0).integers(0, 255, (100, 64, 64, 3), np.uint8), (tone(4.0, 16000), 16000))
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        order = sorted((packet.pos, packet.stream.type) for packet in container.demux() if packet.pos)
    kinds = [kind for _, kind in order]
    last_video, last_audio = len(kinds) - kinds[::-1].index("video"), len(kinds) - kinds[::-1].index("audio")
    assert min(last_video, last_audio) > 0.7 * len(kinds)


def test_metadata(tmp_path: Path) -> None:
    write(tmp_path / "v.mp4", flat((0, 0, 0), 2), metadata={"comment": "AI-generated", "title": "x"})
    assert probe(tmp_path / "v.mp4").metadata.items() >= {"comment": "AI-generated", "title": "x"}.items()


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    target = tmp_path / "v.mp4"
    target.write_bytes(b"older")
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), VideoWriter(target, (64, 64)) as writer:
            writer.write(flat((0, 0, 0), 30))
            raise error
    with pytest.raises(ValueError, match="no frames"), VideoWriter(target, (64, 64)):
        pass
    with pytest.raises(ValueError, match="uint8"), VideoWriter(target, (64, 64)) as writer:
        writer.write(np.zeros((1, 64, 32, 3), np.uint8))
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


def test_unfinished_video_is_not_seen(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", (64, 64)) as writer:
        writer.write(flat((0, 0, 0), 30))
        assert not (tmp_path / "v.mp4").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("v.avi", "end in .mp4"), ("nowhere/v.mp4", "does not exist"), ("folder.mp4", "not a file"), ("", "end in .mp4")],
)
def test_bad_output_paths(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for attempt in (check_output, VideoWriter):
        with pytest.raises(InputError, match=words):
            attempt(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_unwritable_folder() -> None:
    with pytest.raises(InputError, match=r"cannot be written|does not exist"):
        check_output("/proc/v.mp4")


def test_check_output_leaves_nothing(tmp_path: Path) -> None:
    check_output(tmp_path / "v.mp4")
    assert not list(tmp_path.iterdir())


def test_odd_size(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="even"):
        VideoWriter(tmp_path / "v.mp4", (63, 64))


def test_reader_refuses_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(encode(tone(1.0, 16000), 16000, "wav"))
    (tmp_path / "t.mp4").write_text("not a video" * 100)
    write(tmp_path / "cut.mp4", flat((0, 0, 0), 30))
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "cut.mp4").read_bytes()[:100])
    for name, words in {"a.wav": "no video track", "t.mp4": "cannot be read", "none.mp4": "does not exist"}.items():
        with pytest.raises(InputError, match=words):
            VideoReader(tmp_path / name)
    with pytest.raises(InputError):
        VideoReader(tmp_path / "cut.mp4")
