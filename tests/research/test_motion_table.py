"""`python -m research.motion` on a tiny corpus with tiny models."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from motion_corpus import MODELS, write_everything
from PIL import Image

from geneface.datasets.corpus import Corpus, write_clips
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.motion_generator import MotionGenerator
from geneface.models.phoneme_head import PhonemeHead
from geneface.models.speech_regression import SpeechRegression
from geneface.models.sync_expert import SyncExpert
from geneface.training.motion_figures import HeldOut, sync_curve
from geneface.utils.files import read_json
from research import motion, speech
from research.log_mel import log_mel, predict, spoken, train_regression


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("table")
    paths = write_everything(folder)
    torch.manual_seed(0)
    generic = folder / "generic"
    shutil.copytree(paths["feature_extractor"], generic / "feature_extractor")
    size = FeatureExtractor.from_pretrained(generic / "feature_extractor").feature_size
    MotionGenerator(size, **MODELS["motion_generator"]).save_pretrained(generic / "motion_generator")
    SyncExpert(size, **MODELS["sync_expert"]).save_pretrained(generic / "sync_expert")
    SpeechRegression(size).save_pretrained(generic / "mouth_judge")
    PhonemeHead(size).save_pretrained(generic / "phoneme_head")
    corpus = Corpus(paths["corpus"])
    spoken_folder = folder / "speech"
    shutil.copytree(corpus.folder / "audio", spoken_folder / "audio")
    known = [replace(clip, split="test", lm3d="", phones=[], phonemes=["m", "a", "m", "a"]) for clip in corpus.clips]
    write_clips(spoken_folder, known)
    return {"folder": folder, "generic": generic, "speech": spoken_folder, **{k: Path(v) for k, v in paths.items()}}


def test_the_command_writes_table_figures_and_curve(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(motion, "REGRESSIONS", 1)
    monkeypatch.setattr(motion, "SEEDS", 2)
    monkeypatch.setattr(speech, "LEAST_AGREEMENT", -100.0)
    monkeypatch.setattr(motion.speed_figures, "__defaults__", (2,))
    out = places["folder"] / "out"
    arguments = [
        "--corpora",
        places["corpus"],
        "--dataset",
        places["dataset"],
        "--speech",
        places["speech"],
        "--phonemes",
    ]
    arguments += ["--generic", places["generic"], "-o", out]
    monkeypatch.setattr(sys, "argv", ["motion", *map(str, arguments)])
    motion.main()
    found = read_json(out / "motion.json", "run")
    assert found["corpus"]["clips"] == 1 and found["corpus"]["temperature_1"]["energy_score_mm"] > 0
    assert len(found["person"]["temperature_1"]["r_by_seed"]) == 2
    assert found["speech"]["closures"]["temperature_0"]["p, b, m, count"] == 10
    assert found["speech"]["phonemes"]["test"]["all"]["phonemes"] == 20
    assert found["speed"]["both"] > 0 and len(found["corpus"]["sync_curve"]) == 21
    text = (out / "motion.md").read_text()
    for line in (
        "r of the mouth opening",
        "log-mel",
        "sync-expert's accuracy",
        "held-out speakers",
        "times real time",
    ):
        assert line in text
    assert text in capsys.readouterr().out
    assert Image.open(out / "sync_curve.png").width > 600
    assert json.dumps(found)


def test_a_regression_learns_what_loudness_says() -> None:
    rng = np.random.default_rng(0)
    clips = []
    for number in range(4):
        opening = np.convolve(rng.random(104), np.ones(5) / 5, "valid")
        loud = np.repeat((opening - opening.min()) / np.ptp(opening), 640)
        clips.append(spoken((loud * rng.standard_normal(len(loud))).astype(np.float32), opening, str(number)))
    net = train_regression(clips[:3], steps=60)
    assert np.corrcoef(predict(net, clips[3].mel), clips[3].opening)[0, 1] > 0.7
    assert log_mel(np.zeros(1000, np.float32), 2).shape == (2, 80)


def test_the_curve_peaks_where_sound_and_face_belong_together() -> None:
    """An expert that compares the first landmark with the first feature, exactly."""

    class Exact(torch.nn.Module):
        window = 5
        device = torch.device("cpu")

        def score(self, lm3d: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
            same = lm3d[:, :, 0, 0] == features[:, ::2, 0]
            return same.unfold(1, 5, 1).all(-1).float()

    frames = 40
    lm3d = np.zeros((frames, 68, 3), np.float32)
    lm3d[:, 0, 0] = np.arange(frames)
    features = torch.arange(frames).float().repeat_interleave(2)[:, None]
    clip = HeldOut(torch.roll(features, 2 * 3, 0), lm3d, "ann", [], features)
    curve = sync_curve(Exact(), [clip], 5)  # type: ignore[arg-type]
    assert curve["+3"]["cosine"] == 1 and curve["+3"]["accuracy"] == 0
    assert curve["+0"]["cosine"] == 0 and curve["-5"]["accuracy"] == 1
