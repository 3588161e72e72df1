"""What GeneFace brings along, found from any folder of a clone; `test_wheel.py` finds it in a wheel."""

import json
from pathlib import Path

import pytest
from tiny import ROOT

from geneface import GeneFacePipeline
from geneface.bundles.loading import save_components
from geneface.errors import InputError
from geneface.hub.persons import PERSONS_DIR, resolve_bundle
from geneface.resources import located, resource
from geneface.training.loop import parse_config
from geneface.training.post_net import PostNetConfig


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands run from an empty folder."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def test_the_clone_has_the_only_copy() -> None:
    for name in ("examples/persons/vera", "hub_configs/train/cpu.json", "USE_POLICY.md"):
        assert resource(name) == ROOT / name and resource(name).exists()
    packed = [path for path in (ROOT / "geneface/resources").iterdir() if path.name != "__pycache__"]
    assert not {path.name for path in packed} & {"examples", "hub_configs", "USE_POLICY.md"}
    assert not [path for path in packed if path.is_symlink()]


def test_what_lies_in_the_package_comes_first() -> None:
    assert resource("__init__.py") == ROOT / "geneface/resources/__init__.py"


def test_the_users_own_file_goes_before_ours(elsewhere: Path) -> None:
    name = "hub_configs/train/cpu.json"
    assert located(name) == ROOT / name
    (elsewhere / name).parent.mkdir(parents=True)
    (elsewhere / name).write_text("{}")
    assert located(name) == elsewhere / name and resource(name) == ROOT / name
    assert located(elsewhere / name) == elsewhere / name
    assert located("runs/missing") == elsewhere / "runs/missing", "so that a message names the place that was meant"


def test_settings_of_a_training_lead_to_it(elsewhere: Path) -> None:
    config = parse_config(PostNetConfig, ["--config", "hub_configs/embedded/train_post_net.json"])
    assert config.model == str(ROOT / "hub_configs/embedded/post_net.json")
    assert config.corpora == [str(ROOT / "examples/speech")]
    assert config.dataset == "runs/person", "what the user makes is the user's own"
    (elsewhere / "own.json").write_text(json.dumps({"output_dir": "out", "sync_expert": "", "model": "own.json"}))
    own = parse_config(PostNetConfig, ["--config", "own.json"])
    assert (own.sync_expert, own.model) == ("", str(elsewhere / "own.json"))


def test_an_embedded_person_by_name(elsewhere: Path, tiny_pipeline: GeneFacePipeline) -> None:
    pipe = GeneFacePipeline.from_pretrained("vera", device="cpu")
    assert pipe.name == "vera" and pipe.card is not None and pipe.card.name == "Vera"
    assert resolve_bundle("theo") == PERSONS_DIR / "theo"
    save_components(elsewhere / "theo", tiny_pipeline.components)
    assert resolve_bundle("theo") == Path("theo"), "a folder of the user's own"
    with pytest.raises(InputError, match=r"nobody is neither a folder nor a Hub id .*: theo, vera"):
        GeneFacePipeline.from_pretrained("nobody")
