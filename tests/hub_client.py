"""What the tests of the registry share: a machine that uses a `HubServer`, and what to compare."""

import json
from pathlib import Path

import pytest
import torch
from hub_server import HubServer

from geneface import GeneFacePipeline

CONSENT = "I am the person shown, and I agree to any use that the policy allows."
ALICE, BOB = "hf_alice", "hf_bob"


def use(hub: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch, xet: bool = False) -> HubServer:
    """Let the real client talk to `hub`, logged in as Alice."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", not xet)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_TOKEN", ALICE)
    return hub


def load(path_or_id: str | Path, **options) -> GeneFacePipeline:
    return GeneFacePipeline.from_pretrained(path_or_id, device="cpu", **options)


def same_weights(first: GeneFacePipeline, second: GeneFacePipeline) -> None:
    for name, part in first.components.items():
        other = second.components[name].state_dict()
        assert all(torch.equal(tensor, other[key]) for key, tensor in part.state_dict().items()), name


def edit_index(hub: HubServer, repo_id: str, **changes: object) -> None:
    index = {**json.loads(hub.files(repo_id)["model_index.json"].data), **changes}
    hub.upload(repo_id, {"model_index.json": json.dumps(index).encode()})
