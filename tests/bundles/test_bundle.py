"""Bundles are read strictly and never run code."""

import json
import pickle

import pytest
import torch

from geneface import GeneFacePipeline, InputError
from geneface.renderers.fast import FastRenderer


def load(bundle):
    return GeneFacePipeline.from_pretrained(bundle, device="cpu")


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_round_trip_is_bit_equal(tiny_bundle, tmp_path):
    first = FastRenderer.from_pretrained(tiny_bundle / "renderer")
    first.save_pretrained(tmp_path / "again")
    second = FastRenderer.from_pretrained(tmp_path / "again")
    assert first.config == second.config
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_half_precision_on_disk_loads_as_float32(tiny_bundle, tmp_path):
    renderer = FastRenderer.from_pretrained(tiny_bundle / "renderer")
    renderer.save_pretrained(tmp_path / "half", dtype=torch.float16)
    loaded = FastRenderer.from_pretrained(tmp_path / "half")
    assert loaded.dtype is torch.float32
    assert torch.equal(loaded.planes, renderer.planes.half().float())


@pytest.mark.parametrize("component", ["feature_extractor", "motion_generator", "post_net", "renderer"])
def test_missing_weights(tiny_bundle, component):
    (tiny_bundle / component / "model.safetensors").unlink()
    with pytest.raises(InputError, match=f"{component}.*missing"):
        load(tiny_bundle)


@pytest.mark.parametrize("component", ["feature_extractor", "motion_generator", "post_net", "renderer"])
def test_truncated_weights(tiny_bundle, component):
    path = tiny_bundle / component / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"{component}.*truncated"):
        load(tiny_bundle)


@pytest.mark.parametrize(
    ("component", "changes"),
    [
        ("feature_extractor", {"hidden_size": 32}),
        ("motion_generator", {"channels": 12}),
        ("post_net", {"layers": 3}),
        ("renderer", {"hidden": 12}),
    ],
)
def test_shapes_that_do_not_match_the_config(tiny_bundle, component, changes):
    edit_json(tiny_bundle / component / "config.json", **changes)
    with pytest.raises(InputError, match=f"{component}.*(shape|lacks)"):
        load(tiny_bundle)


def test_unknown_config_value(tiny_bundle):
    edit_json(tiny_bundle / "renderer" / "config.json", colour="red")
    with pytest.raises(InputError, match=r"config.json.*colour"):
        load(tiny_bundle)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle in a bundle was loaded",))


@pytest.mark.parametrize("name", ["renderer/pytorch_model.bin", "extra.pkl", "renderer/weights.pt"])
def test_pickles_are_refused(tiny_bundle, name):
    (tiny_bundle / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="run code"):
        load(tiny_bundle)


def test_pickle_under_a_safetensors_name(tiny_bundle):
    (tiny_bundle / "renderer" / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="damaged"):
        load(tiny_bundle)


@pytest.mark.parametrize(
    "entry", [["os", "system"], "renderer", None, ["geneface.pipelines.pipeline", "GeneFacePipeline"]]
)
def test_nothing_that_an_index_names_is_imported(tiny_bundle, entry):
    edit_json(tiny_bundle / "model_index.json", renderer=entry)
    with pytest.raises(InputError, match="not a component"):
        load(tiny_bundle)


def test_component_of_another_kind(tiny_bundle):
    (tiny_bundle / "renderer" / "config.json").write_text((tiny_bundle / "post_net" / "config.json").read_text())
    with pytest.raises(InputError, match="PostNet, not a FastRenderer"):
        load(tiny_bundle)


def test_newer_format_and_foreign_index(tiny_bundle):
    edit_json(tiny_bundle / "model_index.json", _format_version=99)
    with pytest.raises(InputError, match="newer"):
        load(tiny_bundle)
    edit_json(tiny_bundle / "model_index.json", _class_name="StableDiffusionPipeline")
    with pytest.raises(InputError, match="GeneFacePipeline"):
        load(tiny_bundle)
    for text in ("not json", "[" * 100000, "[]"):
        (tiny_bundle / "model_index.json").write_text(text)
        with pytest.raises(InputError, match="JSON"):
            load(tiny_bundle)


def test_links_to_a_neighbouring_bundle(tiny_bundle):
    from geneface.bundles.loading import save_components

    pipe = load(tiny_bundle)
    links = {"feature_extractor": "../tiny", "motion_generator": "../tiny"}
    save_components(tiny_bundle.parent / "slim", pipe.components, links=links)
    assert not (tiny_bundle.parent / "slim" / "motion_generator").exists()
    assert load(tiny_bundle.parent / "slim").motion_generator.config == pipe.motion_generator.config


def test_unknown_person():
    with pytest.raises(InputError, match="neither a folder nor a Hub id"):
        load("no such person")
    with pytest.raises(InputError, match="not cached"):
        load("nobody/nothing")


def test_bundles_of_before_still_load(tiny_bundle):
    """Where the torso's own track was a part of the scene, and a baseline's setting was written that nobody set."""
    from safetensors.torch import load_file, save_file

    renderer = tiny_bundle / "renderer"
    edit_json(renderer / "config.json", audio_features=None)
    tensors = load_file(renderer / "model.safetensors")
    tensors["scene.body_track"] = tensors.pop("torso_track") + 1
    save_file(tensors, renderer / "model.safetensors")
    assert (load(tiny_bundle).renderer.torso_track == 1).all()
