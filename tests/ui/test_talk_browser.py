"""What must not go wrong around a take, in a real browser: who is chosen, what is seen, where the keyboard is."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fake_pipeline import FakePipeline
from pages import no_sideways_scrolling, said, upload, upload_voice, video_state, write_wave

from geneface.ui import visits

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
Shot = Callable[[Any, str], None]

FOCUSED = "document.activeElement.id || document.activeElement.tagName"
WATCH = """() => {
  const bare = (e) => !e || getComputedStyle(e).visibility === 'hidden' || getComputedStyle(e).opacity < 1;
  window.holes = 0;
  const look = () => {
    const video = (where) => {
      const player = document.querySelector(where + ' video');
      return !bare(document.querySelector(where)) && player && player.readyState >= 2;
    };
    const portrait = !bare(document.querySelector('#portrait'));
    if (!portrait && !video('#live') && !video('#video')) window.holes += 1;
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def long_wav(tmp_path: Path, speech: np.ndarray) -> Path:
    """Eight seconds: long enough to be shown while it is made."""
    return write_wave(tmp_path / "good_morning.wav", np.tile(speech, 4))


def talking(page: Any) -> None:
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('frames')")


def persons(page: Any) -> list[bool]:
    """Whether each person may be chosen."""
    return page.locator("#person input").evaluate_all("all => all.map((each) => !each.disabled)")


def test_nobody_else_is_chosen_while_somebody_speaks(open_page: Open, slow: FakePipeline, speech_wav: Path) -> None:
    page = open_page()
    upload_voice(page, speech_wav)
    page.locator("#go").click()
    talking(page)
    assert not any(persons(page))
    said(page, "#talk-status", "done")
    # The moment of the last update, which once came again after the choice.
    page.get_by_label("Theo").check(timeout=15000)
    page.wait_for_function("document.querySelector('#go').innerText.includes('Theo')")
    time.sleep(1.5)
    assert page.locator("#portrait img").get_attribute("alt") == "Theo"
    assert page.locator("#video").count() == 0 and page.locator("#talk-status .gf-done").count() == 0
    assert page.locator("#plot .gf-empty").count() == 1


def test_another_take_at_once(open_page: Open, slow: FakePipeline, long_wav: Path) -> None:
    """What ends the first piece of work must not let go of the second; nor a voice that is heard too late."""
    slow.delay = 0.002
    page = open_page()
    upload(page, "#voice", long_wav)
    page.locator("#voice .audio-container").wait_for()
    page.locator("#go").click()
    for _ in range(2):
        said(page, "#talk-status", "done")
        slow.delay = 0.02
        page.locator("#again").click()
        talking(page)
        time.sleep(1)
        assert not any(persons(page))
        assert page.locator("#person input:checked").get_attribute("value") == "vera"


def test_after_cancel_another_person_can_be_chosen(open_page: Open, slow: FakePipeline, long_wav: Path) -> None:
    page = open_page()
    upload_voice(page, long_wav)
    page.locator("#go").click()
    talking(page)
    page.locator("#cancel").click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('Stopped')")
    page.wait_for_function("[...document.querySelectorAll('#person input')].every((each) => !each.disabled)")


def test_there_is_always_a_picture(open_page: Open, slow: FakePipeline, long_wav: Path) -> None:
    from geneface.ui.live import can_stream

    if not can_stream():
        pytest.skip("Gradio's streaming player needs ffmpeg and ffprobe on the PATH")
    page = open_page()
    upload_voice(page, long_wav)
    page.evaluate(WATCH)
    page.locator("#go").click()
    page.wait_for_selector("#live video[data-seen]")
    said(page, "#talk-status", "done")
    page.wait_for_selector("#video video[data-seen]")
    page.wait_for_function("document.querySelector('#video video').currentTime > 0.5")
    assert page.evaluate("document.querySelector('#live video').paused")
    assert page.evaluate("window.holes") == 0


def test_the_keyboard_stays_where_the_work_is(open_page: Open, slow: FakePipeline, long_wav: Path) -> None:
    page = open_page()
    upload_voice(page, long_wav)
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('is there')")
    page.locator("#go").focus()
    page.keyboard.press("Space")
    talking(page)
    assert page.evaluate(FOCUSED) == "cancel"
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('Stopped')")
    page.wait_for_function(f"({FOCUSED}) === 'go'")


def test_arrow_keys_move_tabs_and_persons(open_page: Open) -> None:
    page = open_page()
    page.wait_for_selector("#portrait canvas.gf-awake")
    page.get_by_role("tab", name="Talk").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "Train"
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#person input")
    page.locator("#person input").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#go').innerText.includes('Theo')")
    assert page.evaluate("document.activeElement.value") == "theo"


def test_a_video_is_a_voice(open_page: Open, tmp_path: Path, speech: np.ndarray) -> None:
    file = tmp_path / "phone.mp4"
    with av.open(str(file), "w") as container:
        picture = container.add_stream("h264", rate=25)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=16000)
        for _ in range(50):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        frame = av.AudioFrame.from_ndarray(speech[None], "fltp", "mono")
        frame.rate = 16000
        container.mux(sound.encode(frame))
        container.mux([*picture.encode(), *sound.encode()])
    page = open_page()
    upload_voice(page, file)
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('is there')")
    page.locator("#go").click()
    assert said(page, "#talk-status", "done").startswith("Done: 2.")


def test_what_is_wrong_with_a_voice_is_said_at_once(open_page: Open, tmp_path: Path, speech: np.ndarray) -> None:
    page = open_page()
    page.get_by_text("Up to 1 min of speech").first.wait_for()
    notes = tmp_path / "notes.wav"
    notes.write_text("This is a text.\n" * 100)
    for file, words in (
        (notes, "damaged"),
        (write_wave(tmp_path / "silence.wav", 0 * speech), "No speech is heard"),
        (write_wave(tmp_path / "long.wav", np.tile(speech, 31)), "up to 1 min"),
    ):
        upload(page, "#voice", file)
        page.wait_for_function(f"document.querySelector('#talk-status .gf-failed')?.innerText.includes({words!r})")
        page.locator("#voice button[aria-label=Clear]").click()
        page.wait_for_function("document.querySelector('#talk-status').innerText.includes('Pick a voice')")
    upload(page, "#voice", notes)
    said(page, "#talk-status", "failed")
    page.get_by_text("Welcome", exact=True).click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('is there')")
    assert page.locator("#talk-status .gf-failed").count() == 0
    assert page.locator("#plot .gf-wave").count() == 1


def test_takes_are_kept(open_page: Open, slow: FakePipeline, long_wav: Path, shot: Shot) -> None:
    slow.delay = 0.005
    page = open_page()
    upload_voice(page, long_wav)
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    page.locator("#takes button").first.wait_for()
    slow.delay = 0.05
    page.locator("#again").click()
    talking(page)
    page.locator("#cancel").click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('Stopped')")
    page.locator("#takes button").first.click()
    assert said(page, "#talk-status", "done").startswith("Done: 8.0 s of video")
    assert abs(video_state(page, "#video")["duration"] - 8) < 0.1
    with page.expect_download() as download:
        page.locator("#download").click()
    name = download.value.suggested_filename
    assert name.startswith("vera-good_morning-") and name.endswith(".mp4")
    shot(page, "talk-takes-desk")
    page.locator("#check-it").click()
    verdict = page.locator(".gf-verdict.gf-good h2")
    verdict.wait_for()
    assert "unaltered since it was signed" in verdict.inner_text()


def test_a_visitor_in_line_sees_the_place(open_page: Open, slow: FakePipeline, long_wav: Path, shot: Shot) -> None:
    first, second = open_page(), open_page()
    for page in (first, second):
        upload_voice(page, long_wav)
        page.wait_for_function("document.querySelector('#talk-status').innerText.includes('is there')")
    first.locator("#go").click()
    talking(first)
    second.locator("#go").click()
    second.wait_for_function("document.querySelector('#talk-status').innerText.includes('one video is made before')")
    shot(second, "talk-second-visitor-desk")
    first.locator("#cancel").click()
    talking(second)
    second.locator("#cancel").click()


def test_a_reload_finds_the_work_again(open_page: Open, slow: FakePipeline, long_wav: Path) -> None:
    """What is made goes on; so do the takes of before, the person and the voice; and it can still be cancelled."""
    slow.delay = 0.002
    page = open_page()
    page.get_by_label("Theo").check()
    upload_voice(page, long_wav)
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('is there')")
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    slow.delay = 0.02
    page.locator("#again").click()
    talking(page)
    drawn = slow.drawn
    page.reload()
    page.wait_for_selector("#talk-status")
    talking(page)
    assert slow.drawn >= drawn
    assert page.locator("#takes button").count() == 1
    assert page.locator("#person input:checked").get_attribute("value") == "theo" and not any(persons(page))
    page.locator("#voice .audio-container").wait_for()
    assert said(page, "#talk-status", "done").startswith("Done: 8.0 s")
    assert abs(video_state(page, "#video")["duration"] - 8) < 0.1
    page.wait_for_function("document.querySelectorAll('#takes button').length === 2")
    page.locator("#again").click()
    talking(page)
    page.reload()
    page.wait_for_selector("#talk-status")
    talking(page)
    page.locator("#cancel").click()
    page.wait_for_function("document.querySelector('#talk-status').innerText.includes('Stopped')")
    time.sleep(0.5)
    drawn = slow.drawn
    time.sleep(0.5)
    assert slow.drawn == drawn


def test_the_work_of_who_leaves_is_stopped(
    open_page: Open, slow: FakePipeline, long_wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "RETURN_SECONDS", 0.2)
    page = open_page()
    upload_voice(page, long_wav)
    page.locator("#go").click()
    talking(page)
    page.close()
    deadline, drawn = time.monotonic() + 20, -1
    while slow.drawn != drawn:
        assert time.monotonic() < deadline
        drawn = slow.drawn
        time.sleep(1)
    assert drawn < 200


def test_settings_of_a_take_and_deleting_it(open_page: Open, slow: FakePipeline, long_wav: Path) -> None:
    slow.delay = 0.0
    page = open_page()
    upload_voice(page, long_wav)
    page.get_by_role("button", name="Motion").first.click()
    page.get_by_label("Still").check()
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    page.get_by_label("Natural").first.check()
    seed = slow.seeds[-1]
    page.locator("#again").click()
    page.wait_for_function("document.querySelectorAll('#takes button').length === 2")
    page.locator("#person input:not([disabled])").first.wait_for(state="attached")
    page.locator("#takes button").nth(1).click()
    page.wait_for_function(f"document.querySelector('#talk-status').innerText.includes('{seed}')")
    page.locator("#its-settings").click()
    page.get_by_text("the settings of that take").wait_for()
    assert page.get_by_label("Still").is_checked() and not page.get_by_label("New motion each time").is_checked()
    page.locator("#go").click()
    page.wait_for_function("document.querySelectorAll('#takes button').length === 3")
    assert slow.seeds[-1] == seed and slow.options.pose == "still"
    page.locator("#delete-take").click()
    page.get_by_text("The take is deleted").wait_for()
    page.wait_for_function("document.querySelectorAll('#takes button').length === 2")
    assert page.locator("#video").count() == 0


@pytest.mark.parametrize("size", ["small-phone", "phone"])
def test_a_take_on_a_phone(open_page: Open, shot: Shot, slow: FakePipeline, long_wav: Path, size: str) -> None:
    slow.delay = 0.01
    page = open_page(size, dark=size == "phone")
    page.wait_for_selector("#portrait canvas.gf-awake")
    height, width = page.viewport_size["height"], page.viewport_size["width"]
    go = page.locator("#go").bounding_box()
    assert go["y"] + go["height"] <= height
    microphone = page.locator("#voice [aria-label='Record audio']").bounding_box()
    assert min(microphone["width"], microphone["height"]) >= 44
    upload_voice(page, long_wav)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.locator("#go").click()
    talking(page)
    page.wait_for_function("document.querySelector('#screen').getBoundingClientRect().top > -1")
    shot(page, f"talk-busy-{size}-dark")
    said(page, "#talk-status", "done")
    page.locator("#takes button").wait_for()
    for part in ("#screen", "#go", "#check-it", "#takes", "#voice"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
    assert no_sideways_scrolling(page)
    shot(page, f"talk-takes-{size}")


def test_a_window_that_becomes_narrow(open_page: Open, slow: FakePipeline, tmp_path: Path, speech: np.ndarray) -> None:
    """The picture of a long voice, drawn for a wide window, does not push the rest out of a narrow one."""
    page = open_page()
    upload_voice(page, write_wave(tmp_path / "story.wav", np.tile(speech, 28)))
    page.locator("#go").click()
    talking(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('#screen').offsetWidth < 390")
    for part in ("#screen", "#voice", "#talk-status", "#plot"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, part


NAMES = """() => [...document.querySelectorAll('button')].filter((each) => each.checkVisibility()).filter((each) => {
  const label = each.ariaLabel || '', text = each.innerText.trim();
  const picture = each.querySelector('img')?.alt || '';
  return !(label || text || picture || each.title) || (label && /[\\p{L}\\d]/u.test(text) && !label.includes(text));
}).map((each) => each.outerHTML.slice(0, 200))"""


def test_buttons_have_the_names_that_they_show(open_page: Open, speech_wav: Path) -> None:
    page = open_page()
    assert page.evaluate(NAMES) == []
    upload_voice(page, speech_wav)
    page.locator("#go").click()
    said(page, "#talk-status", "done")
    page.wait_for_function(f"({NAMES})().length === 0")
    page.get_by_role("tab", name="Look closer").click()
    page.locator("#head button").first.wait_for(state="attached")
    page.wait_for_function(f"({NAMES})().length === 0")
    levels = page.locator("h1, h2, h3").evaluate_all(
        "all => all.filter((each) => each.checkVisibility()).map((each) => +each.tagName[1])"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
