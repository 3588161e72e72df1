"""Pages to test: served with a fake pipeline, called through the API or driven in a real browser.

`pages.start_page` starts one; `browser` is Debian's Chromium under Playwright; `open_page` opens a page in it, at the
width of a desk or of a phone; `shot` keeps a picture of it in the folder that GENEFACE_SCREENSHOTS names.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from pages import start_page, write_wave
from tiny import ROOT
from train_machine import Machine

from geneface.ui import train, train_api
from geneface.ui.demo import find_examples, find_persons
from geneface.ui.jobs import TrainingJobs
from geneface.ui.persons import Persons

CHROMIUM = os.environ.get("GENEFACE_CHROMIUM", "/usr/bin/chromium")
SIZES = {"desk": (1280, 800), "tablet": (768, 1024), "phone": (390, 844), "small-phone": (360, 740)}


@pytest.fixture
def speech_wav(tmp_path: Path, speech: np.ndarray) -> Path:
    """Two seconds of babble."""
    return write_wave(tmp_path / "speech.wav", speech)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, for tests marked `browser`."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright for the browser's tests")
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium, or name it by GENEFACE_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def portrait_pipe() -> FakePipeline:
    """Shows the embedded person's preview, half the size."""
    from geneface.media.image import read_image

    return FakePipeline(size=256, picture=read_image(find_persons()["vera"] / "preview.png", (256, 256)))


@pytest.fixture
def slow(portrait_pipe: FakePipeline) -> Iterator[FakePipeline]:
    """The same, in no hurry."""
    portrait_pipe.delay = 0.03
    yield portrait_pipe
    portrait_pipe.delay = 0.0


@pytest.fixture(scope="session")
def page_url(portrait_pipe: FakePipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with all its tabs, the embedded person and the examples, on a fake pipeline."""
    jobs = TrainingJobs(tmp_path_factory.mktemp("persons"))
    demo = start_page(portrait_pipe, find_persons(), find_examples(), max_seconds=60, jobs=jobs)
    yield demo.local_url
    demo.close()


@pytest.fixture
def machine(tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Trains with a stand-in for the command."""
    monkeypatch.setenv("FAKE_GENEFACE", str(tmp_path / "machine" / "control"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(train_api, "training_needs", lambda: "")
    monkeypatch.setattr(train, "training_needs", lambda: "")
    monkeypatch.setattr(train, "LOOK_EVERY", 0.3)
    machine = Machine(tmp_path / "machine", tiny_bundle)
    yield machine
    machine.jobs.close()


@pytest.fixture
def machine_url(machine: Machine, portrait_pipe: FakePipeline) -> Iterator[str]:
    """The page of such a machine."""
    demo = start_page(portrait_pipe, Persons(find_persons(), machine.persons), jobs=machine.jobs)
    yield demo.local_url
    demo.close()


@pytest.fixture
def open_page(browser: Any, page_url: str) -> Iterator[Callable[..., Any]]:
    """Opens the page: `open_page("phone", dark=True)`; fails if the browser logs an error."""
    contexts, errors = [], []

    def open_page(size: str = "desk", *, dark: bool = False, url: str = "") -> Any:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            has_touch=size.endswith("phone"),
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(40000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url or page_url)
        page.wait_for_selector("#go")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    """`shot(page, "talk-empty-desk")` keeps the whole page as a picture, if GENEFACE_SCREENSHOTS names a folder."""
    folder = os.environ.get("GENEFACE_SCREENSHOTS")

    def keep(page: Any, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True, animations="disabled")

    return keep
