"""Trainings behind the page: `geneface preprocess` and `geneface train` as a process, and what the disk says of them.

All that is known of a training lies in its work folder beside the person to be, so that another page, or the server
after a restart, finds it again.
"""

import atexit
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from geneface.card import read_card
from geneface.errors import InputError
from geneface.files import read_json, write_json
from geneface.hub import list_persons
from geneface.ui.job_process import BUSY, JobProcess
from geneface.ui.job_status import PREPARING, JobStatus, State, check_video, folder_name, for_reader

COMMAND = (sys.executable, "-m", "geneface")
PATIENCE = 30.0
"""Seconds that a process has to end by itself."""
INTERRUPTED = ("interrupted;", "stopped;")
"""How the last words of a process begin that was asked to end."""
JOB, LOG = "job.json", "log.txt"


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
            work = self._work(person)
            try:
                work.mkdir(mode=0o700, parents=True)
                _write(work / JOB, {"name": name, "consent": consent, "video": f"video{video.suffix.lower()}"})
                shutil.move(video, work / f"video{video.suffix.lower()}")
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
            self._job(person)
            if self.running():
                raise InputError(BUSY)
            prepared = (self._work(person) / "dataset" / "manifest.json").is_file()
            self._run(person, "train" if prepared else "preprocess")

    def stop(self, person: str) -> None:
        """Ask the process to stop, and end it if it does not; what is learned is kept."""
        with self._change:
            job, runs = self._job(person), self._process.runs()
            if runs.get("person") == person:
                _write(self._work(person) / JOB, {**job, "stopped": True})
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
            self._job(person)
            shutil.rmtree(self._work(person))
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
        return [self.status(path.parent.name[1 : -len(".training")]) for path in self._jobs()]

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
        return JobStatus(person, name, "done", preview=_there(folder))

    def consent(self, person: str) -> str:
        """What was stated when the training began, or what the person's card says."""
        with suppress(InputError):
            return str(self._job(person)["consent"])
        card = read_card(self.folder / person) if person in list_persons(self.folder) else None
        return card.consent if card else ""

    def person_folder(self, person: str) -> Path:
        """The bundle of a person that is there."""
        if person not in list_persons(self.folder):
            raise InputError(f"There is no person called {person!r}.")
        return self.folder / person

    # The process

    def _status(self, person: str, runs: dict[str, Any]) -> JobStatus:
        job, told, work = self._job(person), self._told(person), self._work(person)
        trains = job.get("task") == "train"
        facts: dict[str, Any] = {"warnings": told.get("warnings") or []}
        manifest = work / "dataset" / "manifest.json"
        if manifest.is_file():
            facts["contact_sheet"] = work / "dataset" / "contact_sheet.png"
            facts["warnings"] = read_json(manifest).get("warnings", [])
        if trains:
            facts |= {name: told[name] for name in ("detail", "step", "steps") if told.get(name)}
            facts |= {
                "stage": self._stage(work, told),
                "figures": (told.get("figures") or {}).get("dev") or {},
                "preview": _there(work),
            }
        if runs.get("person") == person:
            facts |= {"seconds_left": told.get("seconds_left")} if trains else self._prepared(work)
            state: State = "stopping" if job.get("stopped") else "training" if trains else "preparing"
            return JobStatus(person, job["name"], state, **facts)
        if not trains and "contact_sheet" in facts:
            return JobStatus(person, job["name"], "review", **facts)
        error = "" if job.get("stopped") else self._error(person, told)
        return JobStatus(person, job["name"], "failed" if error else "stopped", error=error, **facts)

    def _run(self, person: str, task: str) -> None:
        work, job = self._work(person), self._job(person)
        _write(work / JOB, {**job, "task": task, "stopped": False})
        arguments = [*self._command, task, str(work / job["video"]), "-o"]
        if task == "preprocess":
            arguments.append(str(work / "dataset"))
        else:
            arguments += [str(self.folder / person), "--name", job["name"], "--consent", job["consent"], "--resume"]
            arguments += ["--device", self._device] if self._device else []
        self._process.start(person, arguments, work / LOG)
        self.latest = person

    # The work folder

    def _work(self, person: str) -> Path:
        return self.folder / f".{person}.training"

    def _jobs(self) -> list[Path]:
        return sorted(self.folder.glob(f".*.training/{JOB}"))

    def _job(self, person: str) -> dict[str, Any]:
        # Looked up among those that are there: a name from outside is never made into a path.
        if self._work(person) / JOB not in self._jobs():
            raise InputError(f"There is no training of {person!r}.")
        return read_json(self._work(person) / JOB)

    def _told(self, person: str) -> dict[str, Any]:
        """The training's own words."""
        with suppress(InputError):
            return read_json(self._work(person) / "status.json")
        return {}

    def _prepared(self, work: Path) -> dict[str, Any]:
        made = work / ".dataset.unfinished"
        done = next((at for at, (name, _) in enumerate(PREPARING) if not (made / name).exists()), len(PREPARING) - 1)
        return {"stage": "preprocess", "detail": PREPARING[done][1], "step": done, "steps": len(PREPARING)}

    def _stage(self, work: Path, told: dict[str, Any]) -> str:
        """The stage that a training is in, or in which it failed."""
        stage = str(told.get("stage") or "preprocess")
        if stage == "failed":
            return next((name for name in ("post_net", "renderer") if (work / name).exists()), "preprocess")
        return "bundle" if stage == "done" else stage

    def _error(self, person: str, told: dict[str, Any]) -> str:
        """Why a process ended that nobody stopped, in a sentence; empty if that is not known."""
        work, job = self._work(person), self._job(person)
        lines = (work / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        if not said and told.get("stage") == "failed":
            said = [str(told.get("error"))]
        if said and said[-1].startswith(INTERRUPTED):
            return ""
        if said:
            return for_reader(said[-1], work / job["video"])
        code = self._process.exit_code(person)
        if code == -signal.SIGKILL:
            return "The system ended it, most likely because memory ran out. Close other programs, and try again."
        if code:
            return f"It ended without a reason. Its last words were: {lines[-1] if lines else 'none'}"
        return "It ended without making a person." if code == 0 else ""


def _there(folder: Path) -> Path | None:
    picture = folder / "preview.png"
    return picture if picture.is_file() else None


def _write(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}")
    write_json(partial, content)
    os.replace(partial, path)
