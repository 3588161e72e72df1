"""A bundle from a stranger is refused in one sentence, at once and in little memory, or it works."""

import json
import os
import resource
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from geneface import GeneFacePipeline, InputError
from geneface.bundles.loading import component_classes
from geneface.hub.persons import find_person, open_bundle
from geneface.models.feature_extractor import RANGES, FeatureExtractor
from geneface.models.post_net import PostNet
from geneface.utils.config import arguments
from geneface.utils.files import atomic_folder, recover


def load(bundle: str | Path) -> GeneFacePipeline:
    return GeneFacePipeline.from_pretrained(bundle, device="cpu")


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_header(path: Path, edit: Any) -> None:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    edit(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


@pytest.mark.parametrize(
    ("component", "changes"),
    [
        ("post_net", {"layers": 1_000_000}),
        ("post_net", {"layers": 64}),
        ("post_net", {"channels": 4096}),
        ("post_net", {"kernel_size": 2**31}),
        ("post_net", {"layers": -1}),
        ("post_net", {"layers": True}),
        ("post_net", {"layers": 2.0}),
        ("post_net", {"channels": 10**400}),
        ("renderer", {"plane_channels": 1_000_000}),
        ("renderer", {"texture_size": 20_000}),
        ("renderer", {"texture_size": 8192}),
        ("renderer", {"pose_frames": 100_000_000}),
        ("renderer", {"pose_frames": 1_000_000}),
        ("renderer", {"samples": 100_000}),
        ("renderer", {"samples": 0}),
        ("renderer", {"grid": 48}),
        ("renderer", {"box": [[0, 0, 0], [0, 0, 0]]}),
        ("renderer", {"box": [[1e30] * 3, [2e30] * 3]}),
        ("renderer", {"box": "none"}),
        ("renderer", {"head_aware": "yes"}),
        ("motion_generator", {"smoothing": 1e9}),
        ("motion_generator", {"smoothing": float("nan")}),
        ("motion_generator", {"dropout": 1.5}),
        ("motion_generator", {"decoder_dilation_cycle": 60}),
        ("motion_generator", {"encoder_dilation_cycle": 0}),
        ("motion_generator", {"stride": 0}),
        ("motion_generator", {"extractor": "x" * 5000}),
        ("feature_extractor", {"hidden_size": 20_000}),
        ("feature_extractor", {"hidden_size": 4096}),
        ("feature_extractor", {"num_hidden_layers": 10**6}),
        ("feature_extractor", {"num_attention_heads": 0}),
        ("feature_extractor", {"conv_dim": [8] * 10_000}),
        ("feature_extractor", {"conv_stride": "x"}),
        ("feature_extractor", {"layer_norm_eps": float("inf")}),
        ("feature_extractor", {"hidden_act": ["gelu"]}),
        ("feature_extractor", {"model_type": ["hubert"]}),
    ],
)
def test_a_config_costs_no_more_than_its_weights(tiny_bundle: Path, component: str, changes: dict) -> None:
    change(tiny_bundle / component / "config.json", **changes)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(InputError, match=component) as told:
        load(tiny_bundle)
    assert "\n" not in str(told.value) and len(str(told.value)) < 1000
    assert time.process_time() - begun < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024


def test_settings_that_make_no_network_are_not_even_looked_at(tiny_bundle: Path) -> None:
    bombs = {"num_labels": 10**9, "_attn_implementation": "someone/kernel", "attn_implementation": "someone/kernel"}
    change(tiny_bundle / "feature_extractor" / "config.json", **bombs, quantization_config={"a": 1})
    assert load(tiny_bundle).feature_extractor.model.config.num_labels == 2


def test_every_number_has_a_range() -> None:
    for name, component in component_classes().items():
        if not hasattr(component, "ranges"):
            assert component is FeatureExtractor and RANGES
            continue
        numbers = [each for each, what in arguments(component).items() if what.annotation in (int, float)]
        assert set(numbers) <= component.ranges.keys(), f"{name} has numbers without a range"


def _weights(path: Path, number: float, dtype: torch.dtype | None = None) -> None:
    from safetensors.torch import load_file, save_file

    tensors = {
        name: (torch.full_like(tensor, number) if tensor.is_floating_point() else tensor)
        for name, tensor in load_file(path).items()
    }
    save_file({name: tensor.to(dtype) if dtype else tensor for name, tensor in tensors.items()}, path)


@pytest.mark.parametrize("component", ["feature_extractor", "motion_generator", "post_net", "renderer"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_weights_that_no_training_gives(tiny_bundle: Path, component: str, number: float) -> None:
    _weights(tiny_bundle / component / "model.safetensors", number)
    with pytest.raises(InputError, match=f"{component}.*no training gives"):
        load(tiny_bundle)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64, torch.float8_e4m3fn])
def test_weights_of_another_kind(tiny_bundle: Path, dtype: torch.dtype) -> None:
    _weights(tiny_bundle / "post_net" / "model.safetensors", 1.0, dtype)
    with pytest.raises(InputError, match=r"post_net.*is stored as"):
        load(tiny_bundle)


def test_headers_are_looked_at_before_the_weights(tiny_bundle: Path) -> None:
    path = tiny_bundle / "post_net" / "model.safetensors"
    whole = path.read_bytes()
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    change_header(path, lambda header: header.update({f"extra.{number}": empty for number in range(600_000)}))
    begun = time.process_time()
    with pytest.raises(InputError, match="header"):
        load(tiny_bundle)
    assert time.process_time() - begun < 15
    for length in (2**63, 2**64 - 1, 0, 3):
        path.write_bytes(length.to_bytes(8, "little") + whole[8:])
        with pytest.raises(InputError, match="damaged"):
            load(tiny_bundle)
    path.write_bytes(whole)
    change_header(path, lambda header: header["input.weight"].update(shape=[2**40]))
    with pytest.raises(InputError, match="shape"):
        load(tiny_bundle)
    with path.open("r+b") as sparse:
        sparse.truncate(5 * 2**30)
    with pytest.raises(InputError, match="5120 MB where at most 4096 MB"):
        load(tiny_bundle)


@pytest.mark.parametrize(
    "name", ["model_index.json", "renderer/config.json", "card.json", "post_net/model.safetensors"]
)
@pytest.mark.parametrize("target", ["fifo", "/dev/zero", "/dev/urandom", "/etc/passwd", "loop"])
def test_only_files_of_its_own(tiny_bundle: Path, name: str, target: str) -> None:
    path = tiny_bundle / name
    path.unlink(missing_ok=True)
    if target == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(path if target == "loop" else target)
    begun = time.monotonic()
    with pytest.raises(InputError) as told:
        load(tiny_bundle)
    assert time.monotonic() - begun < 10 and "root:" not in str(told.value)


def test_json_that_is_none(tiny_bundle: Path) -> None:
    path = tiny_bundle / "post_net" / "config.json"
    for text in (
        '{"layers": ' + "9" * 5000 + "}",
        '{"layers": NaN}',
        '{"layers": 1e999}',
        '{"x": "\\ud800"}',
        " " * 2**21,
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=r"post_net.config\.json"):
            load(tiny_bundle)


@pytest.mark.parametrize("slot", ["feature_extractor", "motion_generator", "post_net", "renderer"])
def test_a_component_of_another_slot(tiny_bundle: Path, slot: str) -> None:
    index = tiny_bundle / "model_index.json"
    entries = json.loads(index.read_text())
    for entry in (
        [None, "Discriminator"],
        ["a", ["b"]],
        [{}, {}],
        entries["renderer" if slot == "post_net" else "post_net"],
    ):
        if entry != entries[slot]:
            change(index, **{slot: entry})
            with pytest.raises(InputError, match="not a component"):
                load(tiny_bundle)


@pytest.mark.parametrize("link", ["../a\0b", "../" + "x" * 5000, "..", "/etc", "../../etc", "~/x", "https://x/y"])
def test_links_to_nowhere(tiny_bundle: Path, link: str) -> None:
    change(tiny_bundle / "model_index.json", _links={"post_net": link})
    with pytest.raises(InputError):
        load(tiny_bundle)


@pytest.mark.parametrize("name", ["user/" + "a" * 5000, "a\0b", "/proc", "/", "..", "user/..", "-o", "x" * 5000, ""])
def test_names_of_persons_that_are_none(name: str) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError):
        open_bundle(find_person(name) if name else name, local_files_only=True)
    assert time.monotonic() - begun < 5, "no disk is searched for an index"


def test_a_folder_too_full_for_a_bundle(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geneface.utils.untrusted.MOST_ENTRIES", 5)
    with pytest.raises(InputError, match="no bundle"):
        load(tiny_bundle)


def test_a_bundle_killed_while_it_was_replaced_comes_back(tmp_path: Path) -> None:
    target = tmp_path / "anna"
    with atomic_folder(target) as folder:
        (folder / "old").touch()
    left = tmp_path / ".anna.unwritten.killed"
    (left / "old").mkdir(parents=True)
    (left / "new").mkdir()
    (left / ".lock").touch()
    os.replace(target, left / "old" / "anna")
    recover(target)
    assert [path.name for path in tmp_path.iterdir()] == ["anna"] and (target / "old").exists()
    with atomic_folder(target) as folder:
        working = folder.parent
        recover(target)
        assert working.is_dir(), "that of a process at work stays"
    left.mkdir()
    (left / ".lock").touch()
    with atomic_folder(target) as folder:
        (folder / "new").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["anna"] and (target / "new").exists()


def test_what_is_built_twice_is_the_same(tmp_path: Path) -> None:
    net = PostNet(layers=2, channels=8)
    net.save_pretrained(tmp_path)
    torch.manual_seed(1)
    found = PostNet.from_pretrained(tmp_path)
    assert all(torch.equal(found.state_dict()[name], tensor) for name, tensor in net.state_dict().items())
    assert np.isfinite(found(torch.zeros(1, 5, 68, 3)).detach().numpy()).all()
