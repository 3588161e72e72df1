"""Starting a page, what to put into it, and what is seen of it in a browser."""

import asyncio
import wave
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from geneface.ui.demo import build_demo, launch_options

T = TypeVar("T")


def start_page(load: Any, persons: Any, examples: Any = None, auth: Any = None, **options: Any) -> Any:
    """A served page, to be closed; its address is `local_url`."""
    demo = build_demo(load, persons, examples or {}, **options)
    demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", auth=auth, **launch_options())
    return demo


def write_wave(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def upload(page: Any, where: str, file: Path) -> None:
    page.locator(f"{where} input[type=file]").first.set_input_files(str(file))


def upload_voice(page: Any, file: Path, where: str = "#voice") -> None:
    upload(page, where, file)
    page.wait_for_selector(f"{where} .audio-container, {where} [data-testid=waveform-controls]")


def said(page: Any, where: str, kind: str) -> str:
    """The status line, once it is of a kind."""
    line = page.locator(f"{where} .gf-{kind}")
    line.wait_for()
    return line.inner_text()


def video_state(page: Any, where: str) -> dict[str, Any]:
    page.wait_for_function(f"(document.querySelector('{where} video') || {{}}).readyState >= 2")
    return page.evaluate(
        f"(() => {{ const v = document.querySelector('{where} video');"
        "return {duration: v.duration, paused: v.paused, time: v.currentTime, width: v.videoWidth}; })()"
    )


def no_sideways_scrolling(page: Any) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives, run in a thread of its own: a browser in this one has an event loop that runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
