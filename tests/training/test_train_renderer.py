import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from flat_person import FOCAL, SHORT_TRAINING, SIZE, nods, project, write_flat_person
from safetensors.torch import load_file
from tiny import TINY_RENDERER

from geneface.datasets.person import PersonDataset
from geneface.renderers.camera import triangulate
from geneface.renderers.fast import FastRenderer
from geneface.renderers.window import FastRendering
from geneface.training.renderers import fast as script
from geneface.training.renderers.fast import RendererConfig, surface_distance


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("person")
    write_flat_person(folder)
    return folder


@pytest.fixture(scope="module")
def config(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> RendererConfig:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "renderer.json").write_text(json.dumps(TINY_RENDERER))
    return RendererConfig(
        output_dir=str(folder / "whole"),
        dataset=str(dataset),
        renderer=str(folder / "renderer.json"),
        save_every=200,
        **SHORT_TRAINING,
    )


@pytest.fixture(scope="module")
def trained(config: RendererConfig) -> Path:
    return script.train(config)


def test_it_learns_the_person(trained: Path, dataset: Path):
    report = json.loads((trained.parent / "report.json").read_text())
    background = 10 * np.log10(255**2 / np.square(np.array([230, 170, 150]) - np.array([40, 60, 160])).mean())
    assert report["test"]["head"] > background + 8
    assert (trained.parent / "test.png").exists()


@torch.no_grad()
def test_the_mouth_follows_the_landmarks(trained: Path, dataset: Path):
    renderer = FastRenderer.from_pretrained(trained)
    tracks = load_file(dataset / "tracks.safetensors")
    order = (tracks["lm3d"][:, 66, 1]).argsort()
    dark = []
    for t in (int(order[0]), int(order[-1])):
        lm3d = tracks["lm3d"][t].expand(1, 3, 68, 3)
        picture = renderer(lm3d, renderer.scene.reference_pose[None]).rgb[0]
        dark.append(int((picture[0, 20:50, 20:44] < 0.4).sum()))
    assert dark[0] > dark[1] + 10, dark


def test_blinks_are_drawn_more_often_and_eyes_weigh_more(config: RendererConfig, dataset: Path):
    data = PersonDataset(dataset)
    data.tracks["blink"].zero_()[:4] = 1.0
    renderer = FastRenderer(**TINY_RENDERER)
    renderer.prepare(data)
    batches = script.Batches(data, renderer, replace(config, blink_chance=5.0, eye_weight=3.0, window=renderer.grid))
    assert batches.chances[0] == pytest.approx(5 * batches.chances[4])
    batches.to(torch.device("cpu"))
    batch = batches.batch(*batches.draw(np.random.default_rng(0)))
    eyes = torch.cat([batches.eyes(batches.train), 1 - batches.mouths(batches.train)], dim=1).prod(1)
    assert eyes.any() and set(batch["weights"].unique().tolist()) >= {1.0, 3.0}


def test_resumed_training_ends_where_unbroken_training_does(config: RendererConfig, trained: Path, tmp_path: Path):
    copytree(trained.parent / "checkpoints", tmp_path / "checkpoints")
    resumed = script.train(replace(config, output_dir=str(tmp_path), resume=True))
    first, second = (load_file(folder / "model.safetensors") for folder in (trained, resumed))
    assert all(torch.allclose(first[name].float(), second[name].float(), atol=2e-3) for name in first)


def test_surface_distance_is_in_cm():
    ends = torch.zeros(1, 3, 4, 4)
    ends[:, 0] = 0.5
    rays = torch.empty(0)
    out = FastRendering(rays, rays, torch.ones(1, 1, 4, 4), rays, rays, rays, ends)
    box = torch.tensor([[-4.0, -1, -1], [4, 1, 1]])
    batch = {"pixels": torch.tensor([[[[0.0, 0.0], [3.0, 0.0]]]]), "face": torch.zeros(2, 3)}
    # 0.5 of a half-width of 4 cm at the first landmark; the second lies outside the window.
    assert float(surface_distance(out, batch, box)) == pytest.approx(2.0 / 2)


def test_windows_reach_the_edges_often(config: RendererConfig, dataset: Path):
    data = PersonDataset(dataset)
    renderer = FastRenderer(**TINY_RENDERER)
    renderer.prepare(data)
    batches = script.Batches(data, renderer, replace(config, window=4))
    rng = np.random.default_rng(0)
    seen = np.zeros(renderer.grid)
    for _ in range(500):
        window, _ = batches.draw(rng)
        seen[window.top : window.top + window.side] += 1
    assert seen[[0, -1]].min() > 0.4 * seen.mean()


def test_triangulation_finds_moving_points():
    generator = torch.Generator().manual_seed(0)
    places, moves = 5 * torch.randn(6, 3, generator=generator), 0.3 * torch.randn(30, 6, 3, generator=generator)
    pose = nods(30)
    intrinsics = torch.tensor([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])
    assert torch.allclose(triangulate(project(places + moves, pose), moves, pose, intrinsics), places, atol=1e-2)
