from pathlib import Path

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.media.video import check_output, probe
from geneface.media.webm import TransparentWriter
from geneface.pipelines.generate import generate_video


def decoded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Frames with opacity, which only libvpx's own decoder gives, and samples."""
    import av

    with av.open(str(path)) as container:
        decoder = av.codec.CodecContext.create("libvpx-vp9", "r")
        packets = list(container.demux(container.streams.video[0]))
        frames = [frame.to_ndarray(format="rgba") for packet in packets for frame in decoder.decode(packet)]
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return np.stack(frames), sound


def test_opacity_and_sound_survive(tmp_path: Path, speech: np.ndarray) -> None:
    frames = np.zeros((10, 64, 64, 4), np.uint8)
    frames[:, 16:48, 16:48] = (200, 60, 30, 255)
    path = tmp_path / "clear.webm"
    with (
        open_audio((44100, speech[:44100])) as source,
        TransparentWriter(path, (64, 64), source, metadata={"title": "T"}) as writer,
    ):
        writer.write(frames)
    found, sound = decoded(path)
    assert found.shape == (10, 64, 64, 4)
    assert found[:, 24:40, 24:40, 3].min() > 250 and found[:, :8, :, 3].max() < 5
    assert np.abs(found[:, 24:40, 24:40, :3].astype(int).mean((0, 1, 2)) - (200, 60, 30)).max() < 6
    info = probe(path)
    assert (info.video_codec, info.audio_codec, info.audio_rate) == ("vp9", "opus", 48000)
    assert info.metadata["title"] == "T"
    assert abs(sound.shape[1] / 48000 - 0.4) < 0.05 and np.abs(sound).max() > 0


def test_pipeline_without_a_background(tiny_pipeline, speech: np.ndarray, tmp_path: Path) -> None:
    options = {"sampling_rate": 16000, "output_type": "np", "pose": "still", "blink": "none"}
    clear = tiny_pipeline(speech[:3200], background="transparent", **options).frames
    assert clear.shape == (5, 64, 64, 4)
    on_black = tiny_pipeline(speech[:3200], background="#000000", **options).frames.astype(float)
    composed = clear[..., :3] * (clear[..., 3:] / 255.0)
    seen = clear[..., 3] > 40
    assert seen.any()
    assert np.abs(composed - on_black)[seen].max() < 4
    made = generate_video(
        tiny_pipeline, speech[:6400], tmp_path / "out.webm", sampling_rate=16000, background="transparent", seed=1
    )
    assert probe(made.path).video_codec == "vp9"


def test_names_tell_the_format(tiny_pipeline, speech: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not end in \.webm"):
        generate_video(tiny_pipeline, speech, tmp_path / "out.mp4", sampling_rate=16000, background="transparent")
    with pytest.raises(InputError, match=r"does not end in \.mp4"):
        check_output(tmp_path / "out.webm")
    assert list(tmp_path.iterdir()) == []
