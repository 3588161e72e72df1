"""The page in a browser: `python -m docs.visit pictures|weight|video`, from the project's root.

`pictures` keeps every state of the Talk tab at three widths, light and dark, in `build/page` (not in git), to be
looked at. `weight` measures what a first visit fetches and when it shows something. `video` measures a visit from
opening the page to a downloaded video. All need Playwright and Chromium (GENEFACE_CHROMIUM names it).
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import soundfile

from geneface.ui.demo import build_demo, find_examples, find_persons, launch_options
from geneface.ui.jobs import TrainingJobs
from geneface.ui.persons import Persons
from geneface.ui.speech import can_speak

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("GENEFACE_CHROMIUM", "/usr/bin/chromium")
PICTURES = ROOT / "build" / "page"
WIDTHS = {390: 844, 820: 1180, 1440: 900}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
LONG = 900_000
TEXT = "Good morning! Nobody has recorded this: it was typed, and I say it."


@contextmanager
def served() -> Iterator[str]:
    """The address of the page as `geneface demo` serves it, with the embedded persons."""
    persons = Persons(find_persons(), hub=True)
    pipes: dict[str, Any] = {}

    def load(person: str) -> Any:
        from geneface.pipelines.pipeline import GeneFacePipeline

        return pipes.setdefault(person, GeneFacePipeline.from_pretrained(persons.bundle(person)))

    with tempfile.TemporaryDirectory() as folder:
        demo = build_demo(load, persons, find_examples(), jobs=TrainingJobs(Path(folder)))
        demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", **launch_options())
        try:
            yield demo.local_url
        finally:
            demo.close()


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def take(page: Any, state: str) -> None:
    """Six pictures of one state."""
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for dark in (False, True):
            page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
            page.wait_for_timeout(250)
            name = f"{state}-{width}-{'dark' if dark else 'light'}"
            page.screenshot(path=PICTURES / f"{name}.png", full_page=width < 1000)
    page.evaluate("document.body.classList.remove('dark')")


def arrive(browser: Any, url: str) -> Any:
    page = browser.new_context(reduced_motion="reduce", accept_downloads=True).new_page()
    page.set_default_timeout(LONG)
    page.goto(url)
    page.wait_for_selector("#portrait canvas.gf-awake")
    return page


def say(page: Any, file: Path) -> None:
    page.locator("#voice input[type=file]").first.set_input_files(file)
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('is there')")
    page.locator("#go").click()


def pictures() -> None:
    """Empty, failed, busy, a second visitor, done; and the other tabs."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    welcome = ROOT / "examples" / "audio" / "welcome.mp3"
    samples, rate = soundfile.read(welcome)
    with tempfile.TemporaryDirectory() as folder, served() as url, chromium() as browser:
        long, noise = Path(folder) / "a_long_story.wav", Path(folder) / "notes.wav"
        soundfile.write(long, [*samples] * 12, rate)
        noise.write_text("no sound")
        page = arrive(browser, url)
        take(page, "empty")
        page.locator("#voice input[type=file]").first.set_input_files(noise)
        page.wait_for_selector("#talk-status .gf-failed")
        take(page, "failed")
        page.locator("#voice button[aria-label=Clear]").click()
        say(page, long)
        page.wait_for_function("document.querySelector('#talk-status').innerText.includes('frames')")
        second = arrive(browser, url)
        say(second, welcome)
        second.wait_for_function("document.querySelector('#talk-status').innerText.includes('before yours')")
        take(second, "second_visitor")
        take(page, "busy")
        page.locator("#cancel").click()
        second.wait_for_selector("#talk-status .gf-done")
        second.locator("#takes button").wait_for()
        second.wait_for_function("document.querySelector('#video video').currentTime > 0.1")
        second.evaluate("document.querySelector('#video video').pause()")
        take(second, "done")
        for kind in ("Text", "Several files"):
            second.locator("#speech-kind").get_by_label(kind, exact=True).check()
            second.wait_for_timeout(500)
            take(second, kind.lower().replace(" ", "_"))
        for tab in second.get_by_role("tab").all_inner_texts()[1:]:
            second.get_by_role("tab", name=tab).click()
            second.wait_for_timeout(500)
            take(second, "tab_" + tab.lower().replace(" ", "_"))
    print(f"{len(list(PICTURES.glob('*.png')))} pictures in {PICTURES}")


def weight() -> None:
    """What a first visit fetches, and when something is to be seen."""
    with served() as url, chromium() as browser:
        arrive(browser, url).close()
        page = browser.new_context().new_page()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        asked: list[str] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.on("request", lambda sent: asked.append(sent.url) if not sent.url.startswith((url, "data:")) else None)
        start = time.monotonic()
        page.goto(url)
        page.wait_for_selector("#go")
        usable = time.monotonic() - start
        page.wait_for_selector("#portrait canvas.gf-awake", timeout=LONG)
        awake = time.monotonic() - start
        away = len([sent for sent in asked if not sent.startswith((url, "data:", "blob:"))])
        print(f"first paint {page.evaluate(PAINT) / 1000:.2f} s, usable {usable:.2f} s, portrait awake {awake:.2f} s")
        print(f"{len(sizes)} requests, {sum(sizes) / 1e6:.2f} MB, from elsewhere: {away}")


def video() -> None:
    """A visit: open the page, type a text (or choose an example where none can be spoken), make, download."""
    with served() as url, chromium() as browser, tempfile.TemporaryDirectory() as folder:
        arrive(browser, url).close()  # The server wakes the first person up when it starts.
        page = browser.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(LONG)
        start, worked = time.monotonic(), time.process_time()
        page.goto(url)
        if can_speak():
            page.locator("#speech-kind").get_by_label("Text", exact=True).check()
            page.locator("#text textarea").fill(TEXT)
        else:
            page.get_by_text("Welcome", exact=True).click()
        page.locator("#go").click()
        page.wait_for_selector("#talk-status .gf-done")
        with page.expect_download() as download:
            page.locator("#download").click()
        file = Path(folder) / download.value.suggested_filename
        download.value.save_as(file)
        seconds = time.monotonic() - start
        worked = time.process_time() - worked
        print(f"{file.name}, {file.stat().st_size / 1e6:.1f} MB, {seconds:.1f} s after opening the page")
        print(f"The server computed for {worked:.1f} s of one core meanwhile.")


DOINGS = {doing.__name__: doing for doing in (pictures, weight, video)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=DOINGS)
    DOINGS[parser.parse_args().what]()
