"""All of a person, end to end: a video, or a dataset made of one, becomes a bundle.

Preprocessing, the renderer, the post-net and the bundle, one after the other, in a hidden folder beside the bundle
that is removed when all is done. Whatever was done before a stop or a kill is kept, and not done again.
"""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from geneface.errors import InputError
from geneface.files import read_json
from geneface.training.loop import LoopConfig, Stopped, Watch
from geneface.training.person_bundle import MADE, describe, keep_logs, write_bundle
from geneface.training.person_job import JOB, Job, Request, begin_job, check_dataset, work_folder
from geneface.training.post_net import OWN_GENERATOR
from geneface.training.status import STATUS, Progress, in_words

STAGES = ("renderer", "post_net")
POST_NET_TIME = {"cuda": (10.0, 0.4), "cpu": (60.0, 0.05)}
"""Seconds before its first step, and time of its training beside the renderer's, as `hub_configs/train` sets both."""


def train_person(request: Request) -> dict[str, Any]:
    """Train a person; returns the last status (see `training.status`).

    Under `accelerate launch` every process calls it; the first one alone preprocesses and writes the bundle.

    Raises:
        InputError: for a request, a video or a dataset that cannot be used.
        Stopped: by SIGINT or SIGTERM; says how to go on.
    """
    device = _device(request.device)
    request = replace(request, bundle=request.bundle.absolute(), device=device)
    if int(os.environ.get("RANK", 0)):
        _follow(request)
        return {}
    if request.resume and (done := _completed(request.bundle)):
        return done
    # What can be wrong is said before anything is written.
    job = begin_job(request)
    post_net = POST_NET_TIME["cuda" if device.startswith("cuda") else "cpu"]
    with Progress(job.work, post_net=post_net, on_cpu=device == "cpu") as progress, _signals(progress):
        try:
            _run(job, progress)
        except KeyboardInterrupt:
            progress.write(detail="stopped")
            raise Stopped(f"stopped; what is done is kept in {job.work}: go on with --resume") from None
        except BaseException as error:
            progress.write(stage="failed", error=" ".join(str(error).split()) or type(error).__name__)
            raise
    shutil.rmtree(job.work)
    return progress.status


def _completed(bundle: Path) -> dict[str, Any]:
    """The last status of a training that was killed when its bundle was there already; its work folder is removed."""
    work = work_folder(bundle)
    if not (bundle.is_dir() and (work / STATUS).is_file() and not (work / MADE).exists()):
        return {}
    status = read_json(work / STATUS)
    if status.get("stage") not in ("bundle", "done"):
        return {}
    shutil.rmtree(work)
    print(f"done: {bundle}")
    return status | {"stage": "done", "detail": str(bundle), "seconds_left": 0.0}


def _run(job: Job, progress: Progress) -> None:
    started = time.monotonic()
    if not job.request.source.is_dir():
        _preprocess(job, progress)
    manifest = read_json(job.dataset / "manifest.json")
    check_dataset(job.dataset)
    progress.write(dataset=str(job.dataset.absolute()), warnings=manifest.get("warnings", []))
    reports = {stage: _train(job, stage, progress) for stage in STAGES}
    progress.write(figures=reports["renderer"])

    progress.begin("bundle", f"writing {job.target}")
    card = describe(job.name, job.request.consent, job.dataset, **reports)
    places = {stage: job.work / stage / "model" for stage in STAGES}
    places |= {name: Path(job.settings["post_net"][name]) for name in ("feature_extractor", "motion_generator")}
    if (own := job.work / "post_net" / OWN_GENERATOR).is_dir():
        places["motion_generator"] = own
    write_bundle(job.target, job.work, places, card, job.request.device or "cpu")
    if kept := keep_logs(job.work, job.target, STAGES):
        progress.say(f"the tracker's logs are in {kept}")
    progress.write(stage="done", detail=str(job.target), step=0, steps=0, seconds_left=0.0)
    for what, value in card.figures.items():
        print(f"  {what}: {value}")
    progress.say(f"done after {in_words(time.monotonic() - started)}: {job.target}")


def _preprocess(job: Job, progress: Progress) -> None:
    from geneface.data.preprocess import preprocess

    new = not job.dataset.is_dir()
    if new:
        progress.begin("preprocess", "looking at the video")
    preprocess(job.request.source, job.dataset, assets_folder=job.request.assets, progress=progress.each)
    if not new:
        return
    for warning in read_json(job.dataset / "manifest.json")["warnings"]:
        progress.say(f"warning: {warning}")
    progress.say(f"preprocess: done; look at {job.dataset / 'contact_sheet.png'}")


def _train(job: Job, stage: str, progress: Progress) -> dict[str, Any]:
    """The report of a training, which is done if it is not yet."""
    report = job.work / stage / "report.json"
    if not report.is_file():
        progress.begin(stage, "preparing", job.settings[stage]["steps"])
        _run_training(job, stage, progress)
    return read_json(report)


def _run_training(job: Job, stage: str, watch: Watch) -> None:
    module, config_class = job.training(stage)
    module.train(_configuration(job, stage, config_class, watch))


def _configuration(job: Job, stage: str, config_class: type[LoopConfig], watch: Watch) -> LoopConfig:
    device = job.request.device or "cpu"
    settings = {
        **job.settings[stage],
        "output_dir": str(job.work / stage),
        "dataset": str(job.dataset),
        "resume": True,
        "cpu": device == "cpu",
        "watch": watch,
    }
    if not (device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)):
        settings["mixed_precision"] = "no"
    return config_class(**settings)


def _follow(request: Request) -> None:
    """What the other processes of `accelerate launch` do: train along, as soon as the main one has begun."""
    path = work_folder(request.bundle) / JOB
    begun: dict[str, Any] = {}
    while begun.get("launcher") != os.getppid():
        time.sleep(0.5)
        begun = read_json(path) if path.is_file() else {}
    job = Job(request, begun["name"], begun["renderer"], begun["settings"])
    while not (job.dataset / "manifest.json").is_file():
        time.sleep(0.5)
    for stage in STAGES:
        if not (job.work / stage / "report.json").is_file():
            _run_training(job, stage, Watch())


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


@contextmanager
def _signals(progress: Progress) -> Iterator[None]:
    """Stop well on SIGINT and SIGTERM; only a main thread can be told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: progress.stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
