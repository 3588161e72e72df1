"""The measurements of the watermark: what is done to videos, and the page."""

from pathlib import Path

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.media.video import VideoReader
from geneface.media.watermark import Watermark
from geneface.media.watermark_reader import WatermarkReading
from research.watermark import alter, false_alarms, psnr_of
from research.watermark_changes import CHANGES, SCREEN, Change, cropped, cut, encode, screen_recording
from research.watermark_page import AS_WRITTEN, FalseAlarms, Survival, page


def grey(count: int, side: int = 128) -> list[np.ndarray]:
    return [np.full((side, side, 3), number % 200, np.uint8) for number in range(count)]


def test_changes_of_size_and_time() -> None:
    assert {frame.shape for frame in cropped(0.1)(grey(2, 512))} == {(460, 460, 3)}
    assert {frame.shape for frame in cropped(0.1, back=True)(grey(2))} == {(128, 128, 3)}
    assert [int(frame[0, 0, 0]) for frame in cut(1, 0.2)(grey(50))] == [25, 26, 27, 28, 29]
    recording = list(screen_recording(grey(25)))
    assert (len(recording), recording[0].shape) == (30, (*SCREEN, 3))
    middle = [int(frame[360, 900, 0]) for frame in recording]
    assert middle == sorted(middle), "frames in their order"


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_every_change_gives_a_video(tmp_path: Path, change: Change) -> None:
    encode(grey(50, 64), tmp_path / "v.mp4", 18, 25, "ultrafast")
    alter(tmp_path / "v.mp4", tmp_path / "altered.mp4", change)
    with VideoReader(tmp_path / "altered.mp4") as reader:
        assert next(iter(reader)).ndim == 3


def test_false_alarms_are_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no videos"):
        false_alarms(tmp_path, 1)
    frames = np.random.default_rng(0).integers(90, 110, (50, 128, 128, 3), dtype=np.uint8)
    encode(frames, tmp_path / "plain.mp4", 18, 25, "ultrafast")
    assert vars(false_alarms(tmp_path, 1)) == {"clips": 1, "windows": 1, "readings": 3, "found": 0}
    marked = np.repeat(np.full((1, 512, 512, 3), 120, np.uint8), 50, axis=0)
    Watermark(512, 512, 1).draw(marked)
    encode(marked, tmp_path / "plain.mp4", 18, 25, "ultrafast")
    assert false_alarms(tmp_path, 0).found == 2, "what is there is found, as a whole and in the window"


def test_the_page_shows_the_worst() -> None:
    videos = []
    for video, score in (("vera, own", 30.0), ("theo, own", 14.0)):
        readings: dict[str, WatermarkReading | None] = dict.fromkeys([AS_WRITTEN, *(c.name for c in CHANGES)])
        readings[AS_WRITTEN] = WatermarkReading(7, score)
        videos.append(Survival(video, 44.0 + score / 100, 1.07, readings))
    videos[0].readings["H.264, CRF 23"] = WatermarkReading(7, 20.0)
    text = page(videos, 300, 0.2, FalseAlarms(clips=7, windows=90, readings=457))
    assert f"| {AS_WRITTEN} | 2 of 2 | 14.0 | 30.0 |" in text
    assert "| H.264, CRF 23 | 1 of 2 (not theo, own) | not found | 20.0 |" in text
    assert "| H.264, CRF 28 | 0 of 2 | not found | not found |" in text
    assert "44.1 dB" in text
    assert "457 searches in all: 0 watermarks found. (By itself that shows only a rate under 0.66%.)" in text
    assert "No real videos were read" in page(videos, 300, 0.2, None)


def test_psnr() -> None:
    plain = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_of(plain, plain + 1) == pytest.approx(48.13, abs=0.01)
    assert psnr_of(plain, plain) > 100
