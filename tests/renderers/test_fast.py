import pytest
import torch

from geneface.hub.persons import PERSONS_DIR
from geneface.renderers import upsampler
from geneface.renderers.condition import neighbour_windows
from geneface.renderers.fast import FastRenderer
from geneface.renderers.window import Window


@pytest.fixture
def renderer(tiny_pipeline):
    return tiny_pipeline.renderer


@pytest.fixture
def frames():
    return neighbour_windows(0.3 * torch.randn(5, 68, 3, generator=torch.Generator().manual_seed(1)))


@torch.no_grad()
def test_shapes_and_ranges(renderer, frames):
    out = renderer(frames, renderer.scene.pose_track[0:5])
    assert out.rgb.shape == (5, 3, 64, 64) and out.alpha.shape == (5, 1, 64, 64)
    assert out.head_alpha.shape == out.torso_alpha.shape == (5, 1, 16, 16) and out.head_rgb.shape == (5, 3, 16, 16)
    for alpha in (out.alpha, out.head_alpha, out.torso_alpha):
        assert alpha.min() >= 0 and alpha.max() <= 1 + 1e-5


@torch.no_grad()
def test_frames_do_not_depend_on_their_batch(renderer, frames):
    poses = renderer.scene.pose_track[0:5]
    together = renderer(frames, poses).rgb
    alone = torch.cat([renderer(frames[i : i + 1], poses[i : i + 1]).rgb for i in range(5)])
    assert torch.allclose(together, alone, atol=1e-5)


@torch.no_grad()
def test_landmarks_pose_and_background_all_matter(renderer, frames):
    poses = renderer.scene.pose_track[3:8]
    base = renderer(frames, poses)
    assert not torch.allclose(renderer(frames + 0.5, poses).head_rgb, base.head_rgb, atol=1e-4)
    assert not torch.allclose(renderer(frames, poses + 0.1).rgb, base.rgb, atol=1e-4)
    white, black = (renderer(frames, poses, torch.full((3, 64, 64), grey)) for grey in (1.0, 0.0))
    assert torch.allclose(white.rgb - black.rgb, 1 - white.alpha.expand_as(white.rgb), atol=1e-5)
    assert not torch.allclose(white.rgb, base.rgb, atol=1e-2)


@torch.no_grad()
def test_torso_is_aware_of_the_head(renderer, frames):
    turn, moved = torch.zeros(5, 6), torch.zeros(5, 2, 16, 16)
    alpha = torch.ones(5, 1, 16, 16)
    whole = Window(0, 0, 16)
    first, _, _ = renderer.render_torso(turn, moved, torch.zeros(5, 3, 16, 16), alpha, whole)
    second, _, _ = renderer.render_torso(turn, moved, torch.ones(5, 3, 16, 16), alpha, whole)
    assert not torch.allclose(first, second, atol=1e-4)


@torch.no_grad()
def test_inference_is_deterministic_and_training_is_not(renderer, frames):
    poses = renderer.scene.pose_track[0:5]
    assert torch.equal(renderer(frames, poses).rgb, renderer(frames, poses).rgb)
    renderer.train()
    assert not torch.equal(renderer(frames, poses).rgb, renderer(frames, poses).rgb)


def test_every_parameter_gets_a_gradient(renderer, frames):
    out = renderer(frames, renderer.scene.pose_track[0:5])
    (out.rgb.square().mean() + out.head_rgb.square().mean()).backward()
    without = [name for name, parameter in renderer.named_parameters() if parameter.grad is None]
    assert not without


@torch.no_grad()
def test_a_window_equals_that_part_of_the_whole(renderer, frames):
    poses = renderer.scene.pose_track[0:5]
    window = Window(1, 2, 14)
    part, whole = renderer(frames, poses, window=window), renderer(frames, poses)
    assert torch.allclose(part.head_rgb, window.of(whole.head_rgb), atol=1e-5)
    # Six cells at the window's edges lack their neighbours.
    inner = (..., slice(24, -24), slice(24, -24))
    assert torch.allclose(part.rgb[inner], window.of(whole.rgb, 4)[inner], atol=1e-5)


@torch.no_grad()
def test_landmarks_beyond_the_persons_own_are_held_back(renderer, frames):
    poses = renderer.scene.pose_track[0:5]
    assert torch.allclose(renderer(1e5 * frames, poses).rgb, renderer(2e5 * frames, poses).rgb, atol=1e-4)


@torch.no_grad()
def test_textures_are_looked_up_where_they_count(renderer, frames, monkeypatch):
    """The straightforward way looks everywhere."""
    poses = renderer.scene.pose_track[0:5]
    fast = renderer(frames, poses).rgb
    monkeypatch.setattr(upsampler, "_covered", lambda share: (slice(0, 16), slice(0, 16)))
    assert torch.allclose(renderer(frames, poses).rgb, fast, atol=1e-5)


@torch.no_grad()
def test_covered_is_all_of_a_share():
    share = torch.zeros(2, 1, 8, 8)
    share[0, 0, 2, 5] = share[1, 0, 4, 6] = 0.1
    assert upsampler._covered(share) == (slice(1, 6), slice(4, 8))
    assert upsampler._covered(torch.zeros(1, 1, 8, 8)) == (slice(0, 2), slice(0, 2))


@pytest.mark.slow
@torch.no_grad()
def test_few_samples_near_the_surface_equal_many_everywhere():
    """The embedded person against the straightforward quadrature: 96 samples through the whole box."""
    renderer = FastRenderer.from_pretrained(PERSONS_DIR / "vera" / "renderer").eval()
    lm3d, pose = renderer.condition.mean.expand(3, 3, 68, 3), renderer.scene.pose_track[[60, 100, 200]]
    fast = renderer(lm3d, pose).rgb
    renderer.samples = 96
    renderer.occupancy.grid.fill_(1)
    error = (fast - renderer(lm3d, pose).rgb).square().mean()
    assert -10 * torch.log10(error) > 38
