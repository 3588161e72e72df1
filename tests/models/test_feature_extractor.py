import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from geneface.errors import InputError
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.features import MARGIN
from geneface.streaming.audio import ArrayStream

TINY = {
    "model_type": "hubert",
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
    "conv_dim": [8] * 7,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def extractor() -> FeatureExtractor:
    torch.manual_seed(0)
    return FeatureExtractor(TINY).eval()


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(640 * 700 - 100).astype(np.float32) * 0.1


@pytest.mark.parametrize("frames", [1, 2, 7, 250])
def test_two_features_a_frame(extractor: FeatureExtractor, frames: int) -> None:
    with torch.no_grad():
        assert extractor(torch.zeros(2, 640 * frames + 2 * MARGIN)).shape == (2, 2 * frames, 16)


@pytest.mark.parametrize("length", [640, 641, 640 * 250, 640 * 251, 640 * 700 - 100])
def test_any_length(extractor: FeatureExtractor, samples: np.ndarray, length: int) -> None:
    recording = ArrayStream(samples[:length])
    assert extractor.extract(recording).shape == (2 * recording.frames, 16)


def test_a_short_recording_is_one_window(extractor: FeatureExtractor, samples: np.ndarray) -> None:
    padded = torch.from_numpy(np.pad(samples[: 640 * 40], MARGIN))[None]
    with torch.no_grad():
        assert torch.equal(extractor.extract(ArrayStream(samples[: 640 * 40])), extractor(padded)[0])


def test_what_comes_later_changes_nothing(extractor: FeatureExtractor, samples: np.ndarray) -> None:
    short, long = ArrayStream(samples[: 640 * 520]), ArrayStream(samples)
    first = extractor.extract(short)
    windows = []
    extractor.register_forward_pre_hook(lambda _, given: windows.append(given[0].shape[1]))
    same = extractor.extract(long)
    assert len(first) == 300 * 3 + 140
    assert torch.equal(first[:600], same[:600])
    assert not torch.equal(first[900:], same[900:1040])
    assert max(windows) == 640 * 250 + 2 * MARGIN


def test_chunks_join_within_the_context(extractor: FeatureExtractor, samples: np.ndarray) -> None:
    extractor.block_frames = 10_000
    whole = extractor.extract(ArrayStream(samples))
    extractor.block_frames = 150
    difference = (whole - extractor.extract(ArrayStream(samples))).abs().amax(1)
    assert difference.max() < 0.1 * whole.abs().mean()


def test_silence_is_heard_unless_levels_are_normalised(extractor: FeatureExtractor) -> None:
    quiet = torch.randn(1, 640 * 10 + 2 * MARGIN, generator=torch.Generator().manual_seed(0)) * 1e-3
    with torch.no_grad():
        assert not torch.allclose(extractor(quiet), extractor(100 * quiet), atol=1e-3)
        extractor.normalise = True
        assert torch.allclose(extractor(100 * quiet), extractor(1000 * quiet), atol=1e-3)


def test_round_trip_is_bit_equal(extractor: FeatureExtractor, tmp_path: Path) -> None:
    extractor.normalise = True
    extractor.save_pretrained(tmp_path)
    loaded = FeatureExtractor.from_pretrained(tmp_path)
    assert loaded.normalise and not loaded.training and loaded.feature_size == 16
    for name, tensor in extractor.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_half_precision_on_disk(extractor: FeatureExtractor, tmp_path: Path) -> None:
    extractor.save_pretrained(tmp_path, dtype=torch.float16, variant="fp16")
    assert {t.dtype for t in load_file(tmp_path / "model.fp16.safetensors").values()} == {torch.float16}
    loaded = FeatureExtractor.from_pretrained(tmp_path, variant="fp16")
    assert loaded.dtype == torch.float32 and str(loaded.device) == "cpu"


def test_transformers_reads_it(extractor: FeatureExtractor, tmp_path: Path) -> None:
    from transformers import HubertModel

    extractor.save_pretrained(tmp_path)
    theirs = HubertModel.from_pretrained(tmp_path).eval()
    samples = torch.randn(1, 640 * 5 + 2 * MARGIN)
    with torch.no_grad():
        assert torch.equal(theirs(samples).last_hidden_state, extractor(samples))


def test_it_reads_the_folder_of_a_speech_recogniser(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers import HubertConfig, HubertForCTC

    recogniser = HubertForCTC(HubertConfig(**{**TINY, "vocab_size": 5})).eval()
    recogniser.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    old_names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, old in old_names.items():
        weights = {name.replace(new, old): tensor for name, tensor in weights.items()}
    del weights["hubert.masked_spec_embed"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    capfd.readouterr()
    loaded = FeatureExtractor.from_pretrained(tmp_path)
    assert capfd.readouterr() == ("", "")
    samples = torch.randn(1, 640 * 5 + 2 * MARGIN)
    with torch.no_grad():
        assert torch.equal(loaded(samples), recogniser.hubert(samples).last_hidden_state)


def _truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _add_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, "extra": torch.zeros(1)}, folder / "model.safetensors")


def _drop_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("encoder.layer_norm.weight")
    save_file(weights, folder / "model.safetensors")


def _change_config(**changes: object):
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **changes}))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncate, "damaged or truncated"),
        (_add_tensor, "unknown tensor 'extra'"),
        (_drop_tensor, "lacks the tensor"),
        (_change_config(hidden_size=32), "shape"),
        (_change_config(model_type="wav2vec2"), "not a hubert"),
        (_change_config(conv_stride=[5, 2, 2, 2, 2, 2, 1]), "50 features a second"),
        (_change_config(conv_kernel=[10, 3]), "does not describe"),
        (_change_config(hidden_size="many"), "does not describe"),
        (lambda folder: (folder / "model.safetensors").unlink(), "missing"),
        (lambda folder: (folder / "config.json").write_text("{"), "JSON"),
        (lambda folder: (folder / "pytorch_model.bin").touch(), "run code"),
        (shutil.rmtree, "missing"),
    ],
)
def test_bad_folders_are_refused(extractor: FeatureExtractor, tmp_path: Path, damage, message: str) -> None:
    folder = tmp_path / "extractor"
    extractor.save_pretrained(folder)
    damage(folder)
    with pytest.raises(InputError, match=message):
        FeatureExtractor.from_pretrained(folder)


def test_the_embedded_configuration_is_small() -> None:
    config = json.loads((ROOT / "hub_configs/embedded/feature_extractor.json").read_text())
    extractor = FeatureExtractor(config)
    assert 2 * sum(p.numel() for p in extractor.parameters()) < 9e6
