import json
from pathlib import Path

import pytest
import torch
from flat_person import SHORT_TRAINING, write_flat_person
from tiny import TINY_RENDERER

from geneface.datasets.person import PersonDataset
from geneface.errors import InputError
from geneface.renderers.fast import FastRenderer
from geneface.training import renderer_start
from geneface.training.renderers import fast
from geneface.training.renderers.fast import RendererConfig

SHORT = {**SHORT_TRAINING, "steps": 60, "batch_size": 2}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    for name in ("one", "other"):
        (folder / "heads" / name).mkdir(parents=True)
        write_flat_person(folder / "heads" / name)
    (folder / "renderer.json").write_text(json.dumps({**TINY_RENDERER, "anchored": True}))
    places = {"heads": [str(folder / "heads")], "renderer": str(folder / "renderer.json")}
    return renderer_start.train(renderer_start.StartConfig(output_dir=str(folder / "run"), **places, **SHORT))


def test_heads_share_a_start(start: Path) -> None:
    renderer = FastRenderer.from_pretrained(start)
    assert renderer.condition.basis.any() and renderer.samples == TINY_RENDERER["samples"]


def test_a_person_begins_as_it_and_keeps_the_codes_of_all(start: Path, tmp_path: Path) -> None:
    write_flat_person(tmp_path)
    data = PersonDataset(tmp_path)
    begun = fast.begin(RendererConfig(output_dir="", start=str(start)), data)
    known = FastRenderer.from_pretrained(start)
    assert torch.equal(begun.condition.basis, known.condition.basis)
    assert torch.equal(begun.planes, known.planes)
    assert (begun.condition.limit <= known.condition.limit).all()
    mean = data.track("lm3d")[list(data.train)].mean(0)
    assert torch.allclose(begun.condition.mean, mean, atol=1e-6)
    assert torch.allclose(begun.skinning.places, data.tracks["mean_landmarks"] + mean, atol=1e-6)


def test_a_person_learns_from_it(start: Path, tmp_path: Path) -> None:
    write_flat_person(tmp_path)
    config = RendererConfig(output_dir=str(tmp_path / "run"), dataset=str(tmp_path), start=str(start), **SHORT)
    model = fast.train(config)
    report = json.loads((model.parent / "report.json").read_text())
    assert report["test"]["head"] > 15


def test_a_dataset_of_before_is_to_be_made_again(start: Path, tmp_path: Path) -> None:
    write_flat_person(tmp_path)
    data = PersonDataset(tmp_path)
    del data.tracks["mean_landmarks"]
    with pytest.raises(InputError, match=r"mean_landmarks.*preprocess the video again"):
        fast.begin(RendererConfig(output_dir="", start=str(start)), data)


def test_no_heads_are_said(tmp_path: Path) -> None:
    config = renderer_start.StartConfig(output_dir=str(tmp_path / "run"), heads=[str(tmp_path)])
    with pytest.raises(InputError, match="no person dataset"):
        renderer_start.train(config)
