"""What a person's training is to do: the request checked, the work folder begun or gone on with, the settings."""

import importlib
import json
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from geneface.data.scan import SHORTEST
from geneface.errors import InputError
from geneface.files import read_json, write_json
from geneface.index import FORMAT_VERSION
from geneface.resources import resource
from geneface.training.loop import LoopConfig, located_settings
from geneface.training.post_net import ADAPTERS
from geneface.training.run import Stage, TrainingFolder
from geneface.units import FPS

SETTINGS = resource("hub_configs/train")
RENDERERS = {
    "fast": ("geneface.training.renderer", "RendererConfig"),
    "nerf": ("geneface.training.nerf", "NerfConfig"),
}
"""Training script of each renderer, and its settings; in SETTINGS/*.json under the same name."""
TRAININGS = {**RENDERERS, "post_net": ("geneface.training.post_net", "PostNetConfig")}
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
    """How speech is carried over to the person, of `training.post_net.ADAPTERS`."""
    steps: int | None = None
    """Of the renderer; the post-net's are changed in proportion."""
    config: Path | None = None
    """JSON of settings for each training that replace those of `SETTINGS`."""
    device: str | None = None
    assets: Path | None = None
    resume: bool = False


@dataclass(frozen=True)
class Job:
    """A checked request: where everything lies, and the settings of the trainings."""

    request: Request
    name: str
    renderer: str
    settings: dict[str, dict[str, Any]]
    """`renderer` and `post_net`: of their configurations, without what depends on the machine."""

    @property
    def target(self) -> Path:
        return self.request.bundle

    @property
    def folder(self) -> TrainingFolder:
        return TrainingFolder.of(self.request.bundle)

    @property
    def dataset(self) -> Path:
        return self.request.source if self.request.source.is_dir() else self.folder.dataset

    def training(self, stage: Stage) -> tuple[Any, type[LoopConfig]]:
        """The module with `train`, and the class of its configuration."""
        return training_of(self.renderer if stage is Stage.RENDERER else stage)


def training_of(name: str) -> tuple[Any, type[LoopConfig]]:
    path, config = TRAININGS[name]
    module = importlib.import_module(path)
    return module, getattr(module, config)


def begin_job(request: Request) -> Job:
    """Check the request and write it into the work folder, or read what it was begun with.

    Raises `InputError` for whatever can be known to be wrong before any work.
    """
    folder = TrainingFolder.of(request.bundle)
    work = folder.path
    if request.bundle.exists():
        raise InputError(f"{request.bundle} exists; remove it, or choose another name")
    if request.renderer and request.renderer not in RENDERERS:
        raise InputError(f"unknown renderer {request.renderer!r}; choose one of {', '.join(RENDERERS)}")
    if request.adapter and request.adapter not in ADAPTERS:
        raise InputError(f"unknown adapter {request.adapter!r}; choose one of {', '.join(ADAPTERS)}")
    if request.steps is not None and request.steps < 1:
        raise InputError(f"{request.steps} steps are none; give at least 1")
    begun = any((work / name).exists() for name in ("dataset", ".dataset.unfinished", "renderer"))
    if begun and not request.resume:
        raise InputError(f"{request.bundle} was begun in {work}; go on with --resume, or remove that folder")
    source = _check_source(request.source)
    changes = _read_config(request.config) if request.config else {}
    asked: dict[str, Any] = {
        "source": source,
        "renderer": request.renderer,
        "adapter": request.adapter,
        "steps": request.steps,
        "config": changes,
    }
    if begun and folder.settings.is_file():
        return _go_on(request, asked, read_json(folder.settings, "run"))
    renderer = request.renderer or "fast"
    job = Job(
        request,
        request.name or request.bundle.name,
        renderer,
        _settings(renderer, request.steps, changes, _on_cuda(request.device)),
    )
    if request.adapter:
        job.settings["post_net"]["adapter"] = request.adapter
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {work} ({error.strerror}); choose another place") from None
    folder.status.unlink(missing_ok=True)
    write_job(job, asked)
    return job


def write_job(job: Job, asked: dict[str, Any]) -> None:
    content: dict[str, Any] = {
        "asked": asked,
        "name": job.name,
        "consent": job.request.consent,
        "renderer": job.renderer,
        "settings": job.settings,
        "launcher": os.getppid(),  # by which the other processes of a launch know that this is their job
    }
    write_json(job.folder.settings, content)


def _go_on(request: Request, asked: dict[str, Any], begun: dict[str, Any]) -> Job:
    """The job as it was begun; what is asked for now must not differ, but for name and consent."""
    for what, value in asked.items():
        before = begun["asked"][what]
        if value and value != before and not (what == "renderer" and value == begun["renderer"]):
            raise InputError(
                f"{request.bundle} was begun with {ASKED[what]}; go on with the same, or remove "
                f"{TrainingFolder.of(request.bundle).path} and begin anew"
            )
    request = replace(request, consent=request.consent or begun["consent"])
    job = Job(request, request.name or begun["name"], begun["renderer"], begun["settings"])
    write_job(job, begun["asked"])
    return job


def _on_cuda(device: str | None) -> bool:
    return torch.cuda.is_available() if not device else device.startswith("cuda")


def _check_source(source: Path) -> dict[str, Any]:
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


def _read_config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as JSON ({error}); name a file like {SETTINGS / 'cpu.json'}"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
        raise InputError(f"{path} must hold settings for each training, as {SETTINGS / 'cpu.json'} does")
    for section, values in content.items():
        if section not in TRAININGS:
            raise InputError(f"{path}: unknown training {section!r}; known are {', '.join(TRAININGS)}")
        config_class = training_of(section)[1]
        known = {field.name for field in fields(config_class)} - {"watch"}
        if unknown := sorted(values.keys() - known):
            raise InputError(f"{path}: unknown setting {unknown[0]!r} of {section}")
    return content


def _settings(renderer: str, steps: int | None, changes: dict[str, Any], on_cuda: bool) -> dict[str, dict[str, Any]]:
    defaults = read_json(SETTINGS / ("cuda.json" if on_cuda else "cpu.json"), "settings")
    settings = {
        "renderer": {**defaults.get(renderer, {}), **changes.get(renderer, {})},
        "post_net": {**defaults["post_net"], **changes.get("post_net", {})},
    }
    if steps:
        share = steps / settings["renderer"]["steps"]
        settings["renderer"]["steps"] = steps
        settings["post_net"]["steps"] = max(1, round(share * settings["post_net"]["steps"]))
    return {stage: located_settings(part) for stage, part in settings.items()}
