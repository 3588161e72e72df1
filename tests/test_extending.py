"""The toys of docs/extending.md work in a copy of the package that holds just these pieces more."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_person import write_drawn_dataset
from motion_corpus import write_wave as write_wav
from tiny import ROOT

from geneface.media.video import probe

PIECE = re.compile(r"^`([\w/.]+)`(?:, above `([^\n]+)`)?\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Copy:
    """A copy of the package in `folder`, beside which settings and persons are found as in a clone."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copytree(ROOT / "geneface", folder / "geneface", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "hub_configs", folder / "hub_configs")
        (folder / "examples").symlink_to(ROOT / "examples")

    def add(self, *places: str) -> None:
        """Put pieces of the page where it says."""
        page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
        pieces = {match[1]: (match[2], match[3]) for match in PIECE.finditer(page)}
        for place in places:
            before, text = pieces[place]
            target = self.folder / place
            if before:
                whole = target.read_text(encoding="utf-8")
                assert whole.count(before) == 1, f"{place} has no single line that begins with {before!r}"
                text = whole.replace(before, text + before)
            else:
                assert not target.exists()
            target.write_text(text, encoding="utf-8")

    def run(self, *command: object) -> str:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, *map(str, command)], env=environment, cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.mark.slow
def test_a_renderer(copy: Copy, tmp_path: Path, speech: np.ndarray) -> None:
    copy.add("geneface/renderers/mean.py", "geneface/training/renderers/mean.py")
    (tmp_path / "drawn").mkdir()
    dataset = write_drawn_dataset(tmp_path / "drawn")
    asked = ("--renderer", "mean", "--adapter", "projection", "--steps", 3, "--device", "cpu")
    assert "mean" in copy.run("-m", "geneface", "train", "--help")
    copy.run("-m", "geneface", "train", dataset, "-o", "mean_person", *asked)
    index = json.loads((tmp_path / "mean_person" / "model_index.json").read_text())
    assert index["renderer"] == ["geneface.renderers.mean", "MeanRenderer"]
    write_wav(tmp_path / "speech.wav", speech[:8000])
    video = ("-o", "mean.mp4", "--person", "./mean_person", "--device", "cpu")
    copy.run("-m", "geneface", "generate", "speech.wav", *video)
    assert probe(tmp_path / "mean.mp4").video_seconds == pytest.approx(13 / 25)


def test_a_feature_extractor(copy: Copy, speech: np.ndarray) -> None:
    copy.add("geneface/models/loudness.py", "hub_configs/embedded/loudness.json")
    np.save(copy.folder / "speech.npy", speech)
    program = """
import numpy as np, torch
from pathlib import Path
from geneface import GeneFacePipeline, InputError
from geneface.bundles.loading import new_component, trained_component
from geneface.models.motion_generator import MotionGenerator
loudness = trained_component("hub_configs/embedded/loudness.json")
loudness.save_pretrained("saved")
assert trained_component("saved").config == {"floor": 0.001}
settings = Path("hub_configs/embedded/motion_generator.json")
generator = new_component(settings, "MotionGenerator", feature_size=2, extractor="loudness").eval()
parts = {"feature_extractor": loudness, "motion_generator": generator, "phoneme_head": None}
pipe = GeneFacePipeline.from_pretrained("vera", device="cpu", **parts)
pipe.set_progress_bar_config(disable=True)
assert pipe(np.load("speech.npy")[:3200], 16000, size=64).frames.shape == (5, 64, 64, 3)
try:
    GeneFacePipeline.from_pretrained("vera", device="cpu", feature_extractor=loudness)
except InputError as error:
    print(error)
"""
    said = copy.run("-c", program)
    assert "gives 2 numbers a feature where the motion generator was trained on" in said


def test_an_option(copy: Copy, speech: np.ndarray) -> None:
    copy.add("geneface/options.py", "geneface/renderers/render_stage.py")
    assert "--contrast X" in copy.run("-m", "geneface", "generate", "--help")
    write_wav(copy.folder / "speech.wav", speech[:1280])
    program = """
import inspect
from geneface import GeneFacePipeline, InputError
from geneface.pipelines.generate import generate_video
from geneface.media.provenance import read_provenance
from geneface.ui.options import page_defaults
pipe = GeneFacePipeline.from_pretrained("vera", device="cpu")
pipe.set_progress_bar_config(disable=True)
assert "contrast" in inspect.signature(pipe.__call__).parameters and page_defaults()["contrast"] == 1.0
own, grey = (pipe("speech.wav", seed=1, size=64, contrast=contrast).frames for contrast in (1.0, 0.0))
assert own.std() > 20 and grey.std() < 1
try:
    pipe("speech.wav", contrast=3.0)
except InputError as error:
    print(error)
generate_video(pipe, "speech.wav", "video.mp4", contrast=0.5, size=64)
print(read_provenance("video.mp4").settings["contrast"])
"""
    said = copy.run("-c", program)
    assert said.split("\n")[:2] == ["contrast is 3.0; it must be between 0 and 2", "0.5"]
