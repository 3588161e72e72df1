import json
from pathlib import Path

import pytest
from flat_person import SHORT_TRAINING, write_flat_person
from tiny import TINY_RENDERER

from research import real_persons


def test_every_clip_is_a_row_and_is_trained_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "clip"
    clip.mkdir()
    write_flat_person(clip)
    (tmp_path / "renderer.json").write_text(json.dumps(TINY_RENDERER))
    short = {**SHORT_TRAINING, "steps": 2, "renderer": str(tmp_path / "renderer.json"), "mixed_precision": "no"}
    settings = [f"{name}={json.dumps(value)}" for name, value in short.items()]
    asked = ([clip], tmp_path / "out", settings, ["noise"], ["end", "turned"])
    found = real_persons.measure(*asked)
    assert sorted(found) == ["clip/end/noise", "clip/turned/noise"]
    page = (tmp_path / "out" / "figures.md").read_text()
    assert f"{found['clip/turned/noise']['test']['mouth']:.1f}" in page
    monkeypatch.setattr(real_persons, "train", None)
    assert real_persons.measure(*asked) == found
