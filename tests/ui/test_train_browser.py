"""The Train tab in a real browser, from the empty form to a published person who talks."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import write_wave
from train_machine import CONSENT, Machine

from geneface.ui import train

pytestmark = pytest.mark.browser


class Visitor:
    """Somebody at the Train tab."""

    def __init__(self, page: Any, shot: Callable[[Any, str], None]) -> None:
        self.page, self._shot = page, shot
        page.get_by_role("tab", name="Train").click()

    def picture(self, state: str) -> None:
        """Keep how the page looks on a desk, in the dark and on a phone, where it must not scroll sideways."""
        self._shot(self.page, f"train-{state}-desk")
        self.page.evaluate("document.body.classList.add('dark')")
        self._shot(self.page, f"train-{state}-dark-desk")
        self.page.evaluate("document.body.classList.remove('dark')")
        self.page.set_viewport_size({"width": 390, "height": 844})
        self.page.wait_for_timeout(100)
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), state
        self._shot(self.page, f"train-{state}-phone")
        self.page.set_viewport_size({"width": 1280, "height": 800})

    def click(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def sees(self, words: str) -> None:
        self.page.get_by_text(words).locator("visible=true").first.wait_for()

    def sees_pictures(self) -> None:
        self.page.locator(".gf-pictures img").locator("visible=true").first.wait_for()


@pytest.fixture
def visitor(open_page: Callable[..., Any], machine_url: str, shot: Callable[[Any, str], None]) -> Visitor:
    return Visitor(open_page(url=machine_url), shot)


def test_from_a_video_to_a_published_person(
    visitor: Visitor, machine: Machine, hub: Any, tmp_path: Path, speech: np.ndarray
) -> None:
    page = visitor.page
    visitor.sees("Train a person of your own")
    visitor.picture("empty")
    visitor.click("Prepare the video")
    for words in ("There is no video yet", "Give the person a name", "The consent still says", "Confirm that"):
        visitor.sees(words)
    assert page.locator(".toast-body").count() == 0

    page.locator("#train-video input[type=file]").set_input_files(machine.video())
    page.get_by_role("textbox", name="Name").fill("Anna")
    page.locator("#train-video video").wait_for()
    visitor.click("Prepare the video")
    visitor.sees("The consent still says")
    visitor.picture("refused")
    page.get_by_label("Consent").first.fill(CONSENT)
    page.get_by_label("This is true").check()
    machine.tell(delay=1.0)
    visitor.click("Prepare the video")
    visitor.sees("Preparing the video")
    visitor.picture("preparing")
    machine.tell(delay=0.02)
    visitor.sees("Look at the overview below")
    visitor.sees_pictures()
    visitor.picture("review")

    machine.tell(delay=0.3)
    visitor.click("Start training")
    visitor.sees("Real above, generated below")
    visitor.sees_pictures()
    visitor.picture("training")
    visitor.click("Stop")
    visitor.sees("Go on whenever you like")
    visitor.picture("stopped")
    visitor.click("Train another person")
    visitor.sees("Anna: stopped")
    visitor.picture("unfinished")
    visitor.click("Open")
    machine.tell(error="the memory of the device is too small for this person; train with --steps")
    visitor.click("Go on")
    visitor.sees("memory of the device is too small")
    visitor.picture("failed")
    machine.forget("error")
    machine.tell(delay=0.0)
    visitor.click("Try again")
    visitor.sees("is ready to speak")
    visitor.picture("done")

    page.get_by_text("Publish on the Hugging Face Hub").click()
    visitor.click("Publish")
    visitor.sees("Confirm that the person has agreed")
    assert page.locator(".toast-body").count() == 0
    page.get_by_label("Repository").fill("alice/anna")
    page.get_by_label("The person has agreed to be published").check()
    visitor.click("Publish")
    visitor.sees("Published at")
    visitor.picture("published")
    assert hub.repos["model", "alice/anna"].private

    visitor.click("Try it")
    page.locator("#person input[value=anna]:checked").wait_for(state="attached")
    visitor.sees("Pick a voice, then make Anna talk.")
    page.locator("#voice input[type=file]").set_input_files(write_wave(tmp_path / "speech.wav", speech))
    page.wait_for_selector("#voice [data-testid=waveform-controls]")
    page.locator("#go").click()
    page.locator("#talk-status .gf-done").wait_for()
    with page.expect_download() as download:
        page.locator("#video a[download]").first.click()
    assert re.fullmatch(r"anna-speech-\d+\.mp4", download.value.suggested_filename), "a name that speaks"


def test_another_video_and_discard(open_page: Any, machine: Machine, machine_url: str, shot: Any) -> None:
    machine.prepared("Bob")
    visitor = Visitor(open_page(url=machine_url), shot)
    visitor.sees("Look at the overview below")
    visitor.click("Choose another video")
    visitor.sees("Train a person of your own")
    assert visitor.page.get_by_role("textbox", name="Name").input_value() == "Bob"
    assert not list(machine.persons.glob(".*.training"))

    machine.tell(error="no face was found in the video; give a video of one person who faces the camera")
    machine.jobs.begin(machine.video(), "Bob", CONSENT)
    visitor = Visitor(open_page(url=machine_url), shot)
    visitor.sees("No face was found")
    visitor.picture("failed-video")
    machine.forget("error")
    machine.tell(delay=1.0)
    visitor.click("Try again")
    visitor.sees("Preparing the video")
    visitor.click("Discard")
    visitor.sees("Discard this training?")
    visitor.picture("discard")
    visitor.click("Keep it")
    visitor.click("Discard")
    visitor.click("Yes, delete it")
    visitor.sees("Train a person of your own")
    assert not list(machine.persons.glob(".*.training"))


def test_what_is_missing_is_said_at_the_top(
    open_page: Any, machine: Machine, shot: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "training_needs", lambda: "Training needs a few more packages.")
    visitor = Visitor(open_page(url=request.getfixturevalue("machine_url")), shot)
    visitor.sees("a few more packages")
    visitor.picture("needs")
