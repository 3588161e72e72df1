"""Train a person's post-net (Eq. 4-5): `accelerate launch -m geneface.training.post_net --config FILE`.

Beside the paper's three terms, a fourth one asks that the generic closed mouth becomes the person's closed mouth.
Every so often the dev part is generated; the net with the best `dev_score` there is the one that is kept.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geneface.components import trained_component
from geneface.data.voices import Voices, open_voices
from geneface.errors import InputError
from geneface.files import atomic_folder, read_json, write_json
from geneface.models.discriminator import Discriminator
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.models.sync_expert import SyncExpert, sync_loss
from geneface.training.fine_tune import fine_tune
from geneface.training.loop import Loop, LoopConfig, parse_config
from geneface.training.motion_figures import HeldOut, motion_figures
from geneface.training.person_speech import PersonSpeech, dev_score, generate_for
from geneface.training.projection import choose_blend

ADAPTERS = ("post_net", "projection", "fine_tune")
OWN_GENERATOR = "motion_generator"
SYNC_STEP = 10
"""Frames from one window of the sync-expert to the next."""


@dataclass
class PostNetConfig(LoopConfig):
    """Settings of `geneface.training.post_net`."""

    dataset: str = "runs/person"
    """A person dataset: audio.flac and tracks.safetensors."""
    block: int | None = None
    """The fifth of the video (0 to 4) that is the test part, instead of the last tenth."""
    adapter: str = "post_net"
    """"post_net"; "projection" on the person's own frames, in seconds, without voices; or "fine_tune", which writes
    a motion generator of the person's own, too, into `output_dir/motion_generator`."""
    neighbours: int = 10
    """Own frames that a projected frame is made of."""
    model: str = "hub_configs/embedded/post_net.json"
    discriminator: str = "hub_configs/embedded/discriminator.json"
    feature_extractor: str = "examples/persons/generic/feature_extractor"
    motion_generator: str = "examples/persons/generic/motion_generator"
    sync_expert: str = "examples/persons/generic/sync_expert"
    """A trained one, or "" to train without."""
    corpora: list[str] = field(default_factory=lambda: ["examples/speech"])
    """Folders with many voices: their audio drives the adversarial part."""
    copies: int = 2
    """Of each voice's clip and of the person's, the first as it is, more with changed sound."""
    window: int = 50
    """Frames."""
    discriminator_learning_rate: float = 2e-4
    adversarial_weight: float = 0.1
    sync_weight: float = 0.05
    supervised_weight: float = 1.0
    rest_weight: float = 0.5
    keep_weight: float = 0.5
    """Of the change on other voices, beyond rest and scale: a short recording says nothing of theirs."""
    evaluate_every: int = 20
    """Steps between looks at the dev part, which chooses the model."""


def _frozen(place: str, device: torch.device) -> Any:
    return trained_component(place).to(device).requires_grad_(False)


def train(config: PostNetConfig, voices: Voices | None = None) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder.

    `voices` of an earlier training with the same settings save the time to make them again.
    """
    if config.adapter not in ADAPTERS:
        raise InputError(f"adapter is {config.adapter!r}; it must be one of {', '.join(ADAPTERS)}")
    loop = Loop(config)
    device = loop.device
    extractor: AudioFeatures = _frozen(config.feature_extractor, device)
    generator: MotionGenerator = _frozen(config.motion_generator, device)
    person = PersonSpeech(config.dataset, extractor, generator, config.block, config.copies, config.seed)
    dev = person.hold_out("dev")
    if config.adapter == "projection":
        component, score = choose_blend(person, config.neighbours, dev)
        return _finish(loop, component, generator, person, dev, {"blend": component.blend, "dev_score": score})
    if config.adapter == "fine_tune":
        tuned, transfer, choice = fine_tune(person, dev, config.steps, seed=config.seed)
        if loop.accelerator.is_main_process:
            with atomic_folder(loop.folder / OWN_GENERATOR) as folder:
                tuned.save_pretrained(folder)
        return _finish(loop, transfer, tuned, person, dev, choice)

    sync_expert: SyncExpert | None = None
    if config.sync_expert:
        sync_expert = SyncExpert.from_pretrained(config.sync_expert).to(device).requires_grad_(False)
    window = min(config.window, person.longest)
    if voices is None or voices.window != window:
        voices = Voices(open_voices(config.corpora), extractor, generator, window, config.copies, config.seed)

    post_net = PostNet(**read_json(Path(config.model), "settings"))
    discriminator = Discriminator(**read_json(Path(config.discriminator), "settings"))
    person.fit(post_net)
    discriminator.mean.copy_(person.own.mean(dim=0))
    discriminator.std.copy_(person.own.std(dim=0).clamp_min(0.02))

    optimizer = torch.optim.AdamW(
        post_net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.5, 0.9)
    )
    judge_optimizer = torch.optim.AdamW(
        discriminator.parameters(), lr=config.discriminator_learning_rate, betas=(0.5, 0.9)
    )
    net, judge, optimizer, judge_optimizer = loop.prepare(post_net, discriminator, optimizer, judge_optimizer)
    rest = post_net.source_rest.expand(1, window, -1, -1)
    sizes = [config.batch_size, config.batch_size, 1]

    def make_batch(rng: np.random.Generator) -> dict[str, torch.Tensor]:
        own, (features, motion) = person.draw(config.batch_size, window, rng), voices.draw(config.batch_size, rng)
        return {"lm3d": own.lm3d, "generic": own.generic, "voices": features, "of_voices": motion}

    def normalised(lm3d: torch.Tensor) -> torch.Tensor:
        return (lm3d - post_net.target_rest) / post_net.target_scale

    def unchanged(generic: torch.Tensor) -> torch.Tensor:
        return (generic - post_net.source_rest) / post_net.source_scale

    trained: PostNet = loop.accelerator.unwrap_model(net)

    def judge_dev(unit: float) -> tuple[float, float]:
        trained.eval()
        found = dev_score(generate_for(trained, generator), dev, person.mean_landmarks, unit)
        trained.train()
        return found

    # Untrained, the net already has the person's rest and scale: its error is the unit.
    best = Best(loop)
    if best.unit is None:
        _, best.unit = judge_dev(1.0)
        best.offer(trained, 0, *judge_dev(best.unit))
    for step in loop:
        for batch in loop.microbatches(step, make_batch):
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            # Together, so that the batch normalisation sees what it will see: speech and rest.
            refined, of_person, at_rest = net(torch.cat([batch["of_voices"], batch["generic"], rest])).split(sizes)
            judged = judge(torch.cat([refined.detach(), batch["lm3d"]]))
            fake, real = judged.chunk(2)
            judge_loss = fake.square().mean() + (real - 1).square().mean()
            loop.backward(judge_loss)

            discriminator.requires_grad_(False)
            terms = {
                "adversarial": config.adversarial_weight * (discriminator(refined) - 1).square().mean(),
                "supervised": config.supervised_weight
                * (normalised(of_person) - normalised(batch["lm3d"])).square().mean(),
                "rest": config.rest_weight * normalised(at_rest).square().mean(),
                "keep": config.keep_weight * (normalised(refined) - unchanged(batch["of_voices"])).square().mean(),
            }
            if sync_expert is not None:
                in_generic = normalised(refined) * post_net.source_scale + post_net.source_rest
                cosine = sync_expert.score(in_generic, batch["voices"], step=SYNC_STEP)
                terms["sync"] = config.sync_weight * sync_loss(cosine, torch.ones_like(cosine))
            loop.backward(torch.stack(list(terms.values())).sum())
            discriminator.requires_grad_(True)
        loop.update(judge_optimizer, judge)
        loop.update(optimizer, net)
        loop.record(**terms, discriminator=judge_loss)
        if (step + 1) % config.evaluate_every == 0 or step + 1 == config.steps:
            best.offer(trained, step + 1, *judge_dev(best.unit))

    return _finish(loop, best.load(), generator, person, dev, {"best_step": best.step, "dev_score": best.score})


def _finish(
    loop: Loop,
    component: PostNet | LandmarkProjection,
    generator: MotionGenerator,
    person: PersonSpeech,
    dev: HeldOut,
    choice: dict[str, float],
) -> Path:
    folder = loop.finish(component)
    if loop.accelerator.is_main_process:
        component.to(loop.device)
        figures = motion_figures(
            generate_for(component, generator),
            [dev],
            person.mean_landmarks,
            rest=component.target_rest.cpu().numpy(),
        )
        loop.report({**choice, "dev": figures})
    return folder


class Best:
    """The post-net with the best score so far, kept on disk so that a resumed run knows it, too."""

    def __init__(self, loop: Loop):
        self.loop, self.folder = loop, loop.folder / "best"
        self.note = self.folder / "best.json"
        found = read_json(self.note, "run") if loop.config.resume and self.note.exists() else {}
        self.step, self.score = int(found.get("step", 0)), float(found.get("score", "-inf"))
        self.unit: float | None = found.get("unit_mm")

    def offer(self, component: PostNet, step: int, score: float, error: float) -> None:
        """Keep `component` if its score is the best; `error` in mm is noted with it."""
        if score > self.score:
            self.step, self.score = step, score
            if self.loop.accelerator.is_main_process:
                component.save_pretrained(self.folder)
                found = {"step": step, "score": score, "lm3d_error_mm": error, "unit_mm": self.unit}
                write_json(self.note, found)

    def load(self) -> PostNet:
        self.loop.accelerator.wait_for_everyone()
        return PostNet.from_pretrained(self.folder)


if __name__ == "__main__":
    train(parse_config(PostNetConfig))
