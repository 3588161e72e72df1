"""kill -9 at a seeded moment of each command, what it leaves, and whether the next run ends as an undisturbed one.

Each undertaking is done once undisturbed, then again and again with a kill. After each kill there must be nothing
half-made under the name asked for; after the run that follows, the same as undisturbed, and no hidden files.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.campaign.undertakings import Generate, Overwrite, Preprocess, Pull, Push, Train, Undertaking

PATIENCE = 900.0


@dataclass
class Kills:
    """What came of the kills of one command."""

    name: str
    tries: int = 0
    killed: int = 0
    """The others had ended by themselves."""
    equal: int = 0
    """Undertakings that went on, and ended as the undisturbed one."""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """Of the undisturbed run, from when it matters."""

    def row(self) -> str:
        return (
            f"| {self.name} | {self.tries} | {self.killed} | {self.equal} | {len(self.wrong)} | {self.seconds:.0f} s |"
        )


def run(kind: Callable[[Path], Undertaking], name: str, seed: int, tries: int, seconds: float) -> Kills:
    """As many kills as asked for, or as many as fit into `seconds`; at least one."""
    figures, end = Kills(name), time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        work = kind(Path(folder))
        try:
            whole = Path(folder) / "whole"
            whole.mkdir()
            process = work.start(whole)
            work.wait_until_it_matters(process, whole)
            begun = time.monotonic()
            code, words = _finish(process)
            figures.seconds = time.monotonic() - begun
            if code:
                raise RuntimeError(f"{name} fails undisturbed: {words[-1000:]}")
            wanted = work.result(whole)
            for number in range(tries):
                if number and time.monotonic() > end:
                    break
                _attempt(work, Path(folder) / str(number), Random(f"{seed} {name} {number}"), figures, wanted)
        finally:
            work.close()
    return figures


def _attempt(work: Undertaking, place: Path, random: Random, figures: Kills, wanted: Any) -> None:
    place.mkdir()
    figures.tries += 1
    before = len(figures.wrong)
    for _ in range(random.choice((1, 1, 2, 3)) if work.goes_on else 1):
        if work.done(place):
            break
        process = work.start(place)
        work.wait_until_it_matters(process, place)
        time.sleep(random.uniform(0, work.window or figures.seconds))
        process.kill()
        figures.killed += process.wait() < 0
        process.communicate()
        if half := work.half_made(place):
            figures.wrong.append(f"{place.name}: after the kill {half}")
    code, words = (0, "") if work.done(place) else _finish(work.start(place))
    if code:
        figures.wrong.append(f"{place.name}: the next run ends with {code}: {words.strip()[-300:]}")
    elif work.result(place) != wanted:
        figures.wrong.append(f"{place.name}: the next run ends otherwise than the undisturbed one")
    elif left := work.leftovers(place):
        figures.wrong.append(f"{place.name}: {left} is left")
    figures.equal += len(figures.wrong) == before


def _finish(process: subprocess.Popen) -> tuple[int, str]:
    words = process.communicate(timeout=PATIENCE)[0]
    return process.returncode, words


def _of(kind: Callable[[Path], Undertaking], name: str) -> Callable[[int, int, float], Kills]:
    return lambda seed, tries, seconds: run(kind, name, seed, tries, seconds)


KILLS: dict[str, Callable[[int, int, float], Kills]] = {
    "generate": _of(Generate, "generate"),
    "overwrite": _of(Overwrite, "overwrite"),
    "pull": _of(Pull, "pull"),
    "push": _of(Push, "push"),
    "preprocess": _of(Preprocess, "preprocess"),
    "train": _of(Train, "train"),
}
