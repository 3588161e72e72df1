import json

import pytest
import torch
from tiny import ROOT, TINY_RENDERER, tiny_components

from geneface.errors import InputError
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.renderers.ad_nerf import (
    SPAN,
    WINDOW,
    AudioCondition,
    AudioDrivenFastRenderer,
    AudioDrivenNerfRenderer,
    AudioEncoder,
    NormalisedAudio,
)

TINY_NERF = {"size": 16, "layers": 7, "hidden": 16, "encoder_hidden": 8, "samples": 8, "fine_samples": 8}


def audio(frames: int = 12, size: int = 6) -> torch.Tensor:
    return torch.randn(frames, 2, size, generator=torch.Generator().manual_seed(0))


def test_windows_lie_round_their_frames():
    features = torch.arange(40.0).view(20, 2, 1)
    windows = NormalisedAudio.windows(features)
    assert windows.shape == (20, SPAN, 1)
    middle = (SPAN - 2) // 2
    assert windows[10, middle : middle + 2, 0].tolist() == [20, 21]
    assert windows[10, :, 0].tolist() == list(range(20 - middle, 20 - middle + SPAN))
    assert windows[0, 0, 0] == 0 and windows[-1, -1, 0] == 39, "ends are repeated"


def test_statistics_come_from_the_features():
    condition, features = NormalisedAudio(6), 3 + 5 * audio(400)
    condition.fit(features)
    normalised = condition(condition.windows(features))
    assert abs(float(normalised.mean())) < 0.05 and abs(float(normalised.std()) - 1) < 0.05


def test_a_code_knows_its_own_window_and_its_neighbours():
    torch.manual_seed(0)
    encoder = AudioEncoder(6, 4)
    windows = torch.randn(2, SPAN, 6)
    codes = encoder(windows)
    assert codes.shape == (2, 4)
    for place in (0, SPAN // 2, SPAN - 1):
        changed = windows.clone()
        changed[0, place] += 1
        after = encoder(changed)
        assert not torch.allclose(after[0], codes[0]) and torch.equal(after[1], codes[1])
    # Attention weighs whole codes: where all windows are the same, so is their code.
    same = torch.randn(1, 1, 6).expand(1, SPAN, 6)
    single = encoder.code(encoder.convolutions(same[:, :WINDOW].transpose(1, 2)).squeeze(-1))
    assert torch.allclose(encoder(same), single, atol=1e-5)


@pytest.mark.parametrize("make", [AudioDrivenFastRenderer, AudioDrivenNerfRenderer])
@torch.no_grad()
def test_the_picture_follows_the_sound(make: type):
    torch.manual_seed(0)
    sizes = TINY_RENDERER if make is AudioDrivenFastRenderer else TINY_NERF
    renderer = make(**{**sizes, "pose_frames": 10, "head_aware": False, "audio_features": 6}).eval()
    renderer.condition.fit(audio())
    pose = renderer.scene.pose_track[:1].expand(2, -1, -1)
    windows = renderer.windows(audio())
    picture = renderer(windows[[3, 3]], pose).rgb
    assert torch.allclose(picture[0], picture[1], atol=1e-5), "the same sound"
    other = renderer(windows[[3, 8]], pose).rgb
    assert torch.allclose(other[0], picture[0], atol=1e-5), "its own sound alone"
    assert (other[1] - picture[1]).abs().max() > 1e-4, "another sound"


@pytest.mark.parametrize(
    "name, kind", [("ad_nerf", AudioDrivenFastRenderer), ("ad_nerf_paper", AudioDrivenNerfRenderer)]
)
def test_it_is_made_of_its_configuration(name: str, kind: type):
    """Audio for landmarks, no head for the torso; all else as of the method that it is compared with."""
    settings = json.loads((ROOT / f"hub_configs/ablations/{name}.json").read_text())
    assert settings.pop("_class_name") == kind.__name__
    renderer = kind(**settings)
    assert renderer.track == "features" and settings["head_aware"] is False
    base = "embedded" if kind is AudioDrivenFastRenderer else "paper"
    method = json.loads((ROOT / f"hub_configs/{base}/renderer.json").read_text())
    changed = {key for key in settings if settings[key] != method.get(key)}
    assert changed <= {"audio_features", "head_aware", "components"}


def test_it_is_saved_and_loaded(tmp_path):
    renderer = AudioDrivenFastRenderer(**{**TINY_RENDERER, "audio_features": 6})
    renderer.condition.fit(audio())
    renderer.save_pretrained(tmp_path)
    loaded = AudioDrivenFastRenderer.from_pretrained(tmp_path)
    assert isinstance(loaded.condition, AudioCondition) and torch.equal(loaded.condition.mean, renderer.condition.mean)


def test_the_pipeline_says_that_it_cannot_drive_it():
    renderer = AudioDrivenFastRenderer(**{**TINY_RENDERER, "audio_features": 16})
    with pytest.raises(InputError, match="driven by audio alone"):
        GeneFacePipeline(**{**tiny_components(), "renderer": renderer})
