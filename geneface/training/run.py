"""A person's training on disk: its folder, and how it is getting on.

The one protocol of the command line, which writes both, and of the page, which reads them. Nothing here needs torch.
"""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from geneface.errors import InputError, os_sentence
from geneface.utils.files import Record


class Stage(StrEnum):
    """What a training goes through, in this order."""

    PREPROCESS = "preprocess"
    RENDERER = "renderer"
    POST_NET = "post_net"
    BUNDLE = "bundle"


class Outcome(StrEnum):
    """How a command ended."""

    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


@dataclass
class TrainingStatus(Record):
    """How a training is getting on."""

    stage: Stage = Stage.PREPROCESS
    """The one that it is in, or in which it ended."""
    detail: str = ""
    """What is done in it, in a few words."""
    step: int = 0
    steps: int = 0
    """0 if that is not known."""
    part: str = ""
    """Of preprocessing: the part that is made, in words for a reader; `parts_done` of `parts` are made before it."""
    parts_done: int = 0
    parts: int = 0
    seconds_left: float | None = None
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    """What the renderer's training measured last: "dev" and "test", each PSNR in dB of "full", "head" and "mouth"."""
    warnings: list[str] = field(default_factory=list)
    """What of the video may spoil the result, in sentences without a full stop."""
    dataset: str = ""
    """Where the dataset is, once it is there."""
    outcome: Outcome | None = None
    """None while a command runs, and if it was killed."""
    error: str = ""
    """Why it failed, in a sentence without a full stop."""
    updated: float = 0.0
    """Seconds since 1970."""

    def __post_init__(self) -> None:
        self.stage = Stage(self.stage)
        self.outcome = Outcome(self.outcome) if self.outcome else None

    def save(self, path: Path) -> None:
        self.updated = time.time()
        super().save(path)

    def fail(self, error: BaseException) -> None:
        """The command ends for this reason."""
        words = os_sentence(error) if isinstance(error, OSError) else str(error)
        known = words and isinstance(error, InputError | OSError)
        self.outcome, self.error = Outcome.FAILED, " ".join(words.split())
        if not known:
            self.error = f"{type(error).__name__}: {self.error}"


@dataclass(frozen=True)
class TrainingFolder:
    """The work folder of a training, hidden beside the bundle to be, and the places in it."""

    path: Path

    @classmethod
    def of(cls, bundle: Path) -> Self:
        return cls(bundle.with_name(f".{bundle.name}.training"))

    @classmethod
    def around(cls, dataset: Path) -> Self | None:
        """The training that a dataset is made for; None if it is for none."""
        folder = cls(dataset.absolute().parent)
        return folder if folder.dataset == dataset.absolute() and folder == cls.of(folder.bundle) else None

    @classmethod
    def beside(cls, persons: Path) -> list[Self]:
        """All trainings in a folder of persons."""
        return [cls(path) for path in sorted(persons.glob(".*.training"))]

    @property
    def bundle(self) -> Path:
        """The person to be."""
        return self.path.with_name(self.path.name.removeprefix(".").removesuffix(".training"))

    @property
    def dataset(self) -> Path:
        return self.path / "dataset"

    @property
    def manifest(self) -> Path:
        """Is there when the dataset is whole."""
        return self.dataset / "manifest.json"

    @property
    def contact_sheet(self) -> Path:
        return self.dataset / "contact_sheet.png"

    @property
    def settings(self) -> Path:
        """What the training was begun with."""
        return self.path / "training.json"

    @property
    def request(self) -> Path:
        """What a visitor of the page asked for."""
        return self.path / "job.json"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def preview(self) -> Path:
        """A picture of what is learned."""
        return self.path / "preview.png"

    @property
    def log(self) -> Path:
        """What the page's process prints."""
        return self.path / "log.txt"

    @property
    def made(self) -> Path:
        """The bundle until it is whole."""
        return self.path / "bundle"

    def of_stage(self, stage: Stage) -> Path:
        """Where a training writes its `report.json`, `model` and `checkpoints`."""
        return self.path / stage

    def load_status(self) -> TrainingStatus:
        """As it was written last; a new one if there is none that can be read."""
        try:
            return TrainingStatus.load(self.status)
        except InputError:
            return TrainingStatus()
