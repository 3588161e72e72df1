"""Generator and post-net see as little ahead as they state."""

import pytest
import torch

from geneface.models.motion_generator import MotionGenerator, latent_noise
from geneface.models.post_net import PostNet


@torch.no_grad()
@pytest.mark.parametrize("lookahead", [1, 3])
def test_the_generator_sees_no_further_than_it_states(lookahead: int) -> None:
    torch.manual_seed(0)
    generator = MotionGenerator(
        12, channels=16, kernel_size=3, flow_channels=8, flow_coupling_layers=1, lookahead=lookahead
    ).eval()
    for parameter in generator.prior.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    frames, stop = 240, 200
    features = torch.randn(1, 2 * frames, 12, generator=torch.Generator().manual_seed(1))
    noise = latent_noise(0, 0, generator.latent_frames(frames), generator.latent_channels)[None]
    whole = generator(features, noise)[:, :stop]

    def until(ahead: int) -> float:
        end = stop + ahead
        part = generator(features[:, : 2 * end], noise[:, : generator.latent_frames(end)])
        return float((part[:, :stop] - whole).abs().max())

    assert generator.lookahead_frames == lookahead
    assert until(lookahead) < 1e-4 and until(lookahead - 1) > 1e-4
    first = 180 - generator.context_frames
    late = generator(features[:, 2 * first :], noise[:, first // generator.stride :])
    assert first % generator.stride == 0
    torch.testing.assert_close(late[:, 180 - first : stop - first], whole[:, 180:], atol=1e-4, rtol=0)


def test_a_generator_looks_ahead_by_a_frame_at_least() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        MotionGenerator(12, lookahead=0)


@torch.no_grad()
@pytest.mark.parametrize("lookahead", [0, 1, None])
def test_the_post_net_sees_no_further_than_it_states(lookahead: int | None) -> None:
    torch.manual_seed(0)
    net = PostNet(layers=2, kernel_size=3, channels=8, lookahead=lookahead).eval()
    torch.nn.init.normal_(net.output.weight, std=0.3)
    lm3d = torch.randn(1, 40, 68, 3)
    whole = net(lm3d)[:, :20]
    ahead = net.lookahead_frames
    assert ahead == (2 if lookahead is None else lookahead)
    torch.testing.assert_close(net(lm3d[:, : 20 + ahead])[:, :20], whole)
    if ahead:
        assert (net(lm3d[:, : 19 + ahead])[:, :20] - whole[:, : 19 + ahead][:, :20]).abs().max() > 1e-4
    torch.testing.assert_close(net(lm3d[:, 10 - net.context_frames :])[:, net.context_frames :][:, :10], whole[:, 10:])
