"""Trainings behind the page: `geneface preprocess` and `geneface train` as a process, and what the disk says of them.

All that is known of a training lies in its work folder beside the person to be, so that another page, or the server
after a restart, finds it again.
"""

import atexit
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geneface.bundles.card import read_card
from geneface.errors import InputError
from geneface.hub.persons import list_persons
from geneface.training.run import Outcome, Stage, TrainingFolder, TrainingStatus
from geneface.ui.job_process import BUSY, JobProcess, Runs
from geneface.ui.job_status import JobStatus, State, check_video, folder_name
from geneface.utils.files import Record, read_json
from geneface.utils.words import sentence

COMMAND = (sys.executable, "-m", "geneface")
KILLED = -9
"""The exit code of a process that was killed."""
PATIENCE = 30.0
"""Seconds that a process has to end by itself."""


@dataclass
class Request(Record):
    """What a visitor asked for, kept in the work folder."""

    name: str
    consent: str
    video: str
    """Its name in the work folder."""
    task: str = "preprocess"
    """The command that ran last: that, or "train"."""
    stopped: bool = False
    """Whether it was asked to stop."""

    @property
    def trains(self) -> bool:
        return self.task == "train"


class TrainingJobs:
    """Starts, watches and stops trainings, one at a time.

    Args:
        persons_dir: Where the persons go.
        device: That to train on; the best that is there if None.
        command: What runs `geneface`.
        patience: Seconds that a process has to end by itself.
    """

    def __init__(
        self,
        persons_dir: str | Path,
        *,
        device: str | None = None,
        command: Sequence[str] = COMMAND,
        patience: float = PATIENCE,
    ) -> None:
        self.folder = Path(persons_dir).absolute()
        self._device, self._command, self._patience = device, list(command), patience
        self._change = threading.RLock()
        self._process = JobProcess(self.folder, patience)
        self.latest = ""
        """The person whose training was asked for last; empty after it was put aside."""
        atexit.register(self.close)

    # What a visitor asks for. All raise `InputError` that says what is wrong.

    def begin(self, video: str | Path, name: str, consent: str) -> str:
        """Take the video over, move it to a place of its own, and prepare it; returns the name of the folder."""
        video, name, consent = Path(video), " ".join(name.split()), consent.strip()
        person = folder_name(name)
        if not consent:
            raise InputError("Say whose face this is and what they agreed to.")
        check_video(video)
        with self._change:
            if self.running():
                raise InputError(BUSY)
            if (self.folder / person).exists():
                raise InputError(f"There is a person called {name} already; choose another name.")
            folder, asked = self._folder(person), Request(name, consent, f"video{video.suffix.lower()}")
            try:
                folder.path.mkdir(mode=0o700, parents=True)
                asked.save(folder.request)
                shutil.move(video, folder.path / asked.video)
            except FileExistsError:
                raise InputError(
                    f"A training of {name} was begun and is not finished; go on with it, or discard it."
                ) from None
            except OSError as error:
                raise InputError(f"{self.folder} cannot be written ({error.strerror}).") from None
            self._run(person, "preprocess")
        return person

    def resume(self, person: str) -> None:
        """Go on with what is not done yet: preparing the video, or training."""
        with self._change:
            self._asked(person)
            if self.running():
                raise InputError(BUSY)
            self._run(person, "train" if self._folder(person).manifest.is_file() else "preprocess")

    def stop(self, person: str) -> None:
        """Ask the process to stop, and end it if it does not; what is learned is kept."""
        with self._change:
            asked, runs = self._asked(person), self._process.runs()
            if runs.get("person") == person:
                replace(asked, stopped=True).save(self._folder(person).request)
                self._process.end(runs["pid"])

    def discard(self, person: str) -> None:
        """Delete the video and all that was made of it."""
        self.stop(person)
        for _ in range(int(self._patience * 10) + 50):
            if self.running() != person:
                break
            time.sleep(0.1)
        with self._change:
            if self.running() == person:
                raise InputError("The training does not stop; try again in a minute.")
            self._asked(person)
            shutil.rmtree(self._folder(person).path)
            self.put_aside(person)

    def put_aside(self, person: str) -> None:
        """Do not show this training to those who open the page."""
        if self.latest == person:
            self.latest = ""

    def close(self) -> None:
        """Stop what this server has started."""
        with self._change:
            self._process.close()

    # What there is

    def running(self) -> str:
        """The person whose training runs, started by whichever server; empty if none does."""
        return str(self._process.runs().get("person", ""))

    def unfinished(self) -> list[JobStatus]:
        """Trainings that were begun and are not done."""
        return [self.status(folder.bundle.name) for folder in self._begun()]

    def status(self, person: str) -> JobStatus:
        """Raises `InputError` for a person that is neither being trained nor there."""
        runs = self._process.runs()
        try:
            return self._status(person, runs)
        except (InputError, FileNotFoundError):  # There is no work folder, or it has gone meanwhile.
            folder = self.person_folder(person)
        card = read_card(folder)
        name = card.name if card else person
        if runs.get("person") == person:
            return JobStatus(person, name, "training", "bundle")
        return JobStatus(person, name, "done", preview=_there(folder / "preview.png"))

    def consent(self, person: str) -> str:
        """What was stated when the training began, or what the person's card says."""
        with suppress(InputError):
            return self._asked(person).consent
        card = read_card(self.folder / person) if person in list_persons(self.folder) else None
        return card.consent if card else ""

    def person_folder(self, person: str) -> Path:
        """The bundle of a person that is there."""
        if person not in list_persons(self.folder):
            raise InputError(f"There is no person called {person!r}.")
        return self.folder / person

    # The process

    def _status(self, person: str, runs: Runs) -> JobStatus:
        asked, folder = self._asked(person), self._folder(person)
        told = folder.load_status()
        facts: dict[str, Any] = {"warnings": told.warnings}
        if folder.manifest.is_file():
            facts["contact_sheet"] = folder.contact_sheet
            facts["warnings"] = read_json(folder.manifest, "dataset").get("warnings", [])
        if asked.trains:
            facts |= {"stage": told.stage, "detail": told.detail, "step": told.step, "steps": told.steps}
            facts |= {"figures": told.figures.get("dev", {}), "preview": _there(folder.preview)}
        if runs.get("person") == person:
            if asked.trains:
                facts["seconds_left"] = told.seconds_left
            else:
                facts |= {"stage": Stage.PREPROCESS, "detail": told.part, "step": told.parts_done}
                facts["steps"] = told.parts
            state: State = "stopping" if asked.stopped else "training" if asked.trains else "preparing"
            return JobStatus(person, asked.name, state, **facts)
        if not asked.trains and "contact_sheet" in facts:
            return JobStatus(person, asked.name, "review", **facts)
        error = "" if asked.stopped else self._error(person, told)
        return JobStatus(person, asked.name, "failed" if error else "stopped", error=error, **facts)

    def _run(self, person: str, task: str) -> None:
        folder, asked = self._folder(person), replace(self._asked(person), task=task, stopped=False)
        asked.save(folder.request)
        # How the last process ended is not how this one does.
        replace(folder.load_status(), outcome=None, error="").save(folder.status)
        arguments = [*self._command, task, str(folder.path / asked.video), "-o"]
        if task == "preprocess":
            arguments.append(str(folder.dataset))
        else:
            arguments += [str(folder.bundle), "--name", asked.name, "--consent", asked.consent, "--resume"]
            arguments += ["--device", self._device] if self._device else []
        self._process.start(person, arguments, folder.log)
        self.latest = person

    # The work folder

    def _folder(self, person: str) -> TrainingFolder:
        return TrainingFolder.of(self.folder / person)

    def _begun(self) -> list[TrainingFolder]:
        return [folder for folder in TrainingFolder.beside(self.folder) if folder.request.is_file()]

    def _asked(self, person: str) -> Request:
        # Looked up among those that are there: a name from outside is never made into a path.
        if person not in [folder.bundle.name for folder in self._begun()]:
            raise InputError(f"There is no training of {person!r}.")
        return Request.load(self._folder(person).request)

    def _error(self, person: str, told: TrainingStatus) -> str:
        """Why a process ended that nobody stopped, in a sentence; empty if that is not known."""
        folder = self._folder(person)
        if told.outcome is Outcome.FAILED:
            return sentence(told.error, {str(folder.path / self._asked(person).video): "the video"})
        if told.outcome is Outcome.STOPPED:
            return ""
        code = self._process.exit_code(person)
        if code == KILLED:
            return "The system ended it, most likely because memory ran out. Close other programs, and try again."
        if code:
            lines = folder.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return f"It ended without a reason. Its last words were: {lines[-1] if lines else 'none'}"
        return "It ended without making a person." if code == 0 else ""


def _there(picture: Path) -> Path | None:
    return picture if picture.is_file() else None
