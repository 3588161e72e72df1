"""What belongs to a visitor, and when it goes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pages import run_async

from geneface.ui import visits as module
from geneface.ui.making import Making
from geneface.ui.visits import Visits

KEY, OTHER = "0" * 32, "1" * 32


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETURN_SECONDS", 0.2)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_files_go_with_their_last_user(tmp_path: Path) -> None:
    mine, shared = tmp_path / "mine.wav", tmp_path / "shared.wav"
    mine.touch()
    shared.touch()
    visits = Visits()
    visits.remember("a", str(mine), None)
    visits.remember("a", str(shared))
    visits.remember("b", str(shared))
    visits.leave("a")
    assert mine.exists()
    until(lambda: not mine.exists())
    assert shared.exists()
    visits.leave("b")
    visits.leave("c")
    until(lambda: not shared.exists())


def test_a_page_loaded_anew_is_the_same_visit(tmp_path: Path) -> None:
    mine = tmp_path / "mine.wav"
    mine.touch()
    visits = Visits()
    visits.remember("a", str(mine))  # It came before the key.
    visit = visits.enter(KEY, "a")
    assert visit.files == {mine} and visits.of("a") is visit
    visits.leave("a")
    assert visits.enter(KEY, "b") is visit and visits.of("b") is visit
    assert visits.enter(OTHER, "c") is not visit
    time.sleep(0.4)
    assert mine.exists()
    visits.leave("b")
    until(lambda: not mine.exists())
    assert visits.enter(KEY, "d") is not visit


def test_files_of_a_long_visit_stay_young(tmp_path: Path) -> None:
    """Gradio deletes files by the time of their last change."""
    mine = tmp_path / "mine.wav"
    mine.touch()
    before = mine.stat().st_ctime_ns
    visits = Visits()
    visits.remember("a", str(mine), str(tmp_path / "gone.wav"))
    time.sleep(0.05)
    visits.of("a").stay()
    assert mine.stat().st_ctime_ns > before


@pytest.mark.parametrize("key", ["", "x", "../" + KEY, KEY + "\n", None])
def test_a_key_that_could_be_guessed_opens_nothing(key: Any) -> None:
    visits = Visits()
    assert visits.enter(key, "a") is not visits.enter(key, "b")


async def counting(ended: list[str]) -> AsyncIterator[int]:
    try:
        for number in range(5):
            yield number
            await asyncio.sleep(0.02)
    finally:
        ended.append("ended")


def test_whoever_follows_is_told_everything() -> None:
    async def watched() -> None:
        making = Making(counting([]), ("asked",))
        first = [step async for step in making.follow()]
        assert first == [step async for step in making.follow()] == list(range(5))
        assert making.over and making.asked == ("asked",)

    run_async(watched())


def test_it_goes_on_until_it_is_stopped() -> None:
    async def watched() -> None:
        ended: list[str] = []
        making = Making(counting(ended), ())
        async for step in making.follow():
            if step == 1:
                break  # Nobody watches any more.
        await asyncio.sleep(0.03)
        assert not making.over and not ended
        making.stop()
        assert making.over
        assert len([step async for step in making.follow()]) < 5
        assert ended == ["ended"]

    run_async(watched())


def test_errors_reach_whoever_follows() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ValueError("no")

    async def watched() -> None:
        making = Making(failing(), ())
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                assert [step async for step in making.follow()]

    run_async(watched())


def test_the_work_of_who_left_is_stopped() -> None:
    async def watched() -> None:
        visits = Visits()
        ended: list[str] = []
        visit = visits.enter(KEY, "a")
        visit.making = Making(forever(ended), ())
        await asyncio.sleep(0.05)
        visits.leave("a")
        assert visit.busy
        for _ in range(100):
            await asyncio.sleep(0.02)
        assert ended == ["ended"] and not visit.busy

    async def forever(ended: list[str]) -> AsyncIterator[int]:
        try:
            while True:
                yield 0
                await asyncio.sleep(0.02)
        finally:
            ended.append("ended")

    run_async(watched())
