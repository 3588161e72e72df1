import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from flat_person import write_flat_person
from safetensors.torch import load_file

from geneface.datasets.person import TORSO, PersonDataset
from geneface.renderers.nerf import NerfRenderer
from geneface.training.loop import parse_config
from geneface.training.renderers import nerf as script
from geneface.training.renderers.nerf import NerfConfig, RayBatches

TINY = {"size": 64, "layers": 7, "hidden": 32, "encoder_hidden": 16, "samples": 16, "fine_samples": 16}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("person")
    write_flat_person(folder)
    return folder


@pytest.fixture(scope="module")
def config(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> NerfConfig:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "renderer.json").write_text(json.dumps({**TINY, "pose_frames": 10}))
    return NerfConfig(
        output_dir=str(folder / "whole"),
        dataset=str(dataset),
        renderer=str(folder / "renderer.json"),
        steps=320,
        head_share=0.6,
        batch_size=4,
        rays=128,
        samples=12,
        fine_samples=12,
        evaluated=2,
        learning_rate=5e-3,
        warmup_steps=5,
        save_every=220,
        log_every=50,
    )


@pytest.fixture(scope="module")
def trained(config: NerfConfig) -> Path:
    return script.train(config)


def test_it_learns_the_person(trained: Path):
    report = json.loads((trained.parent / "report.json").read_text())
    background = 10 * np.log10(255**2 / np.square(np.array([230, 170, 150]) - np.array([40, 60, 160])).mean())
    assert report["test"]["head"] > background + 5, report
    assert report["test"]["full"] > 20, report
    assert (trained.parent / "test.png").exists()
    renderer = NerfRenderer.from_pretrained(trained)
    assert (renderer.head.field.samples, renderer.head.field.fine_samples) == (16, 16)


@torch.no_grad()
def test_head_and_torso_are_where_they_belong(trained: Path):
    """The head NeRF shows no torso, though the frames that it is trained on do."""
    renderer = NerfRenderer.from_pretrained(trained)
    landmarks = renderer.landmarks(renderer.condition.mean.expand(1, 3, 68, 3))
    pose = renderer.scene.reference_pose[None]
    head, head_alpha = renderer.render_head(landmarks, pose)
    own = renderer.scene.background.flatten(1).T / 255
    alone = (head + (1 - head_alpha) * own).view(64, 64, 3)
    torso, torso_alpha = renderer.render_torso(landmarks, renderer.pose_numbers(pose), alone.view(-1, 3))
    whole = (torso + (1 - torso_alpha) * alone.view(-1, 3)).view(64, 64, 3)
    assert (alone[56:] - own.view(64, 64, 3)[56:]).abs().mean() < 0.08
    assert (whole[56:] - 120 / 255).abs().mean() < 0.08
    assert (whole[20:40, 26:38] - alone[20:40, 26:38]).abs().mean() < 0.05


def test_resumed_training_ends_where_unbroken_training_does(config: NerfConfig, trained: Path, tmp_path: Path):
    from shutil import copytree

    copytree(trained.parent / "checkpoints", tmp_path / "checkpoints")
    resumed = script.train(replace(config, output_dir=str(tmp_path), resume=True))
    first, second = (load_file(folder / "model.safetensors") for folder in (trained, resumed))
    assert all(torch.allclose(first[name].float(), second[name].float(), atol=2e-3) for name in first)


def test_a_head_is_taken_over_for_another_torso(config: NerfConfig, trained: Path, tmp_path: Path):
    (tmp_path / "unaware.json").write_text(json.dumps({**TINY, "head_aware": False}))
    settings = {"renderer": str(tmp_path / "unaware.json"), "head": str(trained), "steps": 3}
    unaware = script.train(replace(config, output_dir=str(tmp_path / "unaware"), **settings))
    first, second = (load_file(folder / "model.safetensors") for folder in (trained, unaware))
    heads = [name for name in first if name.startswith(("head.", "condition."))]
    assert heads and all(torch.equal(first[name], second[name]) for name in heads)
    assert not any("colour_encoder" in name for name in second)


def test_paper_configuration_is_the_default_one():
    root = Path(__file__).parents[2]
    config = parse_config(NerfConfig, ["--config", str(root / "hub_configs/paper/train_nerf.json")])
    renderer = NerfRenderer(**json.loads((root / config.renderer).read_text()))
    assert renderer.config == NerfRenderer().config


def test_rays_lie_where_they_are_wanted(config: NerfConfig, dataset: Path):
    data = PersonDataset(dataset)
    batches = RayBatches(data, NerfRenderer(hidden=8), replace(config, rays=400, part_share=1.0))
    batch = batches.draw(np.random.default_rng(0))
    again = batches.draw(np.random.default_rng(0))
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert batch["torso_pixels"].shape == (4, 400) and batch["torso_truth"].shape == (4, 400, 3)
    # The torso begins in row 50 and its outline is two cells wide.
    assert int(batch["torso_pixels"].min()) >= 48 * 64
    mouth = RayBatches(data, NerfRenderer(hidden=8), replace(config, rays=400, part_share=0.0, mouth_share=1.0))
    pixels = mouth.pick(np.random.default_rng(0), np.ones((64, 64), bool), 3, mouth_share=1.0)
    left, top, right, bottom = (int(side) for side in data.mouth_boxes()[3].clamp(0, 63))
    assert (pixels % 64).min() >= left and (pixels % 64).max() < right
    assert (pixels // 64).min() >= top and (pixels // 64).max() < bottom


def test_the_heads_truth_has_no_torso(config: NerfConfig, dataset: Path):
    data = PersonDataset(dataset)
    batch = RayBatches(data, NerfRenderer(hidden=8), replace(config, part_share=0.0, mouth_share=0.0)).draw(
        np.random.default_rng(0)
    )
    low = batch["head_pixels"] // 64 >= 52
    assert low.any() and (data.masks[0, 52:] == TORSO).all()
    assert torch.equal(batch["head_truth"][low], batch["head_plate"][low])
    # The torso's truth is the frame as it is.
    grey = batch["torso_truth"][batch["torso_pixels"] // 64 >= 52].float()
    assert (grey - 120).abs().max() < 20
