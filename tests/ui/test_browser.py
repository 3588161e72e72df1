"""What visitors do, in a real browser; pictures of each state go to the folder GENEFACE_SCREENSHOTS."""

import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from pages import no_sideways_scrolling, said, start_page, upload, upload_voice, video_state, write_wave

from geneface.media.video import probe
from geneface.ui import visits
from geneface.ui.demo import find_persons
from geneface.ui.persons import Persons

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
Shot = Callable[[Any, str], None]


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_talk(open_page: Open, shot: Shot, slow: FakePipeline, tmp_path: Path, speech: np.ndarray, size: str) -> None:
    page = open_page(size)
    page.wait_for_selector("#portrait canvas.gf-awake")
    assert page.get_by_role("tab").all_inner_texts() == ["Talk", "Train", "Look closer", "Check"]
    assert no_sideways_scrolling(page)
    shot(page, f"talk-empty-{size}")

    upload_voice(page, write_wave(tmp_path / "speech.wav", np.tile(speech, 2)))
    page.locator("#go").click()
    assert "frames" in said(page, "#talk-status", "busy") or page.wait_for_function(
        "document.querySelector('#talk-status').innerText.includes('left')"
    )
    page.wait_for_selector("#plot .gf-mouth-line", state="attached")
    shot(page, f"talk-busy-{size}")

    assert re.match(r"Done: 4\.0 s of video\.\s+Made in .* s with seed \d+", said(page, "#talk-status", "done"))
    state = video_state(page, "#video")
    assert abs(state["duration"] - 4) < 0.1
    page.wait_for_function("document.querySelector('#video video').currentTime > 0")
    assert no_sideways_scrolling(page)
    shot(page, f"talk-done-{size}")

    with page.expect_download() as download:
        page.locator("#video a[download]").first.click()
    saved = tmp_path / "saved.mp4"
    download.value.save_as(saved)
    assert (probe(saved).video_codec, probe(saved).audio_codec) == ("h264", "aac")


def test_cancel_within_a_second(open_page: Open, slow: FakePipeline, tmp_path: Path, speech: np.ndarray) -> None:
    page = open_page()
    slow.delay = 0.1
    upload_voice(page, write_wave(tmp_path / "speech.wav", np.tile(speech, 4)))
    page.locator("#go").click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('frames')")
    page.locator("#cancel").click()
    start = time.monotonic()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('Stopped')")
    assert time.monotonic() - start < 1
    time.sleep(max(0, 1 - (time.monotonic() - start)))
    drawn = slow.drawn
    time.sleep(0.8)
    assert slow.drawn == drawn
    page.locator("#go").wait_for()
    assert page.locator("#go").is_visible() and not page.locator("#cancel").is_visible()
    slow.delay = 0
    page.locator("#go").click()
    assert said(page, "#talk-status", "done")


def test_watching_while_it_is_made(open_page: Open, slow: FakePipeline, tmp_path: Path, speech: np.ndarray) -> None:
    from geneface.ui.live import can_stream

    if not can_stream():
        pytest.skip("Gradio's streaming player needs ffmpeg and ffprobe on the PATH")
    page = open_page()
    upload_voice(page, write_wave(tmp_path / "speech.wav", np.tile(speech, 4)))
    page.locator("#go").click()
    page.wait_for_function("(document.querySelector('#live video') || {}).currentTime > 0.5")
    assert page.locator("#talk-status .gf-busy").count() == 1
    said(page, "#talk-status", "done")
    state = video_state(page, "#video")
    assert abs(state["duration"] - 8) < 0.1
    page.wait_for_function("document.querySelector('#video video').currentTime > 0.5")


def test_the_finished_file_where_ffmpeg_is_missing(
    open_page: Open, slow: FakePipeline, tmp_path: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *rest: None if name.startswith("ff") else found(name, *rest))
    page = open_page()
    upload_voice(page, write_wave(tmp_path / "speech.wav", np.tile(speech, 3)))
    page.locator("#go").click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('1 s left')")
    assert page.locator("#portrait").is_visible() and not page.locator("#live").is_visible()
    said(page, "#talk-status", "done")
    assert abs(video_state(page, "#video")["duration"] - 6) < 0.1
    page.wait_for_function("document.querySelector('#video video').currentTime > 0")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_bad_file_and_no_file(open_page: Open, shot: Shot, tmp_path: Path, size: str) -> None:
    page = open_page(size)
    page.locator("#go").click()
    assert "There is no voice yet" in said(page, "#talk-status", "failed")
    notes = tmp_path / "notes.wav"
    notes.write_text("This is a text.\n" * 100)
    upload(page, "#voice", notes)
    page.wait_for_selector("#voice button[aria-label='Clear'], #voice .audio-container, #voice [data-testid]")
    time.sleep(0.7)
    page.locator("#go").click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('damaged')")
    assert "/" not in said(page, "#talk-status", "failed")
    page.locator("#go").wait_for()
    assert page.locator("#go").is_visible()
    shot(page, f"talk-failed-{size}")


def test_transparent_and_options(open_page: Open, shot: Shot, speech_wav: Path) -> None:
    page = open_page(dark=True)
    upload_voice(page, speech_wav)
    for name in ("Motion", "Background, shape and size"):
        page.get_by_role("button", name=name).first.click()
    page.get_by_label("Transparent").check()
    page.get_by_label("From a video").check()
    page.wait_for_selector("#driving")
    shot(page, "talk-options-dark-desk")
    page.get_by_label("Still").check()
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    assert page.evaluate("document.querySelector('#video video').currentSrc.endsWith('.webm')")
    shot(page, "talk-transparent-dark-desk")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_check_a_video_of_this_page(open_page: Open, shot: Shot, speech_wav: Path, tmp_path: Path, size: str) -> None:
    page = open_page(size, dark=size == "phone")
    upload_voice(page, speech_wav)
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    with page.expect_download() as download:
        page.locator("#video a[download]").first.click()
    genuine, altered, text = (tmp_path / name for name in ("genuine.mp4", "altered.mp4", "text.mp4"))
    download.value.save_as(genuine)
    content = bytearray(genuine.read_bytes())
    content[-1] ^= 1
    altered.write_bytes(content)
    text.write_text("no video")

    page.get_by_role("tab", name="Check").click()
    page.get_by_text("Where does this video come from?").wait_for()
    shot(page, f"check-empty-{size}")
    for file, tone, words in (
        (genuine, "good", "unaltered since it was signed"),
        (altered, "altered", "Altered since it was signed"),
    ):
        upload(page, "#verify-video", file)
        verdict = page.locator(f".gf-verdict.gf-{tone}")
        verdict.wait_for()
        assert words in verdict.locator("h2").inner_text()
        page.locator("#verify-video video").wait_for()
        assert no_sideways_scrolling(page)
        shot(page, f"check-{tone}-{size}")
        page.locator("#verify-video button[aria-label=Clear]").click()
        page.locator(".gf-verdict.gf-nothing").wait_for()
    upload(page, "#verify-video", text)
    page.get_by_text("cannot be read as a video").wait_for()
    shot(page, f"check-failed-{size}")


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_look_closer(open_page: Open, shot: Shot, slow: FakePipeline, speech_wav: Path, size: str) -> None:
    slow.delay = 0.02
    page = open_page(size)
    page.get_by_role("tab", name="Look closer").click()
    page.wait_for_selector("#compare")
    shot(page, f"look-empty-{size}")
    page.locator("#compare").click()
    assert "There is no voice yet" in said(page, "#compare-status", "failed")
    shot(page, f"look-failed-{size}")
    upload_voice(page, speech_wav, "#voice-compare")
    page.get_by_label("Both").check()
    page.locator("#compare").click()
    page.wait_for_function("document.querySelector('#compare-status').innerText.includes('frames')")
    shot(page, f"look-busy-{size}")
    said(page, "#compare-status", "done")
    assert video_state(page, "#compared")["width"] == 1024
    before = page.locator("#head img").get_attribute("src")
    page.locator("#yaw input[type=range]").fill("6")
    page.wait_for_function(f"document.querySelector('#head img').src !== {before!r}")
    assert no_sideways_scrolling(page)
    shot(page, f"look-done-{size}")


def test_keyboard_alone(open_page: Open, shot: Shot) -> None:
    page = open_page()
    page.locator("#person input[type=radio]").first.focus()
    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(() => { const e = document.activeElement; return e.id || e.innerText || e.ariaLabel || e.type; })()"
        )
        names.append(focused.strip())
        if focused == "go":
            break
    assert names[-1] == "go", names
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    shot(page, "talk-keyboard-desk")
    page.keyboard.press("Enter")
    assert "There is no voice yet" in said(page, "#talk-status", "failed")


def test_uploads_are_deleted_when_the_page_is_closed(
    open_page: Open, tmp_path: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "RETURN_SECONDS", 0.2)
    file = write_wave(tmp_path / f"mine-{uuid.uuid4().hex}.wav", speech)

    def kept() -> list[Path]:
        return list(Path(tempfile.gettempdir()).glob(f"gradio/*/{file.name}"))

    page = open_page()
    upload_voice(page, file)
    assert len(kept()) == 1
    time.sleep(0.5)
    page.close()
    deadline = time.monotonic() + 20
    while kept() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not kept()


def test_a_person_of_the_hub(open_page: Open, shot: Shot, published: Any, portrait_pipe: FakePipeline) -> None:
    demo = start_page(portrait_pipe, Persons(find_persons(), hub=True))
    try:
        page = open_page(url=demo.local_url)
        page.get_by_role("button", name="More persons").click()
        page.get_by_label("Name").fill("nobody-of-this-name")
        page.keyboard.press("Enter")
        page.get_by_text("Nobody on the Hub goes by").wait_for()
        page.get_by_label("Name").fill("tiny")
        page.get_by_role("button", name="Search").click()
        page.locator("#hub-persons button").first.wait_for()
        shot(page, "talk-hub-found-desk")
        page.locator("#hub-persons button").first.click()
        page.get_by_text("alice/tiny is here, and chosen.").wait_for()
        assert page.locator("#person input[type=radio]:checked").get_attribute("value") == "alice/tiny"
        shot(page, "talk-hub-chosen-desk")
        page.get_by_role("tab", name="Look closer").click()
        page.get_by_role("combobox", name="Right").click()
        page.get_by_role("option", name="alice/tiny").click()
    finally:
        demo.close()
