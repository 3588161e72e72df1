import json
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from geneface.datasets.corpus import Clip, write_clips
from geneface.datasets.phoneme_batches import UNKNOWN, BatchMaker, Recordings, feature_labels, sequence
from geneface.errors import InputError
from geneface.models.feature_extractor import FeatureExtractor
from geneface.training import feature_extractor as script

PITCHES = {"a": 300, "i": 700, "s": 2500, "m": 120}
MODEL = {
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
    "conv_dim": [16] * 7,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_prob": 0.05,
    "mask_time_length": 3,
}


def _write_corpus(folder: Path) -> None:
    """Melodies, one tone for each phoneme: half of the clips with times, half without, some to test on."""
    rng = np.random.default_rng(0)
    clips = []
    for number in range(20):
        symbols = ["sil", *rng.permutation([*PITCHES, *PITCHES]), "sil"]
        times = np.cumsum(rng.uniform(0.08, 0.2, len(symbols)))
        phones = list(zip(map(str, symbols), [0.0, *times[:-1].tolist()], times.tolist(), strict=True))
        samples = np.zeros(round(times[-1] * 16000))
        for symbol, start, end in phones:
            first, last = round(start * 16000), round(end * 16000)
            samples[first:last] = 0.3 * np.sin(PITCHES.get(symbol, 0) * 2 * np.pi / 16000 * np.arange(last - first))
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes((samples * 32767).astype("<i2").tobytes())
        known = {"phones": phones} if number % 2 else {"phonemes": [s for s, *_ in phones if s != "sil"]}
        split = {18: "test", 19: "test", 16: "heldout"}.get(number, "train")
        language = "en" if number < 10 else "de"
        clips.append(Clip(str(number), f"{number}.wav", float(times[-1]), "x", language, split=split, **known))
    write_clips(folder, clips)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    (folder / "corpus").mkdir()
    _write_corpus(folder / "corpus")
    (folder / "model.json").write_text(json.dumps(MODEL))
    settings = {
        "output_dir": str(folder / "run"),
        "model": str(folder / "model.json"),
        "corpora": [str(folder / "corpus")],
        "steps": 4,
        "save_every": 2,
        "batch_size": 4,
        "seconds": 1.5,
        "learning_rate": 3e-3,
        "warmup_steps": 2,
        "prefetch": 2,
    }
    path = folder / "config.json"
    path.write_text(json.dumps(settings))
    return path


@pytest.fixture(scope="module")
def run(config: Path) -> Path:
    script.main(["--config", str(config)])
    return config.parent / "run"


def test_it_leaves_a_component_heads_and_a_report(run: Path) -> None:
    assert FeatureExtractor.from_pretrained(run / "model").feature_size == 32
    assert {tensor.dtype for tensor in load_file(run / "model/model.safetensors").values()} == {torch.float16}
    assert load_file(run / "phoneme_head/model.safetensors")["ctc.weight"].shape == (47, 32)
    report = json.loads((run / "report.json").read_text())
    assert report["heldout"]["de"]["phonemes"] == 8
    assert report["test"]["all"]["phonemes"] == 16
    assert 0 <= report["test"]["all"]["feature_accuracy"] <= 1


def test_two_steps_and_two_more_are_four(run: Path, config: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "checkpoints", tmp_path / "checkpoints")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step_00000002"]
    script.main(["--config", str(config), "--set", f"output_dir={tmp_path}", "resume=true"])
    for name, tensor in load_file(run / "model/model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "model/model.safetensors")[name], tensor), name


def test_it_learns(config: Path, tmp_path: Path) -> None:
    script.main(["--config", str(config), "--set", f"output_dir={tmp_path}", "steps=200", "save_every=1000"])
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["test"]["all"]["feature_accuracy"] > 0.4


@pytest.mark.slow
def test_accelerate_launches_it(config: Path, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1"]
    script_and_settings = ["-m", "geneface.training.feature_extractor", "--config", str(config)]
    subprocess.run([*launch, *script_and_settings, "--set", f"output_dir={tmp_path}", "steps=1"], check=True)
    assert (tmp_path / "report.json").exists()


def test_batches_hold_whole_transcribed_clips_and_cuts_of_the_others(config: Path) -> None:
    recordings = Recordings([str(config.parent / "corpus")], preload_hours=1)
    settings = {"longest": 5.0, "timed_share": 0.5, "mask_share": 0.3, "mask_length": 3}
    make_batch = BatchMaker(recordings, seconds=1.0, budget=20.0, **settings)
    batch = make_batch(np.random.default_rng(0))
    again = make_batch(np.random.default_rng(0))
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    rows, features = batch.labels.shape
    assert batch.samples.shape == (rows, features * 320 + 80)
    assert batch.lengths.max() == features and (batch.lengths % 2 == 0).all()
    assert (batch.target_lengths == 8).sum() >= 5
    assert 0.1 < batch.masked.float().mean() < 0.5
    assert 10 < rows * features / 50 < 40
    timed = (batch.labels != UNKNOWN).sum(1) > 0.9 * batch.lengths
    assert timed.sum() == 10


def test_labels_and_sequences() -> None:
    phones = [("sil", -0.1, 0.03), ("a", 0.03, 0.1), ("a", 0.1, 0.14), ("m", 0.14, 0.3)]
    assert feature_labels(phones, 9).tolist() == [0, *[script.INDEX["a"]] * 6, *[script.INDEX["m"]] * 2][:9]
    assert sequence(phones, 9) == ["a"]
    assert sequence(phones, 12) == ["a", "m"]
    apart = [("a", -0.5, 0.1), ("sil", 0.1, 0.2), ("a", 0.2, 0.3), ("sil", 0.3, 0.4), ("a", 0.4, 0.5)]
    assert sequence(apart, 50) == ["a", "a"]


def test_edit_distance() -> None:
    assert script.edit_distance([], [1, 2]) == 2
    assert script.edit_distance([1, 2, 3], []) == 3
    assert script.edit_distance([1, 2, 3, 4], [1, 3, 5, 4]) == 2
    assert script.edit_distance([1, 1, 1], [1]) == 2


def test_a_corpus_without_phonemes_is_refused(config: Path, tmp_path: Path) -> None:
    write_clips(tmp_path, [Clip("x", str(config.parent / "corpus/0.wav"), 1.0, "x")])
    settings = {"longest": 5.0, "timed_share": 0.5, "mask_share": 0.3, "mask_length": 3}
    with pytest.raises(InputError, match="no clips with phonemes"):
        BatchMaker(Recordings([str(tmp_path)], 1), seconds=1.0, budget=20.0, **settings)
