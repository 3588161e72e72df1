"""The Train tab in a real browser, in all of its states. GENEFACE_SCREENSHOTS names a folder for pictures of them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_train_tab import serve
from train_machine import CONSENT, Machine

from geneface.ui import train, train_api

LOOKS = {"desktop": (1280, 800, "light"), "phone": (390, 844, "light"), "dark": (1280, 800, "dark")}

pytestmark = pytest.mark.browser


@pytest.fixture
def machine(tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("FAKE_GENEFACE", str(tmp_path / "machine" / "control"))
    monkeypatch.setattr(train_api, "training_needs", lambda: "")
    monkeypatch.setattr(train, "training_needs", lambda: "")
    monkeypatch.setattr(train, "LOOK_EVERY", 0.3)
    machine = Machine(tmp_path / "machine", tiny_bundle)
    yield machine
    machine.jobs.close()


class Visitor:
    """Several windows on the same page: all look at it, the first acts."""

    def __init__(self, browser: Any, url: str) -> None:
        self.windows = {}
        for name, (width, height, scheme) in LOOKS.items():
            view = {"width": width, "height": height}
            self.windows[name] = browser.new_page(viewport=view, color_scheme=scheme)
            self.windows[name].set_default_timeout(15000)
            self.windows[name].goto(url)
        self.page = self.windows["desktop"]
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def picture(self, state: str, anew: bool = True) -> None:
        """Keep how the page looks in all windows; `anew` loads it again in the others, as another visitor would."""
        folder = os.environ.get("GENEFACE_SCREENSHOTS")
        for name, window in self.windows.items():
            if window is not self.page and anew:
                window.reload()
                window.get_by_role("tab", name="Train").wait_for()
                window.wait_for_timeout(1500)
            if folder:
                window.screenshot(path=Path(folder) / f"train_{state}_{name}.png", full_page=True)
            wide = window.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{name} scrolls sideways in the state {state}"

    def click(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()

    def sees(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for()


def test_a_whole_round(browser: Any, machine: Machine, hub: Any) -> None:
    demo = serve(machine)
    try:
        visitor = Visitor(browser, demo.local_url)
        page = visitor.page
        visitor.sees("Train a person of your own")
        visitor.picture("empty")
        visitor.click("Prepare the video")
        visitor.sees("There is no video yet")

        page.locator("#train-video input[type=file]").set_input_files(machine.video())
        page.get_by_label("Name").fill("Anna")
        page.locator("#train-video video").wait_for()
        visitor.click("Prepare the video")
        visitor.sees("The consent still says")
        visitor.picture("refused", anew=False)
        page.get_by_label("Consent").first.fill(CONSENT)
        page.get_by_label("This is true").check()
        machine.tell(delay=2.0)
        visitor.click("Prepare the video")
        visitor.sees("Preparing the video")
        visitor.picture("preparing")
        machine.tell(delay=0.02)
        visitor.sees("Look at the overview below")
        page.locator(".gf-pictures img").first.wait_for()
        visitor.picture("review")

        machine.tell(delay=0.5)
        visitor.click("Start training")
        visitor.sees("Whole picture")
        visitor.sees("Real above, generated below")
        page.locator(".gf-pictures img").last.wait_for()
        visitor.picture("training")
        visitor.click("Stop")
        visitor.sees("Go on whenever you like")
        visitor.picture("stopped")
        visitor.click("Train another person")
        visitor.sees("Anna: stopped")
        visitor.picture("unfinished")
        visitor.click("Open")
        visitor.click("Discard")
        visitor.sees("Discard this training?")
        visitor.picture("discard", anew=False)
        visitor.click("Keep it")
        machine.tell(error="the memory of the device is too small for this person; train with --steps")
        visitor.click("Go on")
        visitor.sees("memory of the device is too small")
        visitor.picture("failed")
        machine.forget("error")
        machine.tell(delay=0.02)
        visitor.click("Try again")
        visitor.sees("is ready to speak")
        visitor.picture("done")

        page.get_by_text("Publish on the Hugging Face Hub").click()
        visitor.click("Publish")
        visitor.sees("Confirm that the person has agreed")
        page.get_by_label("Repository").fill("alice/anna")
        page.get_by_label("The person has agreed to be published").check()
        visitor.click("Publish")
        visitor.sees("Published at")
        visitor.picture("published", anew=False)
        assert hub.repos["model", "alice/anna"].private
        visitor.click("Try it")
        page.get_by_label("Person who talks").wait_for()
        assert page.get_by_label("Person who talks").input_value() == "anna"
        assert page.get_by_label("Persons").input_value() == "vera, anna"
        assert not visitor.faults
    finally:
        demo.close()


def test_another_video_and_discard(browser: Any, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = serve(machine)
    try:
        machine.prepared("Bob")
        visitor = Visitor(browser, demo.local_url)
        visitor.sees("Look at the overview below")
        visitor.click("Choose another video")
        visitor.sees("Train a person of your own")
        assert visitor.page.get_by_label("Name").input_value() == "Bob"
        assert not list(machine.persons.glob(".*.training"))

        machine.tell(error="no face was found in the video; give a video of one person who faces the camera")
        machine.jobs.begin(machine.video(), "Bob", CONSENT)
        visitor.page.reload()
        visitor.sees("No face was found")
        visitor.picture("failed_video")
        machine.forget("error")
        machine.tell(delay=2.0)
        visitor.click("Try again")
        visitor.sees("Preparing the video")
        visitor.click("Discard")
        visitor.click("Yes, delete it")
        visitor.sees("Train a person of your own")
        assert not list(machine.persons.glob(".*.training"))
        monkeypatch.setattr(train, "training_needs", lambda: "Training needs a few more packages.")
    finally:
        demo.close()
    demo = serve(machine)
    try:
        visitor = Visitor(browser, demo.local_url)
        visitor.sees("a few more packages")
        visitor.picture("needs")
    finally:
        demo.close()
