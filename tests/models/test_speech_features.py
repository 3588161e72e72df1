"""Features of a bounded context: parts of a recording equal the whole, whatever its level."""

import json
from pathlib import Path

import pytest
import torch

from geneface.bundles.loading import new_component, trained_component
from geneface.models.bounded_context import level_sound
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.features import AudioFeatures
from geneface.models.speech_features import SpeechFeatures

ROOT = Path(__file__).parents[2]
SMALL = {"feature_size": 24, "width": 32, "heads": 4, "inner": 48, "level_features": 10}


def small_hubert() -> FeatureExtractor:
    config = json.loads((ROOT / "hub_configs/ablations/hubert.json").read_text())
    config |= {"conv_dim": [16] * 7, "hidden_size": 32, "intermediate_size": 48, "level_features": 10}
    config |= {"num_hidden_layers": 2, "attention_context": [[6, 2], [6, 1]]}
    config |= {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 4}
    return FeatureExtractor(config)


@pytest.fixture(params=["speech", "hubert"])
def extractor(request: pytest.FixtureRequest) -> AudioFeatures:
    torch.manual_seed(0)
    made = SpeechFeatures(**SMALL, context=((6, 2), (6, 1))) if request.param == "speech" else small_hubert()
    for parameter in made.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


def speech(frames: int) -> torch.Tensor:
    sound = torch.randn(1, 640 * frames + 80, generator=torch.Generator().manual_seed(1)) * 0.1
    return sound * torch.linspace(0.2, 1, sound.shape[1])


@torch.no_grad()
def test_a_window_with_its_context_equals_the_whole(extractor: AudioFeatures) -> None:
    sound, first, stop = speech(90), 50, 60
    whole = extractor(sound)[:, 2 * first : 2 * stop]

    def within(back: int, ahead: int) -> float:
        window = sound[:, 640 * (first - back) : 640 * (stop + ahead) + 80]
        return float((extractor(window)[:, 2 * back : 2 * (back + stop - first)] - whole).abs().max())

    back, ahead = extractor.context_frames, extractor.lookahead_frames
    assert back <= 50 and within(back, ahead) < 1e-4
    assert within(back, ahead - 1) > 1e-3, "the look-ahead is stated larger than it is"
    assert within(4, ahead) > 1e-3, "the context is stated larger than it is"


@torch.no_grad()
def test_neither_level_nor_offset_matter(extractor: AudioFeatures) -> None:
    sound = speech(60)
    usual = extractor(sound)[:, 20:]
    for changed in (0.1 * sound, sound + 0.01):
        assert torch.nn.functional.cosine_similarity(extractor(changed)[:, 20:], usual, dim=-1).min() > 0.97


def test_the_embedded_extractor_is_small_and_hears_80_ms_ahead(tmp_path: Path) -> None:
    extractor = new_component(ROOT / "hub_configs/embedded/feature_extractor.json", "SpeechFeatures")
    assert sum(parameter.numel() for parameter in extractor.parameters()) < 8e6
    assert extractor.lookahead_frames == 2 and extractor.block_frames == 1
    extractor.save_pretrained(tmp_path)
    again = trained_component(tmp_path)
    assert again.identity == extractor.identity and again.context_frames == extractor.context_frames


def test_digital_silence_has_finite_gradients() -> None:
    torch.manual_seed(0)
    extractor = SpeechFeatures(**SMALL)
    extractor(torch.zeros(2, 640 * 20 + 80)).square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in extractor.parameters())


def test_level_sound_hears_nothing_ahead() -> None:
    sound = speech(20)
    later = sound.clone()
    later[:, 80 + 320 * 10 :] *= 5
    assert torch.equal(level_sound(sound, 320, 8)[:, : 80 + 3200], level_sound(later, 320, 8)[:, : 80 + 3200])


def test_what_a_hubert_of_bounded_context_needs_is_told() -> None:
    config = json.loads((ROOT / "hub_configs/ablations/hubert.json").read_text())
    with pytest.raises(ValueError, match="for each layer"):
        FeatureExtractor({**config, "attention_context": [[8, 1]]})
