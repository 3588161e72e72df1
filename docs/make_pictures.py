"""The README's pictures, made by GeneFace itself: `python -m docs.make_pictures [NAME ...]`, from the project's root.

`sheet` needs what training needs (mediapipe, ai-edge-litert, the three models), `page` Playwright and Chromium.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from geneface.hub.persons import find_person
from geneface.media.mark import Mark
from geneface.motion.face_motion import FaceMotion
from geneface.options import TRANSPARENT
from geneface.pipelines.generate import generate_video
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.utils.units import FPS

ROOT = Path(__file__).resolve().parent.parent
HERE, SPEECH = ROOT / "docs", ROOT / "examples" / "audio" / "welcome.mp3"
SEED = 7
TALKING = range(5, 80, 2)
ROW = ((14, None), (34, None), (43, None), (110, "#f4b942"), (152, "#2f8f83"), (180, TRANSPARENT))
"""Frames of the sentence, and what is behind them."""
CHECKS = np.kron([[1, 0], [0, 1]], np.ones((16, 16))) * 40 + 200
"""What stands for nothing, as in picture editors."""
POSE = """
const video = document.querySelector('#video video');
video.pause();
video.currentTime = 0.64;
document.querySelector('#talk-status').style.display = 'none';
scrollTo(0, 0);
"""
"""In the middle of a word; without the line that tells how long it took, which depends on the machine."""


def frame(pipe: GeneFacePipeline, motion: FaceMotion, index: int, background: Any, side: int) -> Image.Image:
    """One frame of the sentence, with its mark, `side` pixels wide."""
    picture = pipe.render(motion[index - 1 : index + 2], background=background).frames[1]
    if background == TRANSPARENT:
        height, width = picture.shape[:2]
        checks = np.tile(CHECKS, (height // 32, width // 32))[..., None]
        opacity = picture[..., 3:] / 255
        picture = np.round(picture[..., :3] * opacity + checks * (1 - opacity)).astype(np.uint8)
    picture = picture[None].copy()
    Mark(*picture.shape[2:0:-1]).draw(picture)
    return Image.fromarray(picture[0]).resize((side, side), Image.Resampling.LANCZOS)


def sentence(pipe: GeneFacePipeline) -> FaceMotion:
    return FaceMotion.join(list(pipe.motion(SPEECH, seed=SEED)))


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def talking(pipe: GeneFacePipeline) -> None:
    """The first seconds of both embedded persons, as a moving picture without sound."""
    pair = [(shown, sentence(shown)) for shown in (pipe, GeneFacePipeline.from_pretrained(find_person("theo")))]
    first, *others = (beside(*(frame(shown, motion, index, None, 320) for shown, motion in pair)) for index in TALKING)
    duration = 1000 * TALKING.step // FPS
    first.save(
        HERE / "talking.webp", save_all=True, append_images=others, duration=duration, loop=0, quality=60, method=6
    )


def row(pipe: GeneFacePipeline) -> None:
    """Frames side by side, with several backgrounds."""
    motion, side = sentence(pipe), 200
    strip = Image.new("RGB", (side * len(ROW), side))
    for place, (index, background) in enumerate(ROW):
        strip.paste(frame(pipe, motion, index, background, side), (side * place, 0))
    strip.save(HERE / "row.webp", quality=82, method=6)


def page(pipe: GeneFacePipeline) -> None:
    """The Talk tab in a browser, after it made a video."""
    from playwright.sync_api import sync_playwright

    from geneface.ui.demo import build_demo, find_examples, find_persons, launch_options
    from geneface.ui.jobs import TrainingJobs
    from geneface.ui.persons import Persons

    demo = build_demo(pipe, Persons(find_persons(), hub=True), find_examples(), jobs=TrainingJobs(Path("persons")))
    demo.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 1000})
        tab.goto(demo.local_url)
        tab.get_by_text("Welcome", exact=True).click()
        tab.locator("#go").click()
        tab.wait_for_selector("#talk-status .gf-done", timeout=300_000)
        tab.wait_for_function("document.querySelector('#video video').currentTime > 0.1", timeout=60_000)
        tab.evaluate(POSE)
        tab.wait_for_timeout(1500)
        tab.screenshot(path="page.png")
        browser.close()
    demo.close()
    Image.open("page.png").convert("RGB").save(HERE / "page.webp", quality=80, method=6)


def sheet(pipe: GeneFacePipeline) -> None:
    """The contact sheet of a video to train from."""
    from geneface.preprocessing.preprocess import preprocess

    video = generate_video(pipe, SPEECH, "vera.mp4", seed=SEED, mark=False).path
    with Image.open(preprocess(video, Path("dataset")) / "contact_sheet.png") as picture:
        picture = picture.convert("RGB")
        picture = picture.resize((1000, round(1000 * picture.height / picture.width)), Image.Resampling.LANCZOS)
        picture.save(HERE / "contact_sheet.webp", quality=75, method=6)


PICTURES = {picture.__name__: picture for picture in (talking, row, page, sheet)}


def main() -> None:
    pipe = GeneFacePipeline.from_pretrained(find_person(None), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in sys.argv[1:] or PICTURES:
            PICTURES[name](pipe)


if __name__ == "__main__":
    main()
