"""A typed text, several recordings at once, shapes and subtitles, in a real browser."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from pages import no_sideways_scrolling, said, start_page, upload_voice, video_state, write_wave
from tones import Tones, speak_in_tones

from geneface.media.check import check_file
from geneface.ui import speech, talk, talk_api
from geneface.ui.demo import find_persons

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
Shot = Callable[[Any, str], None]


@pytest.fixture
def tones(monkeypatch: pytest.MonkeyPatch) -> Tones:
    """Speaks in tones."""
    for module in (speech, talk, talk_api):
        monkeypatch.setattr(module, "can_speak", lambda: True)
    return speak_in_tones(monkeypatch)


@pytest.fixture
def speaking_url(tones: Tones, portrait_pipe: FakePipeline) -> Iterator[str]:
    demo = start_page(portrait_pipe, find_persons(), {}, max_seconds=60)
    yield demo.local_url
    demo.close()


@pytest.fixture
def silent_url(monkeypatch: pytest.MonkeyPatch, portrait_pipe: FakePipeline) -> Iterator[str]:
    """A page on a machine without the packages that speak."""
    for module in (speech, talk, talk_api):
        monkeypatch.setattr(module, "can_speak", lambda: False)
    demo = start_page(portrait_pipe, find_persons(), {}, max_seconds=60)
    yield demo.local_url
    demo.close()


def choose(page: Any, kind: str) -> None:
    page.locator("#speech-kind").get_by_label(kind, exact=True).check()


def test_a_typed_text(open_page: Open, speaking_url: str, tones: Tones, tmp_path: Path, shot: Shot) -> None:
    page = open_page(url=speaking_url)
    choose(page, "Text")
    page.get_by_text("Type a text, then make Vera talk").wait_for()
    page.locator("#go").click()
    assert "There is no text yet" in said(page, "#talk-status", "failed")
    page.locator("#text textarea").fill("Good morning. This is a test.")
    page.locator("#speaker input").click()
    page.get_by_role("option", name="A woman, British").click()
    page.get_by_role("button", name="Subtitles").first.click()
    page.get_by_label("A file beside it (.srt)").check()
    shot(page, "talk-text-desk")
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    assert tones.asked[-1][:2] == ("This is a test.", "bf_emma")
    with page.expect_download() as download:
        page.locator("#download").click()
    video = tmp_path / download.value.suggested_filename
    assert video.name.startswith("vera-Good-morning-This-is-a-test")
    download.value.save_as(video)
    assert "Tones, bf_emma" in " ".join(map(str, check_file(video).report().values()))
    with page.expect_download() as download:
        page.locator("#download-subtitles").click()
    assert "This is a test." in Path(download.value.path()).read_text()


def test_where_no_text_can_be_spoken_the_rest_is_offered(open_page: Open, silent_url: str) -> None:
    page = open_page(url=silent_url)
    choose(page, "Text")
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('cannot speak a text yet')")
    page.locator("#go").click()
    assert "Recordings work without it" in said(page, "#talk-status", "failed")
    choose(page, "Recording")
    page.locator("#voice").wait_for()


def test_several_recordings(
    open_page: Open, slow: FakePipeline, tmp_path: Path, speech: np.ndarray, shot: Shot
) -> None:
    """One that cannot be made stops no other; all that was made comes in one file, and is among the takes."""
    slow.delay = 0.002
    files = [write_wave(tmp_path / name, speech) for name in ("one.wav", "two.wav")]
    (tmp_path / "bad.wav").write_text("no sound")
    page = open_page()
    choose(page, "Several files")
    page.locator("#go").click()
    assert "There are no recordings yet" in said(page, "#talk-status", "failed")
    page.locator("#files input[type=file]").first.set_input_files([files[0], tmp_path / "bad.wav", files[1]])
    page.wait_for_function("document.querySelectorAll('#files tr.file').length === 3")
    page.locator("#go").click()
    page.get_by_text("Done: 2 of 3 videos").wait_for()
    assert page.locator("#rows li.gf-done").count() == 2 and page.locator("#rows li.gf-failed").count() == 1
    assert "damaged" in page.locator("#rows li.gf-failed").inner_text()
    assert page.locator("#takes button").count() == 2
    with page.expect_download() as download:
        page.locator("#download-all").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert [name.partition("-vera-")[::2] for name in sorted(names)] and len(names) == 2
    assert {"one", "two"} == {name.split("-")[2] for name in names}
    assert no_sideways_scrolling(page)
    shot(page, "talk-several-desk")


def test_an_upright_video(open_page: Open, slow: FakePipeline, speech_wav: Path) -> None:
    slow.delay = 0.0
    page = open_page()
    upload_voice(page, speech_wav)
    page.get_by_role("button", name="Background, shape and size").first.click()
    page.get_by_label("Upright 9:16").check()
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    assert slow.options.shape == "9:16"
    assert video_state(page, "#video")["duration"] == pytest.approx(2, abs=0.1)
