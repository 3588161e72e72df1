"""The ways from generic motion to a person's: on a person whose mouth opens with the loudness of a tone."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from motion_corpus import MODELS, speak, write_everything
from safetensors.torch import save_file

from geneface import metrics
from geneface.datasets.corpus import Corpus
from geneface.errors import InputError
from geneface.face.face_model import FaceModel
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.motion_generator import MotionGenerator
from geneface.models.projection import LandmarkProjection
from geneface.models.sync_expert import SyncExpert
from geneface.training.motion_figures import HeldOut
from geneface.training.person_speech import PersonSpeech, dev_score
from geneface.training.post_net import PostNetConfig, train
from geneface.utils.files import read_json
from research.blocks import VARIANTS, rotate, table


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Untrained generic components, and a corpus of which nothing but the sound is known."""
    folder = tmp_path_factory.mktemp("adaptation")
    paths = write_everything(folder)
    corpus = Corpus(paths["corpus"])
    clips = [
        {"name": c.name, "audio": c.audio, "seconds": c.seconds, "speaker": c.speaker, "split": c.split}
        for c in corpus.clips
    ]
    (corpus.folder / "clips.jsonl").write_text("".join(json.dumps(clip) + "\n" for clip in clips))
    torch.manual_seed(0)
    size = FeatureExtractor.from_pretrained(paths["feature_extractor"]).feature_size
    generator = MotionGenerator(size, **MODELS["motion_generator"])
    generator.mean_landmarks.copy_(FaceModel.load(paths["face_model"]).mean_landmarks)
    generator.landmark_std.fill_(0.1)
    generator.save_pretrained(folder / "generator")
    SyncExpert(size, **MODELS["sync_expert"]).save_pretrained(folder / "sync_expert")
    return {
        "output_dir": str(folder / "out"),
        "dataset": paths["dataset"],
        "corpora": [paths["corpus"]],
        "feature_extractor": paths["feature_extractor"],
        "motion_generator": str(folder / "generator"),
        "sync_expert": str(folder / "sync_expert"),
        "model": str(folder / "post_net.json"),
        "discriminator": str(folder / "discriminator.json"),
        "steps": 4,
        "batch_size": 2,
        "window": 20,
        "warmup_steps": 1,
        "evaluate_every": 2,
        "prefetch": 2,
    }


def test_rotation_scores_every_variant_and_goes_on_where_it_was(settings: dict, tmp_path: Path) -> None:
    config = PostNetConfig(**{**settings, "output_dir": str(tmp_path)})
    found = rotate(config, ["none", "transfer", "projection"])
    assert all(len(found[name]) == 5 for name in found)
    none, transfer = ([block["lm3d_error_mm"] for block in found[name]] for name in ("none", "transfer"))
    assert np.mean(transfer) < 0.7 * np.mean(none), "the person's own face is nearer than the mean face"
    note = read_json(tmp_path / "blocks.json")
    note["none"] = note["none"][:4]
    note["transfer"][0]["r"] = 0.123
    (tmp_path / "blocks.json").write_text(json.dumps(note))
    again = rotate(config, ["none", "transfer"])
    assert again["none"] == found["none"] and again["transfer"][0]["r"] == 0.123
    assert (tmp_path / "blocks.md").read_text() == table(again)
    assert [line.split(" | ")[0] for line in table(again).splitlines()[2:]] == ["| none", "| transfer", "| projection"]
    with pytest.raises(InputError, match="unknown variant 'magic'"):
        rotate(config, ["magic"])


def test_trained_variants_of_a_block(settings: dict, tmp_path: Path) -> None:
    from research.blocks import Rotation

    rotation = Rotation(PostNetConfig(**{**settings, "output_dir": str(tmp_path)}))
    for variant in ("post_net", "fine_tune"):
        figures = rotation.score(variant, 2)
        assert figures["lm3d_error_mm"] < 5 and -1 <= figures["r"] <= 1 and np.isfinite(figures["dev_spread"])
    assert (tmp_path / "post_net_2/model/model.safetensors").exists()
    own = MotionGenerator.from_pretrained(tmp_path / "fine_tune_2/motion_generator")
    assert own.config == rotation.generator.config
    assert set(VARIANTS) >= {"post_net", "fine_tune"}


def test_projection_is_chosen_by_the_config(settings: dict, tmp_path: Path) -> None:
    config = {**settings, "output_dir": str(tmp_path), "adapter": "projection", "corpora": []}
    component = LandmarkProjection.from_pretrained(train(PostNetConfig(**config)))
    report = read_json(tmp_path / "report.json")
    assert report["blend"] == component.blend and report["dev"]["temperature_0"]["lm3d_error_mm"] > 0
    nearest = (component.frames - component.target_rest).flatten(1).norm(dim=1)
    assert nearest.min() == 0, "the rest is one of the frames"
    assert len(component.frames) == 1 + 120, "the training part"
    with pytest.raises(InputError, match="choose one of fine_tune, post_net, projection"):
        train(PostNetConfig(**{**config, "adapter": "none"}))


def test_nothing_of_the_held_out_part_is_seen(settings: dict, tmp_path: Path) -> None:
    extractor = FeatureExtractor.from_pretrained(settings["feature_extractor"])
    generator = MotionGenerator.from_pretrained(settings["motion_generator"])
    numbered = torch.arange(150.0)[:, None, None].expand(150, 68, 3).contiguous()
    save_file({"lm3d": numbered}, tmp_path / "tracks.safetensors")
    shutil.copy(Path(settings["dataset"]) / "audio.flac", tmp_path)
    person = PersonSpeech(tmp_path, extractor, generator, block=1, copies=2)
    assert person.own[:, 0, 0].tolist() == [*range(30), *range(75, 150)]
    assert person.hold_out("test").lm3d[:, 0, 0].tolist() == list(range(30, 60))
    assert person.hold_out("dev").lm3d[:, 0, 0].tolist() == list(range(60, 75))
    # Frames 0-30 and 75-150, each twice; a window of 40 frames fits into the second alone.
    assert [len(run.lm3d) for run in person.runs] == [30, 75, 30, 75] and person.longest == 75
    drawn = person.draw(8, 40, np.random.default_rng(0))
    assert drawn.lm3d.shape == drawn.generic.shape == (8, 40, 68, 3) and drawn.features.shape == (8, 80, 16)
    ran = {run.lm3d[start : start + 40].numpy().tobytes() for run in person.runs[1::2] for start in range(36)}
    assert all(window.numpy().tobytes() in ran for window in drawn.lm3d)


def test_the_dev_score_wants_a_mouth_that_moves(tmp_path: Path) -> None:
    from motion_corpus import write_face_model

    face = write_face_model(tmp_path / "face.safetensors")
    _, lm3d = speak(60, face, np.random.default_rng(0))
    dev = HeldOut(torch.zeros(120, 1), lm3d, "x", [], torch.zeros(0, 1))
    mean = face.mean_landmarks.numpy()
    still = np.repeat(lm3d.mean(axis=0, keepdims=True), 60, axis=0)

    def score(made: np.ndarray) -> float:
        return dev_score(lambda *_: torch.from_numpy(made), dev, mean, 1.0)[0]

    assert score(lm3d) == pytest.approx(1.0)
    assert score(lm3d) > score(still + 1.3 * (lm3d - still)) > score(still)


def test_concordance() -> None:
    curve = np.sin(np.arange(50.0))
    assert metrics.concordance(curve, curve) == pytest.approx(1)
    # Twice the spread: 2 * 2 / (1 + 4).
    assert metrics.concordance(curve, 2 * curve - curve.mean()) == pytest.approx(0.8)
    assert metrics.concordance(curve, curve + 10) < 0.02 and metrics.concordance(curve, 0 * curve) == 0
