"""Tells how the training of a person is getting on: the status and the preview in its folder, lines in words."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from geneface.preprocessing.progress import StepProgress
from geneface.training.loop import Watch
from geneface.training.run import Outcome, Stage, TrainingFolder, TrainingStatus
from geneface.utils.stopping import Stopped
from geneface.utils.words import about

logger = logging.getLogger(__name__)

HEARTBEAT = 2.0
"""Seconds between two writings of the status while nothing happens."""
LINE_EVERY = 20.0
"""Seconds between two lines."""
PREVIEW_EVERY, PREVIEW_SHARE = 15.0, 0.05
"""Seconds between two previews at least, and the share of the time that they may take."""
KNOWN_AFTER = 10.0
"""Seconds of training after which the time left can be said."""
LONG = 600.0
"""Seconds of training from which a GPU is recommended."""
PART_WORK = (3, 8, 7, 1, 60, 100, 4, 4, 3)
"""Time of each part of preprocessing beside the others, as measured on a video of 20 s on two cores."""
DETAILS = {Stage.RENDERER: "learning the look", Stage.POST_NET: "learning the motion"}

T = TypeVar("T")


class Progress(Watch, StepProgress):
    """Writes the status every few seconds, from a thread of its own, and prints a line now and then.

    A context manager, which writes down how its block ended, too. Asked to stop by `interrupt`, it lets a training
    finish its step and keep it; anything else is interrupted at once.
    """

    def __init__(self, folder: TrainingFolder, *, post_net: tuple[float, float] = (0.0, 0.0), on_cpu: bool = False):
        """`post_net`: seconds before its first step, and time of its training beside that of the renderer's."""
        super().__init__()
        self.folder, self.post_net, self.on_cpu = folder, post_net, on_cpu
        self.status = TrainingStatus()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._training = self._told = False
        self._started = self._left_at_start = self._line = 0.0
        self._parts_began, self._parts_before = time.monotonic(), -1
        self._preview_at, self._preview_cost = time.monotonic(), 0.0

    def __enter__(self) -> Self:
        self.write()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if isinstance(error, (Stopped, KeyboardInterrupt)):
            self.write(outcome=Outcome.STOPPED, detail="stopped")
        elif error:
            self.status.fail(error)
            self.write()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT):
            self.write()

    def write(self, **changes: Any) -> None:
        """Change entries of the status, and replace the file."""
        with self._lock:
            self.status = replace(self.status, **changes)
            self.status.save(self.folder.status)

    def say(self, words: str) -> None:
        logger.info(words)
        self._line = time.monotonic()

    def begin(self, stage: Stage, detail: str, steps: int = 0) -> None:
        """Another stage begins, or another part of one."""
        self._training = False
        self.write(stage=stage, detail=detail, step=0, steps=steps)
        of_frames = f", {steps} frames" if stage is Stage.PREPROCESS and steps else ""
        self.say(f"{stage.replace('_', '-')}: {detail}{of_frames}")

    def interrupt(self) -> None:
        """Stop after this step of a training, or at once."""
        if not self._training or self.stop.stopped or int(os.environ.get("WORLD_SIZE", 1)) > 1:
            raise Stopped
        self.stop.stop()

    # Preprocessing

    def part(self, title: str, done: int, parts: int) -> None:
        if self._parts_before < 0:
            self._parts_began, self._parts_before = time.monotonic(), done
        self.status = replace(self.status, part=title, parts_done=done, parts=parts)
        self.status.seconds_left = self._preparing_left()
        self.begin(Stage.PREPROCESS, title)

    def _preparing_left(self) -> float | None:
        """Seconds, from how long the parts so far took; None while that says little."""
        status, taken = self.status, time.monotonic() - self._parts_began
        if taken < KNOWN_AFTER or status.parts != len(PART_WORK):
            return None
        within = min(status.step / status.steps, 0.9) if status.steps else 0.0
        done = sum(PART_WORK[: status.parts_done]) + within * PART_WORK[status.parts_done]
        since = done - sum(PART_WORK[: self._parts_before])
        return taken * (sum(PART_WORK) - done) / since if since else None

    def each(self, items: Iterable[T], name: str, length: int | None) -> Iterator[T]:
        """Goes through the items of a step of `preprocessing.preprocess`."""
        self.begin(Stage.PREPROCESS, name, length or 0)
        for number, item in enumerate(items):
            yield item
            with self._lock:
                self.status.step = number + 1
                self.status.seconds_left = self._preparing_left()

    # Training

    def stepped(self, done: int, steps: int, left: float, whole: float) -> None:
        now = time.monotonic()
        if not self._training:  # The first step is slow, and says nothing of the others.
            self._training, self._started, self._left_at_start = True, now, left
        elapsed, seconds_left = now - self._started, self.status.seconds_left
        if (elapsed > KNOWN_AFTER or done == steps) and left < self._left_at_start:
            seconds = elapsed / (self._left_at_start - left)
            seconds_left = seconds * left
            if self.status.stage is Stage.RENDERER:
                seconds_left += self.post_net[0] + self.post_net[1] * seconds * whole
        with self._lock:
            detail = DETAILS[self.status.stage]
            self.status = replace(self.status, detail=detail, step=done, steps=steps, seconds_left=seconds_left)
        if done == steps:
            self._training = False
            self.write(detail="measuring what was learned")
        elif seconds_left is not None and not self._told:
            self._told = True
            self.say(self._forecast(seconds_left))
        elif now - self._line > LINE_EVERY:
            self.say(self._progress(seconds_left))

    def _forecast(self, seconds: float) -> str:
        if not self.on_cpu or seconds < LONG:
            return f"{about(seconds)} left on this machine"
        return f"{about(seconds)} left on this machine, which has no GPU in use; a GPU needs some minutes"

    def _progress(self, seconds_left: float | None) -> str:
        status = self.status
        words = [f"{status.stage.replace('_', '-')}: step {status.step} of {status.steps}"]
        if status.stage is Stage.RENDERER and (figures := status.figures.get("dev")):
            words.append(f"{figures['head']:.1f} dB head, {figures['mouth']:.1f} dB mouth")
        if seconds_left is not None:
            words.append(f"{about(seconds_left)} left")
        return ", ".join(words)

    def preview_due(self, done: int, steps: int) -> Path | None:
        if done < steps and time.monotonic() < self._preview_at + PREVIEW_EVERY + self._preview_cost / PREVIEW_SHARE:
            return None
        self._preview_at = time.monotonic()
        return self._picture

    @property
    def _picture(self) -> Path:
        return self.folder.preview.with_name(f".{self.folder.preview.name}")

    def previewed(self, figures: dict[str, dict[str, float]]) -> None:
        os.replace(self._picture, self.folder.preview)
        self._preview_cost, self._preview_at = time.monotonic() - self._preview_at, time.monotonic()
        self.write(figures=figures)


@contextmanager
def stopping_well(progress: Progress) -> Iterator[None]:
    """Stop well on SIGINT and SIGTERM; only a main thread can be told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, lambda *_: progress.interrupt()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
