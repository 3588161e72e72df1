"""The paper's renderer: Eq. 7-8 against a scene worked out by hand, and its place in the pipeline."""

import json
import math

import numpy as np
import pytest
import torch
from tiny import tiny_components
from torch import nn

from geneface import GeneFacePipeline
from geneface.renderers import nerf
from geneface.renderers.camera import pixel_directions, rays_in_head_frame
from geneface.renderers.condition import neighbour_windows
from geneface.renderers.field import RadianceField, positional_encoding
from geneface.renderers.nerf import HierarchicalField, NerfRenderer, RayColours

TINY_NERF = {
    "size": 64,
    "layers": 7,
    "hidden": 16,
    "encoder_layers": 3,
    "encoder_hidden": 8,
    "samples": 4,
    "fine_samples": 6,
    "pose_frames": 10,
}


@pytest.fixture
def renderer() -> NerfRenderer:
    """Untrained, but opaque enough for everything to be seen."""
    torch.manual_seed(0)
    renderer = NerfRenderer(**TINY_NERF).eval()
    known = tiny_components()["renderer"].scene
    renderer.scene.load_state_dict(known.state_dict())
    for part in (renderer.head, renderer.torso):
        for field in (part.field.coarse, part.field.fine):
            nn.init.normal_(field.colour_out.weight)
            nn.init.constant_(field.density_out.bias, 2.5)
    return renderer


@pytest.fixture
def frames() -> torch.Tensor:
    return neighbour_windows(torch.randn(3, 68, 3, generator=torch.Generator().manual_seed(1)))


class Slabs(nn.Module):
    """Red fog of density 0.5 where 1 < z < 2, blue fog of density 2 where -1 < z < 0, in cm; nothing elsewhere."""

    def forward(self, points, views, condition):
        z = points[..., 2] * 10
        red, blue = (z > 1) & (z < 2), (z > -1) & (z < 0)
        colours = torch.stack([red, torch.zeros_like(red), blue], dim=-1).float()
        return colours, 0.5 * red + 2.0 * blue


def slabs(samples: int, fine_samples: int) -> HierarchicalField:
    box = ((-10.0, -10.0, -10.0), (10.0, 10.0, 10.0))
    field = HierarchicalField(box, condition=1, layers=6, hidden=8, samples=samples, fine_samples=fine_samples)
    field.coarse = field.fine = Slabs()
    return field.eval()


def through_slabs(field: HierarchicalField) -> tuple[RayColours, torch.Tensor]:
    """What 100 rays from z = 3, up to 60 degrees aslant, see, and the colours [1, 100, 3] that they should see."""
    angles = torch.linspace(0, math.pi / 3, 100)
    directions = torch.stack([angles.sin(), torch.zeros(100), -angles.cos()], dim=-1)[None]
    length = 1 / angles.cos()
    red = 1 - torch.exp(-0.5 * length)
    blue = (1 - red) * (1 - torch.exp(-2 * length))
    seen = field(torch.tensor([[[-2.0, 0.0, 3.0]]]), directions, torch.zeros(1, 1, 1))
    return seen, torch.stack([red, torch.zeros(100), blue], dim=-1)[None]


def test_two_slabs_of_fog_follow_eq_7_and_8():
    seen, expected = through_slabs(slabs(2000, 10))
    assert torch.allclose(seen.rgb, expected, atol=5e-3) and torch.allclose(seen.coarse_rgb, expected, atol=5e-3)
    assert torch.allclose(seen.opacity, expected.sum(-1, keepdim=True), atol=5e-3)


def test_fine_samples_bring_the_colours_closer():
    def error(colours: torch.Tensor) -> float:
        return float((colours - expected).square().mean().sqrt())

    few, expected = through_slabs(slabs(32, 64))
    more, _ = through_slabs(slabs(64, 128))
    assert error(few.rgb) < error(few.coarse_rgb) / 2
    assert error(more.rgb) < error(few.rgb) / 1.5 < 0.015


def test_background_shines_through_what_is_left():
    field = slabs(2000, 10)
    directions = torch.tensor([[[0.0, 0, -1]]])
    seen = field(torch.tensor([[[0.0, 0, 3]]]), directions, torch.zeros(1, 1, 1))
    over = seen.over(torch.ones(1, 1, 3))[0, 0]
    assert float(over[1]) == pytest.approx(math.exp(-2.5), abs=2e-3)
    assert torch.allclose(seen.coarse_over(torch.ones(1, 1, 3))[0, 0], over, atol=2e-3)


def test_positional_encoding_is_sines_and_cosines_of_octaves():
    encoded = positional_encoding(torch.tensor([[0.5, -1.0]]), 2)[0]
    values = [0.5, -1.0]
    angles = [0.5, 1.0, -1.0, -2.0]
    expected = [*values, *(math.sin(a) for a in angles), *(math.cos(a) for a in angles)]
    assert torch.allclose(encoded, torch.tensor(expected))


def test_paper_configuration_has_the_layers_of_table_4():
    renderer = NerfRenderer()
    for part in (renderer.head, renderer.torso):
        for field in (part.field.coarse, part.field.fine):
            density, colour = [field.position_in, *field.layers], [field.colour_in, *field.colour_layers]
            assert len(density) + len(colour) == 11
            assert all(layer.out_features == 256 for layer in density)
    encoders = (renderer.head.landmark_encoder, renderer.torso.landmark_encoder, renderer.torso.colour_encoder)
    for encoder in encoders:
        assert [layer.out_features for layer in encoder if isinstance(layer, nn.Linear)] == [128] * 3
    assert renderer.head.landmark_encoder[0].in_features == 3 * 204


def test_too_few_layers_are_refused():
    with pytest.raises(ValueError, match="at least 6 layers, not 5"):
        RadianceField(4, layers=5, hidden=8)


@torch.no_grad()
def test_frames_do_not_depend_on_batch_or_chunks(renderer, frames, monkeypatch):
    poses = renderer.scene.pose_track[0:3]
    together = renderer(frames, poses)
    assert together.rgb.shape == (3, 3, 64, 64) and together.alpha.shape == (3, 1, 64, 64)
    assert together.alpha.min() >= 0 and together.alpha.max() <= 1 + 1e-5
    monkeypatch.setitem(nerf.CHUNK_SAMPLES, "cpu", 1000)
    alone = torch.cat([renderer(frames[t : t + 1], poses[t : t + 1]).rgb for t in range(3)])
    assert torch.allclose(together.rgb, alone, atol=1e-5)


@torch.no_grad()
def test_landmarks_pose_and_background_all_matter(renderer, frames):
    poses = renderer.scene.pose_track[0:3]
    base = renderer(frames, poses)
    assert not torch.allclose(renderer(frames + 1, poses).rgb, base.rgb, atol=1e-3)
    assert not torch.allclose(renderer(frames, poses + 0.1).rgb, base.rgb, atol=1e-3)
    white = renderer(frames, poses, torch.ones(3, 64, 64))
    own = renderer.scene.background / 255
    assert torch.allclose(white.rgb - base.rgb, (1 - base.alpha) * (1 - own), atol=1e-5)
    assert torch.equal(white.alpha, base.alpha)


@torch.no_grad()
@pytest.mark.parametrize("head_aware", [True, False])
def test_torso_sees_the_head_only_if_it_is_aware(head_aware):
    torch.manual_seed(0)
    renderer = NerfRenderer(**TINY_NERF, head_aware=head_aware).eval()
    landmarks, numbers = torch.randn(1, 612), torch.randn(1, 12)
    black, black_alpha = renderer.render_torso(landmarks, numbers, torch.zeros(64 * 64, 3))
    white, white_alpha = renderer.render_torso(landmarks, numbers, torch.ones(64 * 64, 3))
    assert torch.equal(black, white) != head_aware and torch.equal(black_alpha, white_alpha) != head_aware
    moved, _ = renderer.render_torso(landmarks, numbers + 1, torch.zeros(64 * 64, 3))
    assert not torch.equal(black, moved)


@torch.no_grad()
def test_the_torso_sees_each_pixel_of_the_head(renderer):
    landmarks, numbers, head = torch.randn(1, 612), torch.randn(1, 12), torch.zeros(64 * 64, 3)
    before, alpha = renderer.render_torso(landmarks, numbers, head)
    pixel = int(alpha[:, 0].argmax())
    head[pixel] = 1
    after, _ = renderer.render_torso(landmarks, numbers, head)
    assert (before - after).abs().amax(-1).nonzero().flatten().tolist() == [pixel]


@torch.no_grad()
def test_the_head_turns_with_its_pose_and_the_torso_stays(renderer, frames):
    """A box of fog: its middle on the picture follows the head's translation."""
    landmarks = renderer.landmarks(frames[:1])
    middles = []
    for shift in (0.0, 4.0):
        pose = renderer.scene.reference_pose.clone()[None]
        pose[0, :, 3] = torch.tensor([shift, 0, 100])
        _, alpha = renderer.render_head(landmarks, pose)
        shares = alpha.view(64, 64).sum(0)
        middles.append(float((shares * torch.arange(64)).sum() / shares.sum()))
    focal = float(renderer.scene.intrinsics[0, 0])
    assert middles[1] - middles[0] == pytest.approx(4 * focal / 100, abs=1)


def test_every_parameter_gets_a_gradient(renderer, frames):
    pixels = torch.arange(64 * 64).view(1, -1)[:, ::7]
    pose = renderer.scene.reference_pose[None]
    rays, landmarks = renderer.rays(pose, pixels), renderer.landmarks(frames[:1])
    head = renderer.head(landmarks, *rays)
    torso = renderer.torso(landmarks, renderer.pose_numbers(pose + 0.1), head.rgb, *rays)
    sum(each.square().sum() for each in (*head, *torso)).backward()
    without = [name for name, parameter in renderer.named_parameters() if parameter.grad is None]
    assert not without


def test_autocast_leaves_the_rays_straight():
    intrinsics, pose = torch.tensor([[90.0, 0, 31.7], [0, 90, 32.3], [0, 0, 1]]), torch.eye(3, 4)[None] + 0.01
    exact = rays_in_head_frame(pixel_directions(intrinsics, 64, 64), pose)
    with torch.autocast("cpu", torch.bfloat16):
        rays = rays_in_head_frame(pixel_directions(intrinsics, 64, 64), pose)
    assert torch.equal(rays[1], exact[1]) and torch.equal(rays[0], exact[0])
    assert torch.allclose(exact[1][0, 5], torch.linalg.inv(intrinsics) @ torch.tensor([5.5, 0.5, 1]) @ pose[0, :, :3])


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_precisions_see_the_same_picture(renderer, frames, dtype):
    poses = renderer.scene.pose_track[0:1]
    exact = renderer(frames[:1], poses).rgb
    renderer.to(dtype)
    rgb = renderer(frames[:1].to(dtype), poses.to(dtype)).rgb
    assert (rgb.float() - exact).square().mean().sqrt() < (0.03 if dtype is torch.bfloat16 else 1e-5)


def test_the_pipeline_renders_saves_and_loads_with_it(renderer, speech, tmp_path):
    pipe = GeneFacePipeline(**{**tiny_components(), "renderer": renderer}, name="paper").to("cpu")
    pipe.set_progress_bar_config(disable=True)
    options = {"generator": torch.Generator().manual_seed(0), "background": "#20a040"}
    output = pipe(speech[:3200], 16000, **options)
    assert output.frames.shape == (5, 64, 64, 3) and output.frames.std() > 1
    pipe.save_pretrained(tmp_path / "paper")
    loaded = GeneFacePipeline.from_pretrained(tmp_path / "paper", device="cpu")
    loaded.set_progress_bar_config(disable=True)
    assert type(loaded.renderer) is NerfRenderer
    assert json.dumps(loaded.renderer.config) == json.dumps(renderer.config)
    options["generator"] = torch.Generator().manual_seed(0)
    assert np.array_equal(loaded(speech[:3200], 16000, **options).frames, output.frames)
