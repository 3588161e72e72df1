"""Runs the tries of a subject in a process of their own, so that a crash, a hang or a memory hog is a result."""

import json
import multiprocessing
import resource
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from tests.campaign.subjects import SUBJECTS, outcome

PATIENCE, START = 60.0, 180.0
"""Seconds for one try on a busy machine, and for the imports before the first."""
MEMORY = 6 * 2**30
"""Bytes that a process may allocate; the tiny person takes less than one."""


@dataclass
class Figures:
    """What came of the tries of one subject."""

    subject: str
    tries: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    """Number of the try, and what happened."""
    slowest: float = 0.0
    peak: int = 0
    """MB of the process."""

    def row(self) -> str:
        taken, refused = self.counts["taken"], self.counts["refused"]
        return (
            f"| {self.subject}, damaged | {self.tries} | {taken} | {refused} | {len(self.wrong)} | "
            f"{self.slowest:.1f} s | {self.peak} MB |"
        )


def random_of(seed: int, subject: str, number: int) -> Random:
    return Random(f"{seed} {subject} {number}")


def again(subject: str, seed: int, number: int) -> None:
    """One try, here, with its traceback."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            SUBJECTS[subject](Path(folder)).attempt(random_of(seed, subject, number))
            print("taken")
        except Exception:
            traceback.print_exc()


def run(subject: str, seed: int, tries: int, seconds: float = float("inf")) -> Figures:
    """As many tries, or as many as fit into `seconds`; at least one."""
    figures, number, end = Figures(subject), 0, time.monotonic() + seconds
    context = multiprocessing.get_context("spawn")
    while number < tries and (number == 0 or time.monotonic() < end):
        ours, theirs = context.Pipe()
        child = context.Process(target=_child, args=(theirs, subject, seed, number, tries), daemon=True)
        child.start()
        theirs.close()
        patience, ready = START, False
        try:
            while number < tries and (figures.tries == 0 or time.monotonic() < end):
                if not ours.poll(patience):
                    raise TimeoutError
                told = json.loads(ours.recv())
                patience, ready = PATIENCE, True
                if told["number"] < 0:  # It is ready.
                    continue
                _count(figures, told["number"], told["outcome"])
                figures.slowest = max(figures.slowest, told["seconds"])
                figures.peak = max(figures.peak, told["peak"])
                number = told["number"] + 1
        except TimeoutError:
            _count(figures, number, f"wrong: nothing after {patience:.0f} s")
            number += 1
        except EOFError:
            child.join(5)
            if not ready:
                raise RuntimeError(f"{subject} cannot be prepared; the reason stands above") from None
            _count(figures, number, f"wrong: the process died ({child.exitcode})")
            number += 1
        finally:
            ours.close()
            child.kill()
            child.join()
    return figures


def _count(figures: Figures, number: int, found: str) -> None:
    figures.tries += 1
    figures.counts[found.split(":")[0]] += 1
    if found.startswith("wrong"):
        figures.wrong.append((number, found))


def _child(pipe: Connection, subject: str, seed: int, first: int, tries: int) -> None:
    import os

    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder  # Its own signing certificate.
        made = SUBJECTS[subject](Path(folder))
        # Data, not addresses: those of PyTorch's libraries alone are more.
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        pipe.send(json.dumps({"number": -1}))
        for number in range(first, tries):
            begun = time.monotonic()
            found = outcome(made, random_of(seed, subject, number))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            told = {"number": number, "outcome": found, "seconds": time.monotonic() - begun, "peak": peak}
            pipe.send(json.dumps(told))
