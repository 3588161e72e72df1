from pathlib import Path

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.media.video import VideoReader, probe
from geneface.options import GenerationOptions
from geneface.pipelines.compare import BAND, SIDE, Take, band, compare_video, draw_landmarks
from geneface.utils.stopping import Stopped, StopToken


@pytest.mark.parametrize(
    ("takes", "landmarks", "size"),
    [(2, False, (2, 1)), (1, True, (2, 1)), (2, True, (2, 2)), (1, False, (1, 1))],
)
def test_layouts(tiny_pipeline, speech, tmp_path: Path, takes: int, landmarks: bool, size: tuple[int, int]) -> None:
    chosen = [Take(tiny_pipeline, f"seed {seed}", GenerationOptions(seed=seed)) for seed in range(takes)]
    seen = []
    made = compare_video(
        chosen,
        (16000, speech[:6400]),
        tmp_path / "out.mp4",
        landmarks=landmarks,
        on_frame=lambda *step: seen.append(step),
    )
    info = probe(made.path)
    assert (info.width, info.height) == (size[0] * SIDE, size[1] * SIDE + BAND)
    assert seen == [(done, 10) for done in range(1, 11)]
    assert abs(info.audio_seconds - 0.4) < 0.1
    assert "AI-generated" in info.metadata["comment"]


def test_each_take_is_itself(tiny_pipeline, speech, tmp_path: Path) -> None:
    takes = [
        Take(tiny_pipeline, "a", GenerationOptions(seed=1)),
        Take(tiny_pipeline, "b", GenerationOptions(seed=1, background="#ff0000")),
    ]
    compare_video(takes, (16000, speech[:3200]), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as reader:
        frame = next(iter(reader)).astype(int)
    left, right = frame[:SIDE, :SIDE], frame[:SIDE, SIDE:]
    assert np.abs(left - right).mean() > 5


def test_stopping_and_mistakes_leave_nothing(tiny_pipeline, speech, tmp_path: Path) -> None:
    take, stopped = Take(tiny_pipeline, "a", GenerationOptions(seed=1)), StopToken()
    stopped.stop()
    with pytest.raises(Stopped):
        compare_video([take], (16000, speech), tmp_path / "out.mp4", stop=stopped)
    with pytest.raises(InputError, match="0 takes"):
        compare_video([], (16000, speech), tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_drawing_shows_every_point_and_long_names_are_cut() -> None:
    spread = np.stack([np.linspace(-8, 8, 68), np.linspace(-8, 8, 68), np.zeros(68)], axis=1)
    picture = draw_landmarks(spread)
    assert picture.shape == (SIDE, SIDE, 3)
    bright = (picture.min(2) > 150).sum()
    assert bright > 68 * 4
    assert (draw_landmarks(spread + np.array([5, 5, 0])) == picture).all(), "the head's place does not matter"
    assert band("x" * 300).shape == band("short").shape == (BAND, SIDE, 3)
