"""Fixtures: tiny real components, a bundle made of them, a little speech-like sound."""

import os
import tempfile
from pathlib import Path

# Before any Hugging Face import: the tests never reach for the network, the user's cache, token or
# signing certificate.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="geneface-tests-")
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="geneface-tests-")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import numpy as np
import pytest
from tiny import ROOT, tiny_components


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and face models, which a user's clone does not have."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared of real recordings is not here")
    return folder


@pytest.fixture
def speech() -> np.ndarray:
    """Two seconds of babble at 16 kHz: noise bursts of syllable length around a gliding tone."""
    rng = np.random.default_rng(0)
    seconds = np.arange(32000) / 16000
    syllables = np.clip(np.sin(2 * np.pi * 4 * seconds), 0, 1)
    voice = np.sin(2 * np.pi * (120 * seconds + 5 * np.sin(3 * seconds))) + 0.3 * rng.standard_normal(32000)
    return (0.2 * syllables * voice).astype(np.float32)


@pytest.fixture
def tiny_pipeline():
    from geneface.pipelines.pipeline import GeneFacePipeline

    pipe = GeneFacePipeline(**tiny_components(), name="tiny").to("cpu")
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture
def tiny_bundle(tmp_path: Path) -> Path:
    """A complete person's bundle of a few hundred kilobytes."""
    from geneface.bundles.loading import save_components

    save_components(tmp_path / "tiny", tiny_components())
    return tmp_path / "tiny"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty Hub, used by Alice on a machine with an empty cache."""
    from hub_client import use
    from hub_server import HubServer

    with HubServer() as server:
        yield use(server, tmp_path / "cache", monkeypatch)


@pytest.fixture
def published(hub, tiny_bundle: Path):
    """A Hub that has the tiny person, as alice/tiny, for everybody."""
    from hub_client import CONSENT

    from geneface.hub.publish import push_to_hub

    push_to_hub(tiny_bundle, "alice/tiny", consent=CONSENT, private=False)
    hub.requests.clear()
    return hub
