"""What runs behind the page: pipelines kept loaded, one generation at a time, off the server's event loop."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geneface.generate import GeneratedVideo, Interrupted, generate_video
from geneface.media.audio import open_audio

REPORTS_PER_SECOND = 5

Load = Callable[[str], Any]
Report = Callable[[tuple[int, int] | float, str], None]


class Studio:
    """Loads persons at first use and makes videos with them.

    Args:
        load: from a person's name to a `GeneFacePipeline`.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._pipes: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="geneface-")

    async def make(
        self, person: str, audio: str, *, seed: int | None, report: Report, **options: Any
    ) -> GeneratedVideo:
        """Make a video; cancelling the task stops within a few frames.

        The file lives until the next call, by when the server has copied it into its own cache.
        """
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._make, person, audio, seed, report, stop, options))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.gather(work, return_exceptions=True)
            raise

    def _make(
        self, person: str, audio: str, seed: int | None, report: Report, stop: threading.Event, options: dict[str, Any]
    ) -> GeneratedVideo:
        with self._lock, open_audio(audio) as source:
            for old in Path(self._folder.name).iterdir():
                old.unlink()
            if person not in self._pipes:
                report(0.0, f"Waking up {display_name(person)}")
                self._pipes[person] = self._load(person)
                self._pipes[person].set_progress_bar_config(disable=True)
            if stop.is_set():
                raise Interrupted
            report(0.0, "Listening")
            return generate_video(
                self._pipes[person],
                source,
                Path(self._folder.name) / f"geneface-{person.replace('/', '-')}.mp4",
                seed=seed,
                on_frame=_Countdown(report),
                should_stop=stop.is_set,
                **options,
            )


class _Countdown:
    """Turns frame counts into "12 s left", a few times a second."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.first: tuple[float, int] | None = None
        self.latest = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = (now, done)
        if now - self.latest < 1 / REPORTS_PER_SECOND and done < total:
            return
        self.latest = now
        start, before = self.first
        text = "Speaking"
        if done > before and now - start > 1:
            text = f"Speaking, {_duration((now - start) / (done - before) * (total - done))} left"
        self.report((done, total), text)


def _duration(seconds: float) -> str:
    whole = max(round(seconds), 1)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def display_name(name: str) -> str:
    """`anna_maria` -> `Anna Maria`."""
    return name.replace("_", " ").replace("-", " ").title()
