"""What is seen when: the video's own pictures at their own times, and on and on where the speech is longer."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch

from geneface.dubbing.reel import Reel, plan_reel
from geneface.dubbing.shots import Shot
from geneface.face.crop import Crop
from geneface.utils.units import FPS

PICTURES = 90
TIMES = np.cumsum(np.tile([0.02, 0.03, 0.05], 30)) - 0.02
"""A phone's, that are not even."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety pictures, each of the grey of its number."""
    path = tmp_path_factory.mktemp("reel") / "video.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(TIMES):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64), 2 * number, np.uint8), "gray")
            frame.pts, frame.time_base = round(float(time) * 1000), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def shot(first: float, stop: float) -> Shot:
    """One whose face rests at its sixth picture from either end alone."""
    times = np.arange(first, stop, 1 / FPS)
    moving = np.cumsum(np.ones(len(times)))
    for still in (6, len(times) - 6):
        moving[still - 1 : still + 2] = moving[still]
    points = torch.from_numpy(moving).float()[:, None, None].expand(-1, 68, 2)
    data: Any = SimpleNamespace(tracks={"landmarks_2d": points})
    return Shot(times, data, Crop(0, 0, 48))


def numbers(reel: Reel) -> list[int]:
    return [round(float(picture.mean()) / 2) for picture in reel]


def test_a_shorter_speech_ends_it_early(video: Path) -> None:
    reel = plan_reel(video, 1.0, [shot(0, 3)])
    shown = numbers(reel)
    assert shown == list(range(len(shown)))
    assert reel.starts == pytest.approx(TIMES[: len(shown)], abs=1e-3)
    assert 1.0 <= reel.end < 1.06


def test_a_longer_one_goes_there_and_back_without_a_jump(video: Path) -> None:
    reel = plan_reel(video, 8.0, [shot(0, 3)])
    shown = numbers(reel)
    assert np.abs(np.diff(shown)).max() == 1
    turns = [here for before, here, after in zip(shown, shown[1:], shown[2:], strict=False) if before == after]
    assert len(turns) >= 2
    for turn in turns:
        assert min(abs(TIMES[turn] - 6 / FPS), abs(TIMES[turn] - (75 - 6) / FPS)) < 0.09
    assert 8.0 <= reel.end < 8.06
    assert reel.sources == pytest.approx(TIMES[shown], abs=1e-3)


def test_it_goes_on_in_the_last_shot_with_a_face(video: Path) -> None:
    reel = plan_reel(video, 6.0, [shot(0, 1.5)])
    shown = numbers(reel)
    assert shown[:PICTURES] == list(range(PICTURES))
    assert (np.abs(np.diff(shown)) > 1).sum() == 1
    assert max(shown[PICTURES:]) <= np.abs(TIMES - 1.5).argmin()


def test_a_video_of_one_picture_goes_on_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "slide.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64), 14, np.uint8), "gray")))
        file.mux(stream.encode())
    reel = plan_reel(path, 3.0, [shot(0, 3)])
    shown = numbers(reel)
    assert set(shown) == {7}
    assert len(shown) == len(reel.starts)
    assert 3.0 <= reel.end < 3.1
