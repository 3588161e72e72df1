import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from pages import run_async
from PIL import Image

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.ui.live import Waiting
from geneface.ui.portrait import PAD, PITCHES, YAWS, turns_html
from geneface.ui.recording import check_speech, limits, video_stem
from geneface.ui.studio import Finished, Studio

NOISE = np.random.default_rng(0).standard_normal(64000).astype(np.float32)
SECONDS = np.arange(64000) / 16000
MUTE = {
    "silence": 0 * NOISE,
    "noise": 0.05 * NOISE,
    "faint noise": 0.002 * NOISE,
    "hum of the mains": 0.1 * np.sin(2 * np.pi * 50 * SECONDS).astype(np.float32),
    "a click": np.where(np.arange(64000) == 32000, np.float32(1), np.float32(0)),
    "next to nothing": 0.1 * NOISE[:800],
}


@pytest.mark.parametrize("kind", MUTE)
def test_nobody_speaks(kind: str) -> None:
    with open_audio(MUTE[kind], 16000) as source, pytest.raises(InputError, match="no speech is heard"):
        check_speech(source)


@pytest.mark.parametrize("loudness", [1.0, 0.01])
def test_somebody_speaks(speech: np.ndarray, loudness: float) -> None:
    late = np.concatenate([np.zeros(12 * 16000, np.float32), loudness * speech])
    with open_audio(late, 16000) as source:
        check_speech(source)


def test_limits_in_words() -> None:
    assert limits(600) == "Up to 10 min of speech: a sound file, or a video with sound."
    assert limits(9).startswith("Up to 9 s of")


def test_names_tell_takes_apart() -> None:
    assert video_stem("vera", "/tmp/gradio/abc/good_morning.ogg", 7) == "vera-good_morning-7"
    assert video_stem("alice/tiny", "../../Ein Gruß: 2!.wav", 7) == "alice-tiny-Ein-Gruß-2-7"
    assert len(video_stem("vera", "x" * 300, 2**31)) < 100


def test_places_in_the_line() -> None:
    """In the order of coming; whoever leaves makes room."""

    async def visit(studio: Studio, name: str, told: dict[str, list[Any]], gate: asyncio.Event | None = None) -> None:
        steps: AsyncIterator[Any] = studio.work(lambda tell, stop, folder: name)
        async for step in steps:
            told.setdefault(name, []).append(step)
            if gate is not None:
                await gate.wait()

    async def until(true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.01)

    async def day() -> dict[str, list[Any]]:
        studio, told, gate = Studio(lambda _: FakePipeline()), {}, asyncio.Event()
        first = asyncio.create_task(visit(studio, "first", told, gate))
        await until(lambda: "first" in told)
        others = []
        for place, name in enumerate(("second", "third", "fourth"), 1):
            others.append(asyncio.create_task(visit(studio, name, told)))
            await until(lambda place=place, name=name: Waiting(place) in told.get(name, []))
        others[0].cancel()
        await until(lambda: Waiting(1) in told["third"] and Waiting(2) in told["fourth"])
        gate.set()
        await asyncio.gather(first, *others, return_exceptions=True)
        return told

    told = run_async(day())
    assert told["first"] == [Finished("first")]
    assert told["second"] == [Waiting(1)]
    assert told["third"] == [Waiting(2), Waiting(1), Finished("third")]
    assert told["fourth"][:2] == [Waiting(3), Waiting(2)] and told["fourth"][-1] == Finished("fourth")


def test_turned_heads_do_not_bleed_into_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweater in blue must not be seen above the next head."""
    side, count = 48, 2 * len(YAWS) * len(PITCHES)
    heads = np.full((count // 2, side, side, 3), 200, np.uint8)
    heads[:, side // 2 :] = (20, 40, 200)
    monkeypatch.setattr("geneface.ui.portrait.turned_heads", lambda *_, **__: heads)
    html = turns_html(Studio(lambda _: FakePipeline()), None, "vera")
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(html.split("base64,")[1].split('"')[0]))).convert("RGB"))
    tile = side + 2 * PAD
    assert f'data-pad="{PAD}"' in html and sheet.shape == (6 * tile, 7 * tile, 3)
    for row in range(6):
        top = sheet[row * tile + PAD, PAD : PAD + side].astype(int)
        assert np.abs(top - 200).max() < 6, row
