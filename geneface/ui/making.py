"""A piece of work that goes on whoever watches it: a visitor who loads the page anew finds it again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import TypeVar

T = TypeVar("T")


class Making:
    """Runs through `steps` and tells them from the beginning to everybody who follows.

    Args:
        steps: Leaving them must stop the work.
        asked: What was asked for, for whoever comes back to it.
    """

    def __init__(self, steps: AsyncGenerator[object], asked: tuple[object, ...]) -> None:
        self.asked = asked
        self.error: Exception | None = None
        self._told: list[object] = []
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.stopped = False
        self._task = asyncio.ensure_future(self._run(steps))

    @property
    def over(self) -> bool:
        """Whether it is done, has failed, or was asked to stop."""
        return self.stopped or self._task.done()

    async def _run(self, steps: AsyncGenerator[object]) -> None:
        try:
            async with aclosing(steps):
                async for step in steps:
                    self._tell(step)
        except Exception as error:
            self.error = error
        finally:
            self._tell(None)

    def _tell(self, step: object) -> None:
        self._told.append(step)
        more, self._more = self._more, asyncio.Event()
        more.set()

    async def follow(self) -> AsyncGenerator[object]:
        """All steps, those of the past, too; raises what ended the work, and just ends if it was stopped."""
        seen = 0
        while True:
            more = self._more
            while seen < len(self._told):
                step, seen = self._told[seen], seen + 1
                if step is None:
                    if self.error:
                        raise self.error
                    return
                yield step
            await more.wait()

    def stop(self) -> None:
        """Ask it to stop; from any thread."""
        self.stopped = True
        with suppress(RuntimeError):  # The server has ended, and the work with it.
            self._loop.call_soon_threadsafe(self._task.cancel)


async def with_pulse(steps: AsyncGenerator[T], seconds: float = 1.0) -> AsyncGenerator[T | None]:
    """The same steps, and None whenever so many seconds have passed without one."""
    following: asyncio.Future[T] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(steps))
            done, _ = await asyncio.wait({following}, timeout=seconds)
            if not done:
                yield None
                continue
            try:
                step = following.result()
            except StopAsyncIteration:
                return
            finally:
                following = None
            yield step
    finally:
        if following is not None:
            following.cancel()
            await asyncio.wait({following})
