from pathlib import Path

import pytest
import torch

from geneface.errors import InputError
from geneface.metrics import jitter
from geneface.models.projection import LandmarkProjection
from geneface.models.stages import AdaptStage
from geneface.streaming.stage import through


def projection(blend: float = 1.0, count: int = 40) -> LandmarkProjection:
    """Own frames on a plane through the rest."""
    torch.manual_seed(0)
    model = LandmarkProjection(frames=count, neighbours=6, blend=blend)
    model.target_rest.normal_()
    model.target_scale.uniform_(0.1, 0.4)
    model.source_scale.uniform_(0.1, 0.4)
    directions = torch.randn(2, 68, 3)
    places = torch.randn(count, 2)
    places[0] = 0
    model.frames.copy_(model.target_rest + torch.einsum("nk,kpc->npc", places, directions))
    return model.eval()


def on_plane(model: LandmarkProjection, lm3d: torch.Tensor) -> torch.Tensor:
    """Distance of [N, 68, 3] from the plane of the own frames."""
    own = (model.frames - model.target_rest).flatten(1)
    basis = torch.linalg.svd(own, full_matrices=False).Vh[:2]
    moves = (lm3d - model.target_rest).flatten(1)
    return (moves - moves @ basis.T @ basis).norm(dim=1)


@torch.no_grad()
def test_frames_are_drawn_to_the_persons_own_by_the_blend() -> None:
    lm3d = 0.3 * torch.randn(1, 20, 68, 3)
    far = [on_plane(model, model(lm3d)[0]) for model in (projection(0.0), projection(0.5), projection(1.0))]
    assert far[0].min() > 0.5
    torch.testing.assert_close(far[1], far[0] / 2, rtol=1e-3, atol=1e-3)
    assert far[2].max() < 1e-3


@torch.no_grad()
def test_own_frames_and_the_rest_stay_where_they_are() -> None:
    model = projection()
    drawn = model.project(model.frames)
    assert (drawn - model.frames).norm(dim=(1, 2)).max() < 0.05 * (model.frames - model.target_rest).norm(
        dim=(1, 2)
    ).max()
    rest = model(model.source_rest.expand(1, 3, 68, 3))[0]
    assert (rest - model.target_rest).abs().max() < 0.02 and jitter(rest.numpy()) == 0


@torch.no_grad()
def test_streams_and_half_precision() -> None:
    model = projection(0.7)
    lm3d = 0.3 * torch.randn(30, 68, 3)
    whole = model(lm3d[None])[0]
    chunks = through(AdaptStage(model), lm3d.split(7))
    torch.testing.assert_close(torch.cat(list(chunks)), whole, atol=1e-4, rtol=1e-4)
    half = model.to(torch.bfloat16)(lm3d[None].bfloat16())
    assert half.dtype == torch.bfloat16 and (half[0].float() - whole).abs().max() < 0.3


def test_saved_and_refused(tmp_path: Path) -> None:
    model = projection(0.25)
    model.save_pretrained(tmp_path)
    lm3d = torch.randn(1, 5, 68, 3)
    assert torch.equal(LandmarkProjection.from_pretrained(tmp_path)(lm3d), model(lm3d))
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace("0.25", "1.5"))
    with pytest.raises(InputError, match="blend must lie between 0 and 1"):
        LandmarkProjection.from_pretrained(tmp_path)


def test_in_the_pipeline(tiny_pipeline, speech, tmp_path: Path) -> None:
    from geneface.pipelines.pipeline import GeneFacePipeline

    tiny_pipeline.post_net = projection()
    tiny_pipeline.save_pretrained(tmp_path / "person")
    pipe = GeneFacePipeline.from_pretrained(tmp_path / "person", device="cpu")
    assert isinstance(pipe.post_net, LandmarkProjection)
    pipe.set_progress_bar_config(disable=True)
    made = [p(speech, 16000, generator=torch.Generator().manual_seed(0)).landmarks for p in (pipe, tiny_pipeline)]
    assert made[0].shape == (50, 68, 3) and (made[0] == made[1]).all()
