"""The figures of the finishing: a mouth that shuts is told from one that does not, a head from its repetition."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from tiny import tiny_components

from geneface.pipelines.pipeline import GeneFacePipeline
from research import finishing


@pytest.fixture(scope="module")
def pipe() -> GeneFacePipeline:
    pipe = GeneFacePipeline(**tiny_components(), name="tiny").to("cpu")
    track = pipe.renderer.scene.pose_track
    turn = Rotation.from_rotvec(np.linspace(-0.1, 0.1, len(track))[:, None] * [0.2, 1, 0.3]).as_matrix()
    track[:, :, :3] = torch.from_numpy(turn).float() @ track[:, :, :3]
    return pipe


def test_a_pause_is_shut_however_it_sounds(pipe, monkeypatch):
    figures = finishing.silence_figures(pipe)
    assert list(figures) == list(finishing.disturbances(np.zeros(640, np.float32)))
    for what, found in figures.items():
        assert found["largest opening in the pause, cm"] < 0.01, what
        assert found["jitter in the pause, mm"] < 0.05, what
        assert found["share of speech in which the mouth is let move"] > 0.85, what
    monkeypatch.setattr("geneface.motion.silence.SpeechGate.push", lambda self, heard: 1.0)
    assert finishing.silence_figures(pipe)["clean"]["largest opening in the pause, cm"] > 0.01, "without a gate"


def test_the_head_is_measured(pipe, monkeypatch):
    monkeypatch.setattr(finishing, "CORRELATED", 10)
    monkeypatch.setattr(finishing, "LONG", 30)
    speech = np.random.default_rng(0).standard_normal(30 * 16000).astype(np.float32)
    figures = finishing.head_figures(pipe, speech)
    assert np.isfinite([*figures.values()]).all()
    assert figures["two ten seconds of ten minutes, least rms difference, degrees"] >= 0
    report = {"person": "tiny", "silence": {"clean": {"a": 1.0}}, "head": figures}
    assert "| clean | 1.000 |" in finishing.tables(report)
