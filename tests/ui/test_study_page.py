"""Raters in a real browser; pictures of each state go to the folder GENEFACE_SCREENSHOTS."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from study_folder import CLIPS, METHODS, write_study

from geneface.evaluation.study import QUESTIONS, Study
from geneface.evaluation.study_results import read_results, write_page
from geneface.evaluation.study_votes import Votes

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
SIZES = {"desk": (1280, 800), "phone": (390, 844)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`geneface study` as a process, to be killed and started again at the same address."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "geneface", "study", str(self.folder), "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder.parent)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(300):
            try:
                urlopen(self.url, timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.1)
        raise TimeoutError(self.url)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(write_study(tmp_path_factory.mktemp("study") / "clips"))
    yield server
    server.kill()


@pytest.fixture
def rater(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Opens the page as a new rater."""
    contexts = []

    def open_page(size: str = "desk", *, dark: bool = False, look: Callable[[Any], None] | None = None) -> Any:
        width, height = SIZES[size]
        scheme = "dark" if dark else "light"
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.set_default_timeout(15000)
        if look is not None:
            page.on("response", look)
        page.goto(server.url)
        page.locator("#start").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()


def rate(page: Any, *scores: int) -> None:
    """Score the video that is shown, and go on to the next."""
    before = shown(page)
    for name, score in zip(QUESTIONS, scores, strict=True):
        page.locator(f"#{name} input").nth(score - 1).check()
    page.locator("#go").click()
    page.wait_for_function(
        f"!(document.querySelector('#clip video') || {{currentSrc: ''}}).currentSrc.includes('{before}')"
    )


def shown(page: Any) -> str:
    """The name of the video that is shown, once it can play."""
    page.wait_for_function("(document.querySelector('#clip video') || {}).readyState >= 2")
    return page.evaluate("document.querySelector('#clip video').currentSrc.split('/').pop().split('.')[0]")


def place(page: Any) -> str:
    page.locator("#place .gf-status").wait_for()
    return page.locator("#place").inner_text().strip()


def test_killed_and_started_again(rater: Callable[..., Any], server: Server, shot: Callable[[Any, str], None]) -> None:
    page = rater()
    page.locator("#start").click()
    assert place(page) == "Video 1 of 6"
    first = shown(page)
    page.locator("#go").click()
    assert "Still open: Lip sync, Image quality, Realness" in page.locator("#said .gf-failed").inner_text()
    rate(page, 5, 4, 3)
    rate(page, 1, 2, 3)
    third = shown(page)
    for question in QUESTIONS:
        page.locator(f"#{question} input").nth(4).check()
    server.kill()
    page.locator("#go").click()
    page.get_by_text("Connection to the server was lost").wait_for()
    shot(page, "study-away")
    server.start()
    # The page finds the server, and its place, by itself: what could not be kept is asked again.
    page.wait_for_function("!document.querySelector('#lip_sync input:checked')")
    assert place(page) == "Video 3 of 6"
    assert shown(page) == third
    rate(page, 2, 2, 2)

    votes = Votes(server.folder)
    study = Study(server.folder, votes.plan, votes.secret)
    given = votes.all()
    assert [list(vote.scores.values()) for vote in given] == [[5, 4, 3], [1, 2, 3], [2, 2, 2]]
    assert len({vote.item for vote in given}) == 3
    assert [study.token(given[0].item), study.token(given[2].item)] == [first, third]
    assert [vote.item for vote in given] == study.order(given[0].rater)[:3]


def test_two_windows_of_one_rater(rater: Callable[..., Any], server: Server) -> None:
    """The same video in both: the first vote counts, and the second is not taken for the next video's."""
    page = rater()
    page.locator("#start").click()
    shown(page)
    rate(page, 1, 1, 1)
    second = page.context.new_page()
    second.goto(server.url)
    assert shown(second) == shown(page)
    rate(page, 2, 2, 2)
    rate(second, 5, 5, 5)
    assert place(second) == "Video 3 of 6"
    given = Votes(server.folder).all()[-2:]
    assert given[0].rater == given[1].rater
    assert [vote.scores["realness"] for vote in given] == [1, 2]


@pytest.mark.parametrize(("size", "dark"), [("desk", False), ("phone", True)])
def test_blind_from_start_to_end(
    rater: Callable[..., Any], server: Server, shot: Callable[[Any, str], None], size: str, dark: bool
) -> None:
    seen: list[str] = []
    errors: list[str] = []
    name = f"{size}{'-dark' * dark}"

    def look(response: Any) -> None:
        seen.append(response.url + str(response.headers))
        if any(kind in response.headers.get("content-type", "") for kind in ("json", "text")):
            seen.append(response.text())

    page = rater(size, dark=dark, look=look)
    page.on("pageerror", lambda error: errors.append(str(error)))
    shot(page, f"study-welcome-{name}")
    page.locator("#start").click()
    shown(page)
    shot(page, f"study-begun-{name}")
    for number in range(6):
        assert place(page) == f"Video {number + 1} of 6"
        if number == 1:
            page.locator("#go").click()
            page.locator("#said .gf-failed").wait_for()
            for question in QUESTIONS:
                page.locator(f"#{question} input").nth(2).check()
            shot(page, f"study-open-{name}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        # Small clips are shown as large as others, and not cut off.
        shown(page)
        block, clip = (page.locator(where).bounding_box() for where in ("#clip", "#clip video"))
        assert block["height"] == clip["height"] >= 320
        seen.append(page.content())
        rate(page, 4, 3, 2) if number < 5 else None
    for question in QUESTIONS:
        page.locator(f"#{question} input").nth(2).check()
    page.locator("#go").click()
    page.locator("#another").wait_for()
    shot(page, f"study-thanks-{name}")
    page.reload()
    page.locator("#another").wait_for()
    page.locator("#another").click()
    assert place(page) == "Video 1 of 6"
    everything = " ".join(seen).lower()
    assert "excellent" in everything
    found = {word for word in (*METHODS, *CLIPS, str(server.folder)) if word.lower() in everything}
    assert not found
    assert not errors


def test_results_page(browser: Any, server: Server, shot: Callable[[Any, str], None], tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", clips=("en_one",))
    votes = Votes(folder, create=True)
    study = Study(folder, votes.plan, votes.secret)
    for number in range(12):
        for item in study.order(str(number)):
            good = {"reference": 4, "geneface": 3, "wav2lip": 2}[item.method]
            votes.add(str(number), item, {name: good + (number + k) % 2 for k, name in enumerate(QUESTIONS)})
    page_file = write_page(read_results(folder), folder)
    for size, dark in (("desk", False), ("phone", True)):
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.goto(page_file.as_uri())
        assert "12 of 20 raters have finished, 8 still missing" in page.inner_text("body")
        assert page.locator(".dot i").count() == 9
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        shot(page, f"study-results-{size}")
        context.close()
