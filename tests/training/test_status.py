from pathlib import Path

import pytest

from geneface.training.run import Stage, TrainingFolder
from geneface.training.status import PART_WORK, Progress


def test_the_time_left_counts_what_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    clock = [0.0]
    caplog.set_level("INFO")
    monkeypatch.setattr("geneface.training.status.time.monotonic", lambda: clock[0])
    progress = Progress(TrainingFolder(tmp_path), post_net=(60.0, 0.1), on_cpu=True)
    progress.write(stage=Stage.RENDERER)
    for done in range(1, 12):
        clock[0] += 2
        progress.stepped(done, 1000, 1000.0 - done, 1000.0)
    assert progress.status.seconds_left == pytest.approx(2 * 989 + 60 + 0.1 * 2 * 1000)
    assert "about 37 min left on this machine, which has no GPU in use" in caplog.text


def test_preparing_says_how_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("geneface.training.status.time.monotonic", lambda: clock[0])
    progress = Progress(TrainingFolder(tmp_path))
    progress.part("first", 0, len(PART_WORK))
    assert progress.status.seconds_left is None
    clock[0] += 2 * sum(PART_WORK[:4])
    progress.part("fifth", 4, len(PART_WORK))
    assert progress.status.seconds_left == pytest.approx(2 * sum(PART_WORK[4:]))
    items = progress.each(range(2), "half of it", 2)
    next(items)
    clock[0] += PART_WORK[4]
    next(items)
    assert progress.status.seconds_left == pytest.approx(2 * (PART_WORK[4] / 2 + sum(PART_WORK[5:])))


def test_preparing_that_goes_on_counts_only_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("geneface.training.status.time.monotonic", lambda: clock[0])
    progress = Progress(TrainingFolder(tmp_path))
    progress.part("sixth", 5, len(PART_WORK))
    clock[0] += 3 * PART_WORK[5]
    progress.part("seventh", 6, len(PART_WORK))
    assert progress.status.seconds_left == pytest.approx(3 * sum(PART_WORK[6:]))
