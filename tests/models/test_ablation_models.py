import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import ROOT, TINY_HUBERT

from geneface.bundles.loading import new_component, trained_component
from geneface.datasets.motion import features_of
from geneface.errors import InputError
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.log_mel import LogMel, mel_filters
from geneface.models.motion_generator import MotionGenerator
from geneface.models.regression import MotionRegressor

CONFIGS = ROOT / "hub_configs/ablations"


def tone(frequency: float, frames: int = 25) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency / 16000 * np.arange(640 * frames))).astype(np.float32)


def test_log_mel_hears_which_tone_it_is():
    extractor = trained_component(CONFIGS / "log_mel.json")
    low, high = (features_of(tone(frequency), extractor) for frequency in (300.0, 3000.0))
    assert isinstance(extractor, LogMel) and low.shape == (50, 80)
    assert low[25].argmax() < high[25].argmax()
    corners = np.argmax(mel_filters(80).numpy(), axis=0) * 16000 / 400
    assert abs(corners[int(low[25].argmax())] - 300) < 60 and abs(corners[int(high[25].argmax())] - 3000) < 200
    silent = features_of(np.zeros(6400, np.float32), extractor)
    assert float(silent.std()) < 1e-5 and float(silent.max()) < float(low[25].max()) - 2


def test_log_mel_in_chunks_equals_the_whole():
    extractor = LogMel(20)
    samples = np.random.default_rng(0).normal(0, 0.1, 640 * 400).astype(np.float32)
    whole = extractor(torch.from_numpy(np.pad(samples, 40))[None])[0]
    assert torch.allclose(features_of(samples, extractor), whole, atol=1e-4)


@pytest.mark.parametrize(
    "name, kind", [("generator_no_flow", MotionGenerator), ("generator_regression", MotionRegressor)]
)
def test_generators_are_made_of_their_configurations(name: str, kind: type, tmp_path: Path):
    torch.manual_seed(0)
    generator = new_component(CONFIGS / f"{name}.json", "MotionGenerator", feature_size=16).eval()
    assert type(generator) is kind
    features, noise = torch.randn(1, 40, 16), torch.randn(1, 5, 16)
    generator.save_pretrained(tmp_path)
    loaded = trained_component(tmp_path)
    assert type(loaded) is kind and torch.equal(loaded(features, noise), generator(features, noise))
    # Only what has a prior answers to noise.
    moved = not torch.equal(generator(features, noise), generator(features, 0 * noise))
    assert moved == (kind is MotionGenerator)
    reconstruction = generator.reconstruct(torch.randn(1, 20, 68, 3), features, noise)
    assert bool((reconstruction.kl == 0).all()) == (kind is MotionRegressor)
    (reconstruction.landmarks.square().mean() + reconstruction.kl.mean()).backward()
    unreached = [name for name, parameter in generator.named_parameters() if parameter.grad is None]
    assert not unreached, unreached


def test_without_flow_the_prior_is_a_gaussian():
    generator = new_component(CONFIGS / "generator_no_flow.json", "MotionGenerator", feature_size=16)
    latent, condition = torch.randn(1, 16, 5), torch.randn(1, 112, 5)
    gaussian, log_det = generator.prior(latent, condition)
    assert torch.equal(gaussian, latent) and float(log_det) == 0 and generator.prior.radius == 0


def test_a_folder_of_a_hubert_needs_no_class_name(tmp_path: Path):
    FeatureExtractor(TINY_HUBERT).save_pretrained(tmp_path)
    assert isinstance(trained_component(tmp_path), FeatureExtractor)


def test_unknown_classes_are_refused(tmp_path: Path):
    (tmp_path / "x.json").write_text(json.dumps({"_class_name": "os.system"}))
    with pytest.raises(InputError, match="asks for a 'os"):
        new_component(tmp_path / "x.json", "MotionGenerator")
