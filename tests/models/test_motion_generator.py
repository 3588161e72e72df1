from pathlib import Path

import pytest
import torch

from geneface.errors import InputError
from geneface.models.motion_generator import MotionGenerator, latent_noise, smooth
from geneface.utils.files import read_json

CONFIGS = Path(__file__).parents[2] / "hub_configs"
LATENT = 4


@pytest.fixture
def generator() -> MotionGenerator:
    torch.manual_seed(0)
    model = MotionGenerator(
        6, 8, 3, encoder_layers=2, decoder_layers=2, latent_channels=LATENT, flow_channels=8, flow_layers=2
    )
    for parameter in model.prior.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.landmark_mean.normal_()
    model.landmark_std.uniform_(0.5, 2.0)
    model.mean_landmarks.normal_()
    return model.eval()


def inputs(frames: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    features = torch.randn(batch, 2 * frames, 6, generator=torch.Generator().manual_seed(1))
    return features, latent_noise(3, 0, -(-frames // 4), LATENT).expand(batch, -1, -1)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 17])
@torch.no_grad()
def test_any_length(generator: MotionGenerator, frames: int) -> None:
    features, noise = inputs(frames, batch=2)
    lm3d = generator(features, noise)
    assert lm3d.shape == (2, frames, 68, 3) and lm3d.isfinite().all()
    reconstruction = generator.reconstruct(lm3d, features, noise)
    assert reconstruction.landmarks.shape == lm3d.shape
    assert reconstruction.kl.shape == (2,)


@torch.no_grad()
def test_save_and_load_is_bit_equal(generator: MotionGenerator, tmp_path: Path) -> None:
    generator.save_pretrained(tmp_path / "g")
    loaded = MotionGenerator.from_pretrained(tmp_path / "g")
    assert not loaded.training
    assert torch.equal(loaded(*inputs(17)), generator(*inputs(17)))
    assert torch.equal(loaded.mean_landmarks, generator.mean_landmarks)


def test_strict_loading_refuses_other_shapes(generator: MotionGenerator, tmp_path: Path) -> None:
    generator.save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"channels": 8', '"channels": 12', 1))
    with pytest.raises(InputError, match="shape"):
        MotionGenerator.from_pretrained(tmp_path)


@torch.no_grad()
def test_temperature_scales_the_noise(generator: MotionGenerator) -> None:
    features, noise = inputs(20)
    other = latent_noise(4, 0, 5, LATENT)[None]
    assert torch.equal(generator(features, noise, 0.0), generator(features, other, 0.0))
    still = generator(features, noise, 0.0)
    small, large = ((generator(features, noise, t) - still).abs().mean() for t in (0.1, 1.0))
    assert 0 < small < large
    assert torch.equal(generator(features, noise), generator(features, noise))
    assert not torch.equal(generator(features, noise), generator(features, other))


@pytest.mark.parametrize("frames", [200, 203])
@torch.no_grad()
def test_chunks_equal_the_whole(generator: MotionGenerator, frames: int) -> None:
    features, noise = inputs(frames)
    whole = generator(features, noise)
    context, size = generator.context_frames, 40
    assert context % generator.stride == 0 and context < frames / 3
    for start in range(0, frames, size):
        stop = min(frames, start + size)
        low, high = max(0, start - context), min(frames, stop + context)
        own_noise = latent_noise(3, low // 4, -(-high // 4), LATENT)[None]
        chunk = generator(features[:, 2 * low : 2 * high], own_noise)
        torch.testing.assert_close(chunk[:, start - low : stop - low], whole[:, start:stop], atol=1e-4, rtol=0)


@torch.no_grad()
def test_context_is_the_true_reach(generator: MotionGenerator) -> None:
    generator.double()
    features, noise = (tensor.double() for tensor in inputs(240))
    whole = generator(features, noise)
    reach = 0
    for frame in (120, 121, 122, 123):
        other = features.clone()
        other[:, 2 * frame : 2 * frame + 2] = torch.randn(2, 6)
        changed = (generator(other, noise) != whole).flatten(2).any(dim=-1)[0].nonzero()[:, 0]
        reach = max(reach, frame - int(changed.min()), int(changed.max()) - frame)
    assert generator.context_frames - 3 * generator.stride < reach <= generator.context_frames


def test_noise_belongs_to_absolute_steps() -> None:
    whole = latent_noise(7, 0, 300, 5)
    assert torch.equal(latent_noise(7, 60, 200, 5), whole[60:200])
    assert torch.equal(latent_noise(7, 128, 129, 5), whole[128:129])
    assert latent_noise(7, 10, 10, 5).shape == (0, 5)
    assert not torch.equal(latent_noise(8, 0, 300, 5), whole)
    assert abs(whole.mean()) < 0.1 and abs(whole.std() - 1) < 0.1


def test_smoothing_keeps_constants_and_damps_flutter() -> None:
    steady = torch.full((1, 9, 68, 3), 2.0)
    torch.testing.assert_close(smooth(steady, 0.8), steady)
    flutter = torch.zeros(1, 40, 68, 3)
    flutter[:, ::2] = 1.0
    assert smooth(flutter, 0.8)[:, 5:-5].std() < 0.1 * flutter.std()
    impulse = torch.zeros(1, 9, 68, 3)
    impulse[:, 4] = 1.0
    kernel = smooth(impulse, 1.0)[0, :, 0, 0]
    assert kernel.sum().item() == pytest.approx(1.0, abs=1e-6)
    assert (kernel[4] / kernel[5]).item() == pytest.approx(2.718281828**0.5, rel=1e-5)
    assert torch.equal(smooth(flutter, 0.0), flutter)


def test_kl_vanishes_where_posterior_and_prior_agree(generator: MotionGenerator) -> None:
    for coupling in generator.prior.couplings:
        torch.nn.init.zeros_(coupling.post.weight)
        torch.nn.init.zeros_(coupling.post.bias)
    torch.nn.init.zeros_(generator.posterior.weight)
    torch.nn.init.zeros_(generator.posterior.bias)
    features, noise = inputs(16)
    lm3d = torch.randn(1, 16, 68, 3)
    assert generator.reconstruct(lm3d, features, noise).kl.item() == pytest.approx(0.0, abs=1e-6)
    torch.nn.init.constant_(generator.posterior.bias, 1.0)  # mean 1, log-deviation 1
    many = torch.randn(1, 4, LATENT)
    expected = (-0.5 * many**2 - 1 + 0.5 * (1 + torch.e * many) ** 2).mean()
    assert generator.reconstruct(lm3d, features, many).kl.item() == pytest.approx(expected.item(), rel=1e-4)


def test_embedded_size_and_the_papers_table() -> None:
    embedded = MotionGenerator(256, **read_json(CONFIGS / "embedded/motion_generator.json"))
    assert sum(p.numel() for p in embedded.parameters()) < 2.5e6
    paper = read_json(CONFIGS / "paper/motion_generator.json")
    assert (
        paper
        | {
            "encoder_layers": 8,
            "decoder_layers": 4,
            "kernel_size": 5,
            "channels": 192,
            "latent_channels": 16,
            "flow_layers": 4,
            "flow_kernel_size": 3,
            "flow_channels": 64,
        }
        == paper
    )
    MotionGenerator(1024, **paper)
