from pathlib import Path

import pytest

from geneface.training.run import Stage, TrainingFolder
from geneface.training.status import Progress


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
