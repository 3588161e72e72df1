"""What the training scripts share: configuration, Accelerate, checkpoints that resume exactly, logging.

A batch is a pure function of (seed, step, process), so a resumed run sees the same data as an unbroken one
and no data-loader state has to be stored.
"""

import argparse
import json
import logging
import math
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import ProjectConfiguration, set_seed
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from geneface.bundles.component import Component
from geneface.errors import InputError
from geneface.resources import located
from geneface.utils.files import atomic_folder, put_in_place, write_json
from geneface.utils.stopping import Stopped, StopToken

logger = logging.getLogger(__name__)

PLACES = (
    "renderer",
    "start",
    "model",
    "discriminator",
    "feature_extractor",
    "motion_generator",
    "sync_expert",
    "corpora",
)
"""Settings that name files or folders: the user's own, or those that GeneFace brings along."""


class Watch:
    """Is told how a training goes on, on every process; this one does not mind."""

    def __init__(self) -> None:
        self.stop = StopToken()
        """Heeded after each step: what is done is kept, and `Stopped` raised."""

    def stepped(self, done: int, steps: int, left: float, whole: float) -> None:
        """After each step: `left` of the `whole` work is to do, in the units of `LoopConfig.work_left`."""

    def preview_due(self, done: int, steps: int) -> Path | None:
        """Where to write a picture of what is learned, if one is wanted now."""
        return None

    def previewed(self, figures: dict[str, dict[str, float]]) -> None:
        """The picture is written, and these are the figures so far."""


@dataclass
class LoopConfig:
    """Settings of every training script; each script's own dataclass adds to them."""

    output_dir: str
    """Where the trained component goes; checkpoints lie in `output_dir/checkpoints`."""
    steps: int = 1000
    """Optimiser steps."""
    batch_size: int = 16
    """Items per process and per accumulation step."""
    gradient_accumulation_steps: int = 1
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    """Linear warm-up, then a cosine down to a hundredth."""
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    mixed_precision: str = "no"
    seed: int = 0
    prefetch: int = 8
    """Batches made ahead, one thread each."""
    log_every: int = 50
    save_every: int = 1000
    keep_checkpoints: int = 2
    resume: bool = False
    report_to: str | None = None
    """An Accelerate tracker, such as tensorboard."""
    cpu: bool = False
    """Train on the CPU even if there is a GPU."""

    def __post_init__(self) -> None:
        vars(self).update(located_settings(vars(self)))

    def work_left(self, done: int) -> float:
        """Work after `done` steps, in units of an ordinary step."""
        return self.steps - done


def located_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """The same settings, `PLACES` among them as absolute paths (`resources.located`); empty ones stay empty."""

    def place(value: object) -> list[str] | str:
        return [str(located(path)) for path in value] if isinstance(value, list) else str(located(str(value)))

    return {name: place(value) if name in PLACES and value else value for name, value in settings.items()}


Config = TypeVar("Config", bound=LoopConfig)
Batch = TypeVar("Batch")
Prepared = TypeVarTuple("Prepared")


def parse_config(config_class: type[Config], argv: list[str] | None = None) -> Config:
    """Read `--config FILE.json ...`, each over the one before, then `--set name=value ...` over them.

    A file is the user's own or, such as `hub_configs/embedded/train_renderer.json`, one that GeneFace brings along.
    `InputError` for an unknown name.
    """
    parser = argparse.ArgumentParser(description=config_class.__doc__)
    parser.add_argument(
        "--config", required=True, nargs="+", metavar="FILE", help="JSON files of settings, later ones over earlier"
    )
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings that override it")
    arguments = parser.parse_args(argv)
    values: dict[str, Any] = {}
    for file in arguments.config:
        values |= json.loads(located(file).read_text(encoding="utf-8"))
    for assignment in arguments.set:
        name, _, value = assignment.partition("=")
        try:
            values[name] = json.loads(value)
        except json.JSONDecodeError:
            values[name] = value
    known = {field.name for field in fields(config_class)}
    if unknown := sorted(values.keys() - known):
        raise InputError(
            f"{' '.join(arguments.config)}: unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    return config_class(**values)


class Loop:
    """The steps of a training run, with one `Accelerator`.

    >>> loop = Loop(config)
    >>> model, optimizer = loop.prepare(model, optimizer)
    >>> for step in loop:
    ...     for batch in loop.microbatches(step, make_batch):
    ...         loss = model(batch)
    ...         loop.backward(loss)
    ...     loop.update(optimizer, model)
    ...     loop.record(loss=loss)
    >>> loop.finish(model)
    """

    def __init__(self, config: LoopConfig, watch: Watch | None = None):
        """`watch`: who is told of the progress, instead of the log."""
        self.config, self.watch = config, watch
        self.folder = Path(config.output_dir)
        # Accelerate refuses a second training of another precision in one process.
        AcceleratorState._reset_state()
        self.accelerator = Accelerator(
            cpu=config.cpu,
            mixed_precision=config.mixed_precision,
            log_with=config.report_to,
            project_config=ProjectConfiguration(project_dir=str(self.folder), logging_dir=str(self.folder / "logs")),
        )
        set_seed(config.seed)
        if config.report_to:
            settings = {k: v for k, v in vars(config).items() if isinstance(v, bool | int | float | str)}
            self.accelerator.init_trackers("geneface", settings)
        self._schedulers: dict[int, LambdaLR] = {}
        self._figures: dict[str, list[torch.Tensor]] = defaultdict(list)
        self._workers = ThreadPoolExecutor(max(1, config.prefetch))
        self._pending: dict[int, Future[Any]] = {}

    @property
    def device(self) -> torch.device:
        return self.accelerator.device

    def prepare(self, *objects: *Prepared, steps: int | None = None) -> tuple[*Prepared]:
        """Move several things to the device; every optimiser also gets the learning-rate schedule of the config.

        Args:
            steps: Of the optimisers, where they are not those of the whole training.
        """
        rate = partial(self._rate, steps=max(1, self.config.steps if steps is None else steps))
        prepared: tuple[*Prepared] = self.accelerator.prepare(*objects)
        for item in prepared:
            if isinstance(item, torch.optim.Optimizer):
                scheduler = LambdaLR(getattr(item, "optimizer", item), rate)
                self.accelerator.register_for_checkpointing(scheduler)
                self._schedulers[id(item)] = scheduler
        return prepared

    def _rate(self, step: int, steps: int) -> float:
        warm_up = min(1.0, (step + 1) / max(1, self.config.warmup_steps))
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
        return warm_up * (0.01 + 0.99 * cosine)

    def __iter__(self) -> Iterator[int]:
        first = self._load() if self.config.resume else 0
        started, steps, watch = time.time(), self.config.steps, self.watch
        for step in range(first, steps):
            yield step
            done = step + 1
            if done % self.config.log_every == 0 or done == steps:
                self._log(done, (time.time() - started) / (done - first))
            if watch:
                watch.stepped(done, steps, self.config.work_left(done), self.config.work_left(0))
            # Under a watch the evaluation after the last step may be gone on from, too.
            stopping = watch is not None and watch.stop.stopped
            if stopping or (done % self.config.save_every == 0 and done < steps) or (watch and done == steps):
                self._save(done)
            if stopping:
                self._workers.shutdown(cancel_futures=True)
                raise Stopped

    def microbatches(self, step: int, make_batch: Callable[[np.random.Generator], Batch]) -> Iterator[Batch]:
        """Batches of this step; `make_batch` draws everything random from its argument and runs ahead in threads."""
        micro = self.config.gradient_accumulation_steps
        for index in range(step * micro, (step + 1) * micro):
            for ahead in range(index, min(index + 1 + self.config.prefetch, self.config.steps * micro)):
                if ahead not in self._pending:
                    rng = np.random.default_rng([self.config.seed, ahead, self.accelerator.process_index])
                    self._pending[ahead] = self._workers.submit(make_batch, rng)
            yield self._pending.pop(index).result()

    def backward(self, loss: torch.Tensor) -> None:
        self.accelerator.backward(loss / self.config.gradient_accumulation_steps)

    def update(self, optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
        """Clip the gradients of `model`, then one optimiser and schedule step."""
        self.accelerator.clip_grad_norm_(model.parameters(), self.config.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        self._schedulers[id(optimizer)].step()

    def record(self, **figures: torch.Tensor) -> None:
        """Figures of this step; their means appear in the next line of the log."""
        for name, value in figures.items():
            self._figures[name].append(value.detach())

    def preview_due(self, step: int) -> Path | None:
        """Where to write a picture of what is learned, if one is wanted after this step and from this process."""
        if self.watch is None or not self.accelerator.is_main_process:
            return None
        return self.watch.preview_due(step + 1, self.config.steps)

    def previewed(self, figures: dict[str, dict[str, float]]) -> None:
        """Tell the watch that its picture is there, with the figures so far."""
        if self.watch:
            self.watch.previewed(figures)

    def _log(self, done: int, seconds_per_step: float) -> None:
        means = {name: torch.stack(values).float().mean().item() for name, values in self._figures.items()}
        self._figures.clear()
        self.accelerator.log(means, step=done)
        if self.watch is None and self.accelerator.is_main_process:
            figures = "  ".join(f"{name} {value:.4f}" for name, value in means.items())
            minutes = seconds_per_step * (self.config.steps - done) / 60
            logger.info(
                f"step {done}/{self.config.steps}  {figures}  {seconds_per_step:.3f} s/step, {minutes:.1f} min left"
            )

    @property
    def _checkpoints(self) -> list[Path]:
        return sorted((self.folder / "checkpoints").glob("step_*"))

    def _save(self, done: int) -> None:
        # Named by step: Accelerate's automatic numbering starts again after a resume and prunes the wrong folder.
        folder = self.folder / "checkpoints" / f"step_{done:08d}"
        self.accelerator.save_state(str(folder.with_name(f"partial_{done:08d}")))
        # Every process writes its own random state into it.
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            put_in_place(folder.with_name(f"partial_{done:08d}"), folder)
            for old in self._checkpoints[: -self.config.keep_checkpoints]:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def _load(self) -> int:
        if not self._checkpoints:
            return 0
        self.accelerator.load_state(str(self._checkpoints[-1]))
        return int(self._checkpoints[-1].name.removeprefix("step_"))

    def finish(self, model: nn.Module, dtype: torch.dtype | None = None) -> Path:
        """Write the trained component to `output_dir/model`, its floating point weights as `dtype`; its folder."""
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            component: Component = self.accelerator.unwrap_model(model)
            with atomic_folder(self.folder / "model") as folder:
                component.save_pretrained(folder, dtype=dtype)
        self._workers.shutdown()
        # Not `end_training`, which also ends the processes' connection that a next training needs.
        for tracker in self.accelerator.trackers:
            tracker.finish()
        self.accelerator.wait_for_everyone()
        return self.folder / "model"

    def report(self, figures: Mapping[str, object]) -> None:
        """Write `output_dir/report.json`, the last thing of a training; on the main process."""
        write_json(self.folder / "report.json", figures)
        if self.watch is None:
            logger.info(json.dumps(figures, indent=2))
