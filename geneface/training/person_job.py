"""What a person's training is to do: the request checked, the work folder begun or gone on with, the settings."""

import os
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, Self, get_type_hints

import torch

from geneface.bundles.index import FORMAT_VERSION
from geneface.errors import InputError
from geneface.preprocessing.scan import SHORTEST
from geneface.resources import resource
from geneface.training import post_net
from geneface.training.adapting import PostNetConfig
from geneface.training.kinds import ADAPTERS, DEFAULT_ADAPTER, DEFAULT_RENDERER, RENDERERS
from geneface.training.loop import LoopConfig, Watch
from geneface.training.run import Stage, TrainingFolder
from geneface.utils.files import Record, read_json
from geneface.utils.units import FPS

SETTINGS, ON_CPU = resource("hub_configs/train/person.json"), resource("hub_configs/train/cpu.json")
"""Settings of each training, and what is other on a CPU."""
POST_NET = "post_net"
"""Section of the training that brings speech to the person, of whatever adapter."""
Sections = dict[str, dict[str, Any]]
"""Settings by training."""
PARTS = ("frames.mp4", "audio.flac", "tracks.safetensors", "masks.safetensors", "background.png")
ASKED = {
    "source": "another video or dataset",
    "renderer": "another renderer",
    "adapter": "another adapter",
    "steps": "another number of steps",
    "config": "other settings",
}


@dataclass(frozen=True)
class Request:
    """What `geneface train` was asked for."""

    source: Path
    """A video, or a person dataset."""
    bundle: Path
    name: str = ""
    """The bundle's if empty, as is `renderer`, `steps` and `config` if it is gone on with."""
    consent: str = ""
    renderer: str = ""
    adapter: str = ""
    """How speech is carried over to the person, of `training.adapters`."""
    steps: int | None = None
    """Of the renderer; the post-net's are changed in proportion."""
    config: Path | None = None
    """JSON of settings for each training that replace those of `SETTINGS`."""
    device: str | None = None
    assets: Path | None = None
    resume: bool = False


@dataclass(frozen=True)
class Trainings:
    """The settings of a person's two trainings, without what depends on the machine and the place."""

    renderer: LoopConfig
    post_net: PostNetConfig

    @classmethod
    def of(cls, renderer: str, *layers: Sections) -> Self:
        """From sections by training, later ones over earlier."""
        merged: Sections = {renderer: {}, POST_NET: {}}
        for layer, section in product(layers, merged):
            merged[section] |= layer.get(section, {})
        return cls(config_class(renderer)(output_dir="", **merged[renderer]), PostNetConfig("", **merged[POST_NET]))

    def steps_of(self, steps: int) -> Self:
        """The same with so many steps of the renderer, and of the post-net in proportion."""
        share = max(1, round(steps / self.renderer.steps * self.post_net.steps))
        return type(self)(replace(self.renderer, steps=steps), replace(self.post_net, steps=share))


@dataclass(frozen=True)
class Asked:
    """What of a request must stay the same when a training is gone on with; empty where nothing was asked for."""

    source: dict[str, str | int]
    """What tells the video or dataset from another."""
    renderer: str
    adapter: str
    steps: int | None
    config: Sections


@dataclass
class Begun(Record):
    """What is kept of a job in the work folder."""

    asked: dict[str, object]
    name: str
    consent: str
    renderer: str
    trainings: Sections
    launcher: int
    """Process by which the others of a launch know that this is their job."""


@dataclass(frozen=True)
class Job:
    """A checked request: where everything lies, and the settings of the trainings."""

    request: Request
    name: str
    renderer: str
    trainings: Trainings

    @property
    def target(self) -> Path:
        return self.request.bundle

    @property
    def folder(self) -> TrainingFolder:
        return TrainingFolder.of(self.request.bundle)

    @property
    def dataset(self) -> Path:
        return self.request.source if self.request.source.is_dir() else self.folder.dataset

    def config(self, stage: Stage) -> LoopConfig:
        """The settings of a training, on this machine."""
        device = self.request.device or "cpu"
        config = self.trainings.renderer if stage is Stage.RENDERER else self.trainings.post_net
        bf16 = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
        here: dict[str, Any] = {
            "output_dir": str(self.folder.of_stage(stage)),
            "dataset": str(self.dataset),
            "resume": True,
            "cpu": device == "cpu",
            "mixed_precision": config.mixed_precision if bf16 else "no",
        }
        return replace(config, **here)

    def run(self, stage: Stage, watch: Watch) -> None:
        """A training, from its last checkpoint on."""
        training(self.renderer if stage is Stage.RENDERER else POST_NET).train(self.config(stage), watch=watch)

    def save(self, asked: dict[str, object]) -> None:
        consent, trainings = self.request.consent, asdict(self.trainings)
        Begun(asked, self.name, consent, self.renderer, trainings, os.getppid()).save(self.folder.settings)

    @classmethod
    def load(cls, request: Request, begun: Begun) -> Self:
        """The job as it was begun, of a request for the same, which may name and consent anew."""
        renderer = config_class(begun.renderer)(**begun.trainings["renderer"])
        trainings = Trainings(renderer, PostNetConfig(**begun.trainings["post_net"]))
        request = replace(request, consent=request.consent or begun.consent)
        return cls(request, request.name or begun.name, begun.renderer, trainings)


def training(name: str) -> ModuleType:
    """The module that trains a renderer of that kind, or what brings speech to the person."""
    return post_net if name == POST_NET else RENDERERS[name]


def config_class(name: str) -> type[LoopConfig]:
    """The class of a training's settings: that of its function's first argument."""
    found: type[LoopConfig] = get_type_hints(training(name).train)["config"]
    return found


def begin_job(request: Request) -> Job:
    """Check the request and write it into the work folder, or read what it was begun with.

    Raises `InputError` for whatever can be known to be wrong before any work.
    """
    folder = TrainingFolder.of(request.bundle)
    work = folder.path
    if request.bundle.exists():
        raise InputError(f"{request.bundle} exists; remove it, or choose another name")
    renderer = RENDERERS.check(request.renderer or DEFAULT_RENDERER)
    ADAPTERS.check(request.adapter or DEFAULT_ADAPTER)
    if request.steps is not None and request.steps < 1:
        raise InputError(f"{request.steps} steps are none; give at least 1")
    begun = any((work / name).exists() for name in ("dataset", ".dataset.unfinished", "renderer"))
    if begun and not request.resume:
        raise InputError(f"{request.bundle} was begun in {work}; go on with --resume, or remove that folder")
    source = _check_source(request.source)
    changes = _read_config(request.config) if request.config else {}
    asked = asdict(Asked(source, request.renderer, request.adapter, request.steps, changes))
    if begun and folder.settings.is_file():
        return _go_on(request, asked, Begun.load(folder.settings))
    layers = [read_json(path, "settings") for path in (SETTINGS, ON_CPU)[: 1 if _on_cuda(request.device) else 2]]
    trainings = Trainings.of(renderer, *layers, changes)
    if request.steps:
        trainings = trainings.steps_of(request.steps)
    if request.adapter:
        trainings = replace(trainings, post_net=replace(trainings.post_net, adapter=request.adapter))
    job = Job(request, request.name or request.bundle.name, renderer, trainings)
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {work} ({error.strerror}); choose another place") from None
    folder.status.unlink(missing_ok=True)
    job.save(asked)
    return job


def _go_on(request: Request, asked: dict[str, object], begun: Begun) -> Job:
    """The job as it was begun; what is asked for now must not differ, but for name and consent."""
    for what, value in asked.items():
        if value and value != begun.asked[what] and not (what == "renderer" and value == begun.renderer):
            raise InputError(
                f"{request.bundle} was begun with {ASKED[what]}; go on with the same, or remove "
                f"{TrainingFolder.of(request.bundle).path} and begin anew"
            )
    job = Job.load(request, begun)
    job.save(begun.asked)
    return job


def _on_cuda(device: str | None) -> bool:
    return torch.cuda.is_available() if not device else device.startswith("cuda")


def _check_source(source: Path) -> dict[str, str | int]:
    """What tells this video or dataset from another; `InputError` if it is neither."""
    if source.is_dir():
        check_dataset(source)
        return {"dataset": str(source.resolve())}
    from geneface.media.resample import SteadyVideo, sound_start

    try:
        facts = source.stat()
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror}); name a video or a dataset") from None
    sound_start(source)
    with SteadyVideo(source):
        pass
    return {"name": source.name, "bytes": facts.st_size, "modified": facts.st_mtime_ns}


def check_dataset(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset; `InputError` if it is not complete, of this release, and of at least 3 s."""
    if not (folder / "manifest.json").is_file():
        raise InputError(f"{folder} is not a person dataset; name a video, or make one with `geneface preprocess`")
    manifest = read_json(folder / "manifest.json", "dataset")
    version = manifest.get("version")
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        hint = "upgrade with pip install -U geneface" if newer else "preprocess the video again"
        raise InputError(f"{folder} was made by {'a newer' if newer else 'an older'} GeneFace; {hint}")
    for name in PARTS:
        if not (folder / name).is_file():
            raise InputError(f"{folder} lacks {name}; preprocess the video again")
    if (frames := int(manifest.get("frames", 0))) < SHORTEST:
        raise InputError(f"{folder} is {frames / FPS:.1f} s long; at least {SHORTEST // FPS} s are needed")
    return manifest


def _read_config(path: Path) -> Sections:
    """A user's own settings; `InputError` that says what in them is not known."""
    content = read_json(path, "settings")
    if not all(isinstance(part, dict) for part in content.values()):
        raise InputError(f"{path} must hold settings for each training, as {SETTINGS} does")
    for section, values in content.items():
        if section not in (known := [*RENDERERS.names(), POST_NET]):
            raise InputError(f"{path}: unknown training {section!r}; known are {', '.join(known)}")
        if unknown := sorted(values.keys() - {field.name for field in fields(config_class(section))}):
            raise InputError(f"{path}: unknown setting {unknown[0]!r} of {section}")
    return content
