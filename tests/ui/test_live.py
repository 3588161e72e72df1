from pathlib import Path

import numpy as np
import pytest

from geneface.media.audio import load_audio, open_audio
from geneface.media.video import probe
from geneface.ui.live import PART_FRAMES, Countdown, Live, Segment, Step
from geneface.ui.plot import Voice, draw, voice_curve


def frames(count: int) -> np.ndarray:
    return np.zeros((count, 32, 32, 3), np.uint8)


def test_parts_hold_their_share_of_the_sound(tmp_path: Path, speech: np.ndarray) -> None:
    sound = np.concatenate([speech, 0 * speech, speech, speech])
    told: list[Segment] = []
    with open_audio((16000, sound)) as source, Live(tmp_path, source, told.append) as live:
        for _ in range(19):
            live.show(frames(10), 5.0)
    assert len(told) == 4
    assert [round(probe(part.path).video_seconds, 2) for part in told] == [2.0, 2.0, 2.0, 1.6]
    loud = [float(np.abs(load_audio(part.path)[4000:-4000]).max()) for part in told]
    assert loud[1] < 0.02 and min(loud[0], loud[2], loud[3]) > 0.1


@pytest.mark.parametrize(("seconds_left", "shown"), [(1.0, 0), (5.0, 1), (60.0, 0)])
def test_shown_only_if_it_can_play_through(
    tmp_path: Path, speech: np.ndarray, seconds_left: float, shown: int
) -> None:
    told: list[Segment] = []
    with open_audio((16000, np.tile(speech, 5))) as source, Live(tmp_path, source, told.append) as live:
        live.show(frames(PART_FRAMES), seconds_left)
        assert len(told) == shown


def test_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("geneface.ui.live.time.monotonic", lambda: now[0])
    steps: list[Step] = []
    countdown = Countdown(steps.append)
    for done in range(1, 101):
        countdown(done, 100)
        now[0] += 0.1
    assert steps[0] == Step(1, 100, None)
    assert steps[-1].seconds_left == 0
    middle = next(step for step in steps if step.done >= 50)
    assert middle.seconds_left == pytest.approx((100 - middle.done) * 0.1, rel=0.05)
    assert len(steps) < 60


def test_plot_tells_what_it_shows(speech: np.ndarray) -> None:
    with open_audio((16000, speech)) as source:
        loudness = voice_curve(source)
    assert loudness.shape == (50,) and loudness.max() > 0.05
    first = draw(Voice(loudness, None))
    assert "not known yet" in first and "lasts 2.0 seconds" in first and "polyline" not in first
    assert "up to 0.8 centimetres" in draw(Voice(loudness, np.linspace(0, 0.8, 50)))
    assert draw(Voice(np.zeros(100000), np.zeros(100000))).count("<span") < 14
