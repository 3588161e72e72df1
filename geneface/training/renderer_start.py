"""Train what a person's renderer starts from: one field, warp and decoder for many heads of nobody.

    python -m geneface.training.renderer_start --config hub_configs/embedded/train_renderer_start.json

The heads are person datasets (`examples/synthetic_person/heads.py`). What is a head's own (its feature planes,
textures and torso) is the mean of all, which is the start, and a difference that stays small.
"""

from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from geneface.bundles.loading import new_component
from geneface.datasets.person import PersonDataset
from geneface.errors import InputError, run_script
from geneface.renderers.fast import FastRenderer
from geneface.renderers.window import Window
from geneface.resources import located
from geneface.training.head_prior import HeadPrior
from geneface.training.loop import Loop, Watch, parse_config
from geneface.training.renderers.fast import Batches, RendererConfig, losses, parameter_groups

OWN = ("planes", "head_texture", "torso_plane", "torso_texture", "torso_motion")
"""Weights that differ from head to head."""
SHARED_BUFFERS = ("condition.std", "condition.basis", "condition.limit", "occupancy.")


@dataclass
class StartConfig(RendererConfig):
    """Settings of the start's training."""

    heads: list[str] = field(default_factory=list)
    """Person datasets; a folder stands for all in it."""
    own_decay: float = 0.02
    """Weight of the mean squared difference between a head and the mean."""


class Head:
    """A dataset, and what of the renderer is its own."""

    def __init__(self, folder: Path, shared: FastRenderer, config: StartConfig, device: torch.device):
        self.data = PersonDataset(folder)
        shared.prepare(self.data)
        self.buffers = {
            name: value.detach().clone().to(device)
            for name, value in shared.named_buffers()
            if not name.startswith(SHARED_BUFFERS)
        }
        self.own = {
            name: nn.Parameter(torch.zeros_like(value, device=device))
            for name, value in shared.named_parameters()
            if name.startswith(OWN)
        }
        self.batches = Batches(self.data, shared, config)
        self.batches.to(device)
        self.prior = HeadPrior(self.data.track("solid"), shared.occupancy.box.to(device))


class Step(nn.Module):
    """The losses of one head's batch, as a module whose weights can be given from outside."""

    def __init__(self, renderer: FastRenderer, config: StartConfig):
        super().__init__()
        self.renderer, self.config = renderer, config

    def forward(self, head: Head, batch: dict[str, torch.Tensor], window: Window) -> dict[str, torch.Tensor]:
        out = self.renderer(batch["windows"], batch["pose"], torso=batch["torso"], window=window)
        terms = losses(out, batch, self.renderer.occupancy.box, self.config)
        return terms | {"solid": self.config.solid_weight * head.prior.error(self.renderer, batch["windows"])}


def _folders(places: list[str]) -> list[Path]:
    found = [path for place in places for path in [Path(place), *sorted(Path(place).glob("*"))]]
    heads = [path for path in found if (path / "manifest.json").is_file()]
    if not heads:
        raise InputError(f"no person dataset in {', '.join(places)}; see examples/synthetic_person/heads.py")
    return heads


def train(config: StartConfig, watch: Watch | None = None) -> Path:
    """Train, and write `output_dir/model`; returns its folder."""
    loop = Loop(config, watch)
    folders = _folders(config.heads)
    component = new_component(located(config.renderer), "FastRenderer")
    tracks = [PersonDataset(folder).track("lm3d") for folder in folders]
    component.condition.fit(torch.cat([track - track.mean(0) for track in tracks]))
    limit = component.condition.limit.clone()
    heads = [Head(folder, component, config, loop.device) for folder in folders]
    component.condition.limit.copy_(limit)
    named = chain(component.named_parameters(), *(head.own.items() for head in heads))
    optimizer = torch.optim.Adam(parameter_groups(named, config), betas=(0.9, 0.99))
    renderer, optimizer = loop.prepare(component, optimizer)
    component.train()
    component.samples = config.search_samples
    whole = Step(component, config)

    def draw(rng: np.random.Generator) -> tuple[Head, Window, np.ndarray]:
        head = heads[rng.integers(len(heads))]
        return head, *head.batches.draw(rng)

    for step in loop:
        for head, window, index in loop.microbatches(step, draw):
            weights = dict(component.named_parameters()) | head.buffers
            weights |= {name: weights[name] + own for name, own in head.own.items()}
            given = {f"renderer.{name}": value for name, value in weights.items()}
            with loop.accelerator.autocast():
                terms = functional_call(whole, given, (head, head.batches.batch(window, index), window))
            terms["warp"] = config.warp_decay * component.warp.square().mean()
            terms["own"] = config.own_decay * torch.stack([own.square().mean() for own in head.own.values()]).sum()
            loop.backward(torch.stack(list(terms.values())).sum())
        loop.update(optimizer, renderer)
        loop.record(**terms)
    component.samples = component.config["samples"]
    return loop.finish(renderer, dtype=torch.float16)


if __name__ == "__main__":
    run_script(lambda: train(parse_config(StartConfig)))
