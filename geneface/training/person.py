"""All of a person, end to end: a video, or a dataset made of one, becomes a bundle.

Preprocessing, the renderer, the post-net and the bundle, one after the other, in a hidden folder beside the bundle
that is removed when all is done. Whatever was done before a stop or a kill is kept, and not done again.
"""

import logging
import os
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from geneface.datasets.person import PersonDataset, split_range
from geneface.errors import InputError
from geneface.training.loop import Watch
from geneface.training.person_bundle import describe, keep_logs, write_bundle
from geneface.training.person_job import Begun, Job, Request, begin_job, check_dataset
from geneface.training.post_net import OWN_GENERATOR
from geneface.training.run import Outcome, Stage, TrainingFolder, TrainingStatus
from geneface.training.shown import what_it_shows
from geneface.training.status import Progress, stopping_well
from geneface.utils.files import locked, read_json
from geneface.utils.stopping import Stopped
from geneface.utils.words import about

logger = logging.getLogger(__name__)

STAGES = (Stage.RENDERER, Stage.POST_NET)
POST_NET_TIME = {"cuda": (10.0, 0.4), "cpu": (60.0, 0.05)}
"""Seconds before its first step, and time of its training beside the renderer's, as `hub_configs/train` sets both."""


def train_person(request: Request) -> TrainingStatus:
    """Train a person; returns the last status.

    Under `accelerate launch` every process calls it; the first one alone preprocesses and writes the bundle.

    Raises:
        InputError: for a request, a video or a dataset that cannot be used.
        Stopped: by SIGINT or SIGTERM; says how to go on.
    """
    request = replace(request, bundle=request.bundle.absolute())
    folder = TrainingFolder.of(request.bundle)
    if int(os.environ.get("RANK", 0)):
        _follow(replace(request, device=_device(request.device)))
        return TrainingStatus()
    with ExitStack() as held:
        begun = folder.path.is_dir()
        if begun:
            held.enter_context(locked(folder.path))
        try:
            if request.resume and (done := _completed(folder)):
                return done
            # What can be wrong is said before anything is written.
            request = replace(request, device=_device(request.device))
            job = begin_job(request)
        except InputError as error:
            if begun and request.resume:
                status = folder.load_status()
                status.fail(error)
                status.save(folder.status)
            raise
        if not begun:
            held.enter_context(locked(folder.path))
        post_net = POST_NET_TIME["cuda" if str(request.device).startswith("cuda") else "cpu"]
        with Progress(folder, post_net=post_net, on_cpu=request.device == "cpu") as progress, stopping_well(progress):
            try:
                _run(job, progress)
            except (Stopped, KeyboardInterrupt):
                raise Stopped(f"stopped; what is done is kept in {folder.path}: go on with --resume") from None
        shutil.rmtree(folder.path)
    return progress.status


def _completed(folder: TrainingFolder) -> TrainingStatus | None:
    """The last status of a training that was killed when its bundle was there already; its work folder is removed."""
    if not folder.bundle.is_dir() or folder.made.exists():
        return None
    status = folder.load_status()
    if status.stage is not Stage.BUNDLE:
        return None
    shutil.rmtree(folder.path)
    logger.info("done: %s", folder.bundle)
    return replace(status, outcome=Outcome.DONE, detail=str(folder.bundle), seconds_left=0.0)


def _run(job: Job, progress: Progress) -> None:
    started = time.monotonic()
    if not job.request.source.is_dir():
        _preprocess(job, progress)
    manifest = check_dataset(job.dataset)
    data = PersonDataset(job.dataset)
    if "mean_landmarks" in data.tracks:
        progress.say(what_it_shows(data.tracks, split_range(len(data), "train").stop))
    progress.write(dataset=str(job.dataset.absolute()), warnings=manifest.get("warnings", []))
    renderer, post_net = (_train(job, stage, progress) for stage in STAGES)
    progress.write(figures=renderer)

    progress.begin(Stage.BUNDLE, f"writing {job.target}")
    card = describe(job.name, job.request.consent, manifest, renderer, post_net)
    places: dict[str, Path] = {stage: job.folder.of_stage(stage) / "model" for stage in STAGES}
    generic = job.trainings.post_net
    own = job.folder.of_stage(Stage.POST_NET) / OWN_GENERATOR
    places["feature_extractor"] = Path(generic.feature_extractor)
    places["motion_generator"] = own if own.is_dir() else Path(generic.motion_generator)
    head = places["feature_extractor"].parent / "phoneme_head"
    if head.is_dir():
        places["phoneme_head"] = head
    write_bundle(job.folder, places, card, job.request.device or "cpu")
    if kept := keep_logs(job.folder, STAGES):
        progress.say(f"the tracker's logs are in {kept}")
    progress.write(outcome=Outcome.DONE, detail=str(job.target), step=0, steps=0, seconds_left=0.0)
    for what, value in card.figures.items():
        logger.info("  %s: %s", what, value)
    progress.say(f"done after {about(time.monotonic() - started)}: {job.target}")


def _preprocess(job: Job, progress: Progress) -> None:
    from geneface.preprocessing.preprocess import preprocess

    new = not job.dataset.is_dir()
    preprocess(job.request.source, job.dataset, assets_folder=job.request.assets, progress=progress)
    if not new:
        return
    for warning in read_json(job.folder.manifest, "dataset")["warnings"]:
        progress.say(f"warning: {warning}")
    progress.say(f"preprocess: done; look at {job.folder.contact_sheet}")


def _train(job: Job, stage: Stage, progress: Progress) -> dict[str, Any]:
    """The report of a training, which is done if it is not yet."""
    report = job.folder.of_stage(stage) / "report.json"
    if not report.is_file():
        progress.begin(stage, "preparing", job.config(stage).steps)
        job.run(stage, progress)
    return read_json(report, "run")


def _follow(request: Request) -> None:
    """What the other processes of `accelerate launch` do: train along, as soon as the main one has begun."""
    path = TrainingFolder.of(request.bundle).settings
    while not path.is_file() or (begun := Begun.load(path)).launcher != os.getppid():
        time.sleep(0.5)
    job = Job.load(request, begun)
    while not (job.dataset / "manifest.json").is_file():
        time.sleep(0.5)
    for stage in STAGES:
        if not (job.folder.of_stage(stage) / "report.json").is_file():
            job.run(stage, Watch())


def _device(name: str | None) -> str:
    """Where to train: CUDA if it is there, else the CPU; `InputError` for a device that cannot be used."""
    if not name:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name} cannot be used ({str(error).splitlines()[0]}); try cpu") from None
    if name not in ("cpu", "cuda"):
        os.environ["ACCELERATE_TORCH_DEVICE"] = name
    return name
