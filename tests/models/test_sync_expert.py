import math
from pathlib import Path

import pytest
import torch

from geneface.models.sync_expert import SyncExpert, sync_loss
from geneface.utils.files import read_json

CONFIGS = Path(__file__).parents[2] / "hub_configs"


def expert() -> SyncExpert:
    torch.manual_seed(0)
    model = SyncExpert(6, layers=4, channels=8)
    model(torch.randn(32, 5, 68, 3), torch.randn(32, 10, 6))  # gives the batch norms some statistics
    return model.eval()


@torch.no_grad()
def test_cosine_is_a_probability() -> None:
    cosine = expert()(10 * torch.randn(50, 5, 68, 3), 10 * torch.randn(50, 10, 6))
    assert cosine.shape == (50,)
    assert (cosine >= 0).all() and (cosine <= 1).all() and cosine.std() > 0.01


@torch.no_grad()
def test_score_slides_the_same_windows() -> None:
    model = expert()
    lm3d, features = torch.randn(2, 12, 68, 3), torch.randn(2, 24, 6)
    scores = model.score(lm3d, features)
    assert scores.shape == (2, 8)
    torch.testing.assert_close(scores[:, 3], model(lm3d[:, 3:8], features[:, 6:16]))
    torch.testing.assert_close(model.score(lm3d, features, step=3), scores[:, ::3])


@torch.no_grad()
def test_only_the_mouth_counts() -> None:
    model = expert()
    lm3d, features = torch.randn(1, 5, 68, 3), torch.randn(1, 10, 6)
    eyes, lips = lm3d.clone(), lm3d.clone()
    eyes[:, :, 36:48] += 1.0
    lips[:, :, 66] += 1.0
    assert torch.equal(model(eyes, features), model(lm3d, features))
    assert not torch.equal(model(lips, features), model(lm3d, features))


@torch.no_grad()
def test_save_and_load_is_bit_equal(tmp_path: Path) -> None:
    model = expert()
    model.save_pretrained(tmp_path)
    batch = torch.randn(3, 5, 68, 3), torch.randn(3, 10, 6)
    assert torch.equal(SyncExpert.from_pretrained(tmp_path)(*batch), model(*batch))


def test_loss_is_cross_entropy_of_the_cosine() -> None:
    loss = sync_loss(torch.tensor([0.8, 0.3]), torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, rel=1e-5)
    assert sync_loss(torch.tensor([0.0]), torch.tensor([1.0])).isfinite()


def test_the_papers_table() -> None:
    paper = SyncExpert(1024, **read_json(CONFIGS / "paper/sync_expert.json"))
    for stack in (paper.landmark_encoder, paper.audio_encoder):
        assert len(stack.convolutions) == 14 and stack.convolutions[0].out_channels == 512
    SyncExpert(256, **read_json(CONFIGS / "embedded/sync_expert.json"))
