"""The paper's post-net (Eq. 4-5): trained against a discriminator on many voices, and on the person's own frames.

Beside the paper's three terms, a fourth one asks that the generic closed mouth becomes the person's closed mouth.
Every so often the dev part is generated; the net with the best `dev_score` there is the one that is kept.
"""

from pathlib import Path

import numpy as np
import torch

from geneface.models.discriminator import Discriminator
from geneface.models.features import check_features
from geneface.models.post_net import PostNet
from geneface.models.sync_expert import SyncExpert, sync_loss
from geneface.motion.lips import mouth_opening
from geneface.training.adapting import Adapted, Adapting
from geneface.training.loop import Loop
from geneface.training.motion_figures import HeldOut
from geneface.training.mouth_teacher import shape_error
from geneface.training.person_speech import dev_score, generate_for
from geneface.utils.files import read_json, write_json

SYNC_STEP = 10
"""Frames from one window of the sync-expert to the next."""
BETAS = (0.5, 0.9)
"""Of Adam: the usual ones of adversarial training, with little memory of a gradient that turns."""

Batch = dict[str, torch.Tensor]


class PostNetTraining:
    """Both nets with their optimisers, and the steps of Eq. 4-5."""

    def __init__(self, task: Adapting):
        loop, config, person = task.loop, task.config, task.person
        self.loop, self.config, self.person = loop, config, person
        self.generator, self.voices = person.generator, task.voices()
        self.sync_expert: SyncExpert | None = None
        if config.sync_expert:
            self.sync_expert = SyncExpert.from_pretrained(config.sync_expert).to(loop.device).requires_grad_(False)
            check_features(task.extractor, self.sync_expert, "sync-expert")
        self.post_net = PostNet(**read_json(Path(config.model), "settings"))
        self.discriminator = Discriminator(**read_json(Path(config.discriminator), "settings"))
        person.fit(self.post_net)
        self.discriminator.mean.copy_(person.own.mean(dim=0))
        self.discriminator.std.copy_(person.own.std(dim=0).clamp_min(0.02))
        optimizer = torch.optim.AdamW(
            self.post_net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=BETAS
        )
        discriminator_optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), lr=config.discriminator_learning_rate, betas=BETAS
        )
        # As several processes share them; `post_net` and `discriminator` are the bare ones.
        self.net, self.judge, self.optimizer, self.judge_optimizer = loop.prepare(
            self.post_net, self.discriminator, optimizer, discriminator_optimizer
        )
        self.trained: PostNet = loop.accelerator.unwrap_model(self.net)
        self.rest = self.post_net.source_rest.expand(1, self.voices.window, -1, -1)

    def run(self, dev: HeldOut) -> Adapted:
        """All steps; the post-net that was best on the dev part."""
        config, best = self.config, Best(self.loop)
        if best.unit is None:
            # Untrained, the net already has the person's rest and scale: its error is the unit.
            _, best.unit = self.score(dev, 1.0)
            best.offer(self.trained, 0, *self.score(dev, best.unit))
        for step in self.loop:
            for batch in self.loop.microbatches(step, self.make_batch):
                figures = self.learn({name: tensor.to(self.loop.device) for name, tensor in batch.items()})
            self.loop.update(self.judge_optimizer, self.judge)
            self.loop.update(self.optimizer, self.net)
            self.loop.record(**figures)
            if (step + 1) % config.evaluate_every == 0 or step + 1 == config.steps:
                best.offer(self.trained, step + 1, *self.score(dev, best.unit))
        return Adapted(best.load(), self.generator, {"best_step": best.step, "dev_score": best.score})

    def make_batch(self, rng: np.random.Generator) -> Batch:
        size = self.config.batch_size
        own, (features, motion) = self.person.draw(size, self.voices.window, rng), self.voices.draw(size, rng)
        return {"lm3d": own.lm3d, "generic": own.generic, "voices": features, "of_voices": motion}

    def learn(self, batch: Batch) -> dict[str, torch.Tensor]:
        """The gradients of both nets on one batch; returns the terms of the loss."""
        sizes = [len(batch["of_voices"]), len(batch["generic"]), 1]
        # Together, so that the batch normalisation sees what it will see: speech and rest.
        made = self.net(torch.cat([batch["of_voices"], batch["generic"], self.rest]))
        refined, of_person, at_rest = made.split(sizes)
        fake, real = self.judge(torch.cat([refined.detach(), batch["lm3d"]])).chunk(2)
        judge_loss = fake.square().mean() + (real - 1).square().mean()
        self.loop.backward(judge_loss)

        self.discriminator.requires_grad_(False)
        terms = self.terms(batch, refined, of_person, at_rest)
        self.loop.backward(torch.stack(list(terms.values())).sum())
        self.discriminator.requires_grad_(True)
        return {**terms, "discriminator": judge_loss}

    def terms(
        self, batch: Batch, refined: torch.Tensor, of_person: torch.Tensor, at_rest: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """The post-net's loss by term, of its answers to other voices, to the person's own, to the closed mouth."""
        config, net = self.config, self.post_net

        def normalised(lm3d: torch.Tensor) -> torch.Tensor:
            return (lm3d - net.target_rest) / net.target_scale

        unchanged = (batch["of_voices"] - net.source_rest) / net.source_scale
        supervised = (normalised(of_person) - normalised(batch["lm3d"])).square().mean()
        terms = {
            "adversarial": config.adversarial_weight * (self.discriminator(refined) - 1).square().mean(),
            "supervised": config.supervised_weight * supervised,
            "rest": config.rest_weight * normalised(at_rest).square().mean(),
            "keep": config.keep_weight * (normalised(refined) - unchanged).square().mean(),
            "timing": config.timing_weight * shape_error(self.opening(refined), self.opening(batch["of_voices"])),
        }
        if self.sync_expert is not None:
            # The expert knows generic faces.
            in_generic = normalised(refined) * net.source_scale + net.source_rest
            cosine = self.sync_expert.score(in_generic, batch["voices"], step=SYNC_STEP)
            terms["sync"] = config.sync_weight * sync_loss(cosine, torch.ones_like(cosine))
        return terms

    def opening(self, lm3d: torch.Tensor) -> torch.Tensor:
        return mouth_opening(lm3d + self.generator.mean_landmarks)

    def score(self, dev: HeldOut, unit: float) -> tuple[float, float]:
        """`dev_score` of the net as it is."""
        self.trained.eval()
        found = dev_score(generate_for(self.trained, self.generator), dev, self.person.mean_landmarks, unit)
        self.trained.train()
        return found


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


def adapt(task: Adapting) -> Adapted:
    """The paper's domain-adaptive post-net (Section 3.2), trained against a discriminator on many voices."""
    return PostNetTraining(task).run(task.dev)
