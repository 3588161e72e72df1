from pathlib import Path

import torch

from geneface.models.discriminator import Discriminator
from geneface.models.post_net import PostNet
from geneface.utils.files import read_json

CONFIGS = Path(__file__).parents[2] / "hub_configs"


def post_net() -> PostNet:
    torch.manual_seed(0)
    net = PostNet(layers=3, kernel_size=3, channels=8)
    for name in ("source", "target"):
        getattr(net, f"{name}_rest").normal_()
        getattr(net, f"{name}_scale").uniform_(0.5, 2.0)
    return net.eval()


def trained() -> PostNet:
    net = post_net()
    torch.nn.init.normal_(net.output.weight)
    for norm in net.norms:
        norm.running_mean.normal_()
    return net.eval()


@torch.no_grad()
def test_untrained_transfers_the_statistics() -> None:
    net = post_net()
    lm3d = net.source_rest + net.source_scale * torch.randn(2, 7, 68, 3)
    normalised = (net(lm3d) - net.target_rest) / net.target_scale
    torch.testing.assert_close(normalised, (lm3d - net.source_rest) / net.source_scale)


@torch.no_grad()
def test_any_length_and_chunks_equal_the_whole() -> None:
    net = trained()
    for frames in (1, 2, 17):
        assert net(torch.randn(1, frames, 68, 3)).shape == (1, frames, 68, 3)
    lm3d = torch.randn(1, 40, 68, 3)
    chunk = net(lm3d[:, 10 - net.context_frames : 20 + net.context_frames])
    torch.testing.assert_close(chunk[:, net.context_frames : -net.context_frames], net(lm3d)[:, 10:20])


@torch.no_grad()
def test_save_and_load_is_bit_equal(tmp_path: Path) -> None:
    net = trained()
    net.save_pretrained(tmp_path)
    lm3d = torch.randn(1, 5, 68, 3)
    assert torch.equal(PostNet.from_pretrained(tmp_path)(lm3d), net(lm3d))


def test_discriminator_judges_single_frames() -> None:
    model = Discriminator(layers=3, channels=8).eval()
    frames = torch.randn(2, 4, 68, 3)
    scores = model(frames)
    assert scores.shape == (2, 4)
    torch.testing.assert_close(model(frames[0, 2]), scores[0, 2])
    model.train()
    assert not torch.equal(model(frames), model(frames)), "dropout is on in training"


def test_the_papers_table() -> None:
    net = PostNet(**read_json(CONFIGS / "paper/post_net.json"))
    assert (len(net.convolutions), net.convolutions[0].kernel_size, net.convolutions[0].out_channels) == (8, (3,), 256)
    paper = read_json(CONFIGS / "paper/discriminator.json")
    assert paper == {"layers": 5, "channels": 256, "dropout": 0.25}
    linear = [m for m in Discriminator(**paper).modules() if isinstance(m, torch.nn.Linear)]
    assert len(linear) == 5
    PostNet(**read_json(CONFIGS / "embedded/post_net.json"))
    Discriminator(**read_json(CONFIGS / "embedded/discriminator.json"))
