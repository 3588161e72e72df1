"""How the training of a person is getting on: `status.json` and `preview.png` in its work folder, lines in words."""

import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from geneface.training.loop import Watch

STATUS, PREVIEW = "status.json", "preview.png"
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
FITTING = "fitting the face model"
DETAILS = {"renderer": "learning the look", "post_net": "learning the motion"}

T = TypeVar("T")


def in_words(seconds: float) -> str:
    """About how long: "about 2 h 10 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60 // 5 * 5} min"


class Progress(Watch):
    """Writes the status every few seconds, from a thread of its own, and prints a line now and then.

    A context manager. Asked to stop by `stop`, it lets a training finish its step and keep it; anything else is
    interrupted at once.
    """

    def __init__(self, folder: Path, *, post_net: tuple[float, float], on_cpu: bool):
        """`post_net`: seconds before its first step, and time of its training beside that of the renderer's."""
        self.folder, self.post_net, self.on_cpu = folder, post_net, on_cpu
        self.status: dict[str, Any] = {
            "stage": "preprocess",
            "detail": "",
            "step": 0,
            "steps": 0,
            "seconds_left": None,
            "figures": {},
            "warnings": [],
        }
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._training = self._told = False
        self._started = self._left_at_start = self._line = 0.0
        self._preview_at, self._preview_cost = time.monotonic(), 0.0

    def __enter__(self) -> "Progress":
        self.write()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT):
            self.write()

    def write(self, **changes: Any) -> None:
        """Change entries of the status, and replace the file."""
        with self._lock:
            self.status.update(changes, updated=time.time())
            partial = self.folder / f".{STATUS}"
            partial.write_text(json.dumps(self.status, indent=2) + "\n", encoding="utf-8")
            os.replace(partial, self.folder / STATUS)

    def say(self, words: str) -> None:
        print(words, flush=True)
        self._line = time.monotonic()

    def begin(self, stage: str, detail: str, steps: int = 0) -> None:
        """Another stage begins, or another part of one."""
        self._training = False
        self.write(stage=stage, detail=detail, step=0, steps=steps)
        of_frames = f", {steps} frames" if stage == "preprocess" and steps else ""
        self.say(f"{stage.replace('_', '-')}: {detail}{of_frames}")

    def stop(self) -> None:
        """Stop after this step of a training, or at once."""
        if not self._training or self.stopping or int(os.environ.get("WORLD_SIZE", 1)) > 1:
            raise KeyboardInterrupt
        self.stopping = True

    # Preprocessing

    def each(self, items: Iterable[T], name: str, length: int | None) -> Iterator[T]:
        """Goes through the items of a step of `data.preprocess`."""
        self.begin("preprocess", name, length or 0)
        for number, item in enumerate(items):
            yield item
            with self._lock:
                self.status["step"] = number + 1
        if name == "parsing":
            self.begin("preprocess", FITTING)

    # Training

    def stepped(self, done: int, steps: int, left: float, whole: float) -> None:
        now = time.monotonic()
        if not self._training:  # The first step is slow, and says nothing of the others.
            self._training, self._started, self._left_at_start = True, now, left
        elapsed, seconds_left = now - self._started, self.status["seconds_left"]
        if (elapsed > KNOWN_AFTER or done == steps) and left < self._left_at_start:
            seconds = elapsed / (self._left_at_start - left)
            seconds_left = seconds * left
            if self.status["stage"] == "renderer":
                seconds_left += self.post_net[0] + self.post_net[1] * seconds * whole
        with self._lock:
            self.status.update(detail=DETAILS[self.status["stage"]], step=done, steps=steps, seconds_left=seconds_left)
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
            return f"{in_words(seconds)} left on this machine"
        return f"{in_words(seconds)} left on this machine, which has no GPU in use; a GPU needs some minutes"

    def _progress(self, seconds_left: float | None) -> str:
        stage, step, steps = (self.status[name] for name in ("stage", "step", "steps"))
        words = [f"{stage.replace('_', '-')}: step {step} of {steps}"]
        if stage == "renderer" and (figures := self.status["figures"].get("dev")):
            words.append(f"{figures['head']:.1f} dB head, {figures['mouth']:.1f} dB mouth")
        if seconds_left is not None:
            words.append(f"{in_words(seconds_left)} left")
        return ", ".join(words)

    def preview_due(self, done: int, steps: int) -> Path | None:
        if done < steps and time.monotonic() < self._preview_at + PREVIEW_EVERY + self._preview_cost / PREVIEW_SHARE:
            return None
        self._preview_at = time.monotonic()
        return self.folder / f".{PREVIEW}"

    def previewed(self, figures: dict[str, Any]) -> None:
        os.replace(self.folder / f".{PREVIEW}", self.folder / PREVIEW)
        self._preview_cost, self._preview_at = time.monotonic() - self._preview_at, time.monotonic()
        self.write(figures=figures)
