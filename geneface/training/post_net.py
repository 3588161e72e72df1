"""Train a person's post-net (Eq. 4-5): `accelerate launch -m geneface.training.post_net --config FILE`.

Beside the paper's three terms, a fourth one asks that the generic closed mouth becomes the person's closed mouth.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geneface import metrics
from geneface.bundle import Component, read_json, read_tensors, write_json
from geneface.data.motion import EYES, MotionData, Speech, open_corpora
from geneface.data.person import split_range
from geneface.face.face_model import FaceModel
from geneface.media.audio import SAMPLES_PER_FRAME, load_audio
from geneface.models.discriminator import Discriminator
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.sync_expert import SyncExpert, sync_loss
from geneface.training.loop import Loop, LoopConfig, parse_config
from geneface.training.motion_figures import Generate, HeldOut, generate_with, hold_out, motion_figures


@dataclass
class PostNetConfig(LoopConfig):
    """Settings of `geneface.training.post_net`."""

    dataset: str = "runs/person"
    """A person dataset: audio.flac and tracks.safetensors."""
    model: str = "hub_configs/embedded/post_net.json"
    discriminator: str = "hub_configs/embedded/discriminator.json"
    feature_extractor: str = "runs/feature_extractor/model"
    motion_generator: str = "runs/motion_generator/model"
    sync_expert: str = "runs/sync_expert/model"
    face_model: str = "runs/face_model.safetensors"
    corpora: list[str] = field(default_factory=list)
    """Folders with many voices: their audio drives the adversarial part."""
    real_share: float = 0.3
    window: int = 100
    """Frames."""
    discriminator_learning_rate: float = 2e-4
    adversarial_weight: float = 0.1
    sync_weight: float = 0.05
    supervised_weight: float = 1.0
    rest_weight: float = 0.5
    evaluate_every: int = 100
    """Steps between looks at the dev part, which chooses the model."""


class Person:
    """A person's speech: LM3D with the eyes held still, and features of the whole recording."""

    def __init__(self, folder: Path, extractor: FeatureExtractor, mean_landmarks: np.ndarray):
        tracked = read_tensors(folder / "tracks.safetensors")["lm3d"].float().numpy().copy()
        samples = load_audio(folder / "audio.flac")
        frames = min(len(tracked), -(-len(samples) // SAMPLES_PER_FRAME))
        train = split_range(frames, "train")
        tracked[:, EYES] = np.median(tracked[train.start : train.stop, EYES], axis=0)
        samples = np.pad(samples, (0, max(0, frames * SAMPLES_PER_FRAME - len(samples))))
        self.speech = Speech(samples[: frames * SAMPLES_PER_FRAME], tracked[:frames])
        self.extractor, self.mean_landmarks = extractor, mean_landmarks
        self.train = self.hold_out("train")

    def hold_out(self, split: str) -> HeldOut:
        part = split_range(len(self.speech.lm3d), split)
        samples = self.speech.samples[part.start * SAMPLES_PER_FRAME : part.stop * SAMPLES_PER_FRAME]
        lm3d = self.speech.lm3d[part.start : part.stop]
        return hold_out(Speech(samples, lm3d), "person", [], self.extractor)

    def rest(self) -> torch.Tensor:
        """[68, 3]: the mean of the twentieth of the training frames with the most closed mouth."""
        lm3d = self.train.lm3d
        opening = metrics.lm3d_opening(lm3d, self.mean_landmarks)
        return torch.from_numpy(lm3d[opening <= np.quantile(opening, 0.05)].mean(axis=0)).float()

    def draw(self, count: int, frames: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Features [count, 2 * frames, D] and LM3D [count, frames, 68, 3] of the training part."""
        lm3d, features = torch.from_numpy(self.train.lm3d), self.train.features.cpu()
        starts = rng.integers(len(lm3d) - frames + 1, size=count)
        return (
            torch.stack([features[2 * start : 2 * (start + frames)] for start in starts]),
            torch.stack([lm3d[start : start + frames] for start in starts]).float(),
        )


def scale_from(lm3d: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Root mean square distance [68, 3] of LM3D [N, 68, 3] from the rest, at least 0.02 cm."""
    return (lm3d - rest).square().mean(dim=0).sqrt().clamp_min(0.02)


def generate_for(post_net: PostNet, generator: MotionGenerator) -> Generate:
    """The person's LM3D of the whole chain."""
    generic = generate_with(generator)

    def generate(features: torch.Tensor, seed: int, temperature: float) -> torch.Tensor:
        with torch.no_grad():
            return post_net(generic(features, seed, temperature)[None].to(post_net.device))[0].cpu()

    return generate


def _frozen(component_class: type[Any], folder: str, device: torch.device) -> Any:
    component: Component = component_class.from_pretrained(folder)
    return component.to(device).requires_grad_(False)


def train(config: PostNetConfig) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder."""
    loop = Loop(config)
    device = loop.device
    face = FaceModel.load(config.face_model)
    mean_landmarks = face.mean_landmarks.numpy()
    extractor = FeatureExtractor.from_pretrained(config.feature_extractor).to(device)
    generator: MotionGenerator = _frozen(MotionGenerator, config.motion_generator, device)
    sync_expert: SyncExpert = _frozen(SyncExpert, config.sync_expert, device)
    person = Person(Path(config.dataset), extractor, mean_landmarks)
    window = min(config.window, len(person.train.lm3d))
    voices = MotionData(
        open_corpora(config.corpora, "train"), face, extractor, 1, window, config.real_share, config.seed
    )

    post_net = PostNet(**read_json(Path(config.model)))
    discriminator = Discriminator(**read_json(Path(config.discriminator)))
    own = torch.from_numpy(person.train.lm3d)
    generic = generate_with(generator)(person.train.features, 0, 1.0)
    post_net.target_rest.copy_(person.rest())
    post_net.target_scale.copy_(scale_from(own, post_net.target_rest))
    post_net.source_scale.copy_(scale_from(generic, post_net.source_rest))
    discriminator.mean.copy_(own.mean(dim=0))
    discriminator.std.copy_(own.std(dim=0).clamp_min(0.02))

    optimizer = torch.optim.AdamW(
        post_net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.5, 0.9)
    )
    judge_optimizer = torch.optim.AdamW(
        discriminator.parameters(), lr=config.discriminator_learning_rate, betas=(0.5, 0.9)
    )
    net, judge, optimizer, judge_optimizer = loop.prepare(post_net, discriminator, optimizer, judge_optimizer)
    rest = post_net.source_rest.expand(1, window, -1, -1)

    def make_batch(rng: np.random.Generator) -> dict[str, torch.Tensor]:
        features, lm3d = person.draw(config.batch_size, window, rng)
        noise_shape = (config.batch_size, generator.latent_frames(window), generator.latent_channels)
        return {
            "voices": voices.draw(config.batch_size, rng)["features"],
            "noise": torch.from_numpy(rng.standard_normal(noise_shape, dtype=np.float32)),
            "features": features,
            "lm3d": lm3d,
        }

    def normalised(lm3d: torch.Tensor) -> torch.Tensor:
        return (lm3d - post_net.target_rest) / post_net.target_scale

    best = Best(loop)
    dev = person.hold_out("dev")
    for step in loop:
        for batch in loop.microbatches(step, make_batch):
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            with torch.no_grad():
                of_voices = generator(batch["voices"], batch["noise"], 1.0)
                # The noise explains nothing of this recording: without it the error is that of the mapping.
                of_person = generator(batch["features"], batch["noise"], 0.0)

            refined = net(of_voices)
            judged = judge(torch.cat([refined.detach(), batch["lm3d"]]))
            fake, real = judged.chunk(2)
            judge_loss = fake.square().mean() + (real - 1).square().mean()
            loop.backward(judge_loss)

            in_generic = normalised(refined) * post_net.source_scale + post_net.source_rest
            cosine = sync_expert.score(in_generic, batch["voices"], step=2)
            discriminator.requires_grad_(False)
            terms = {
                "adversarial": config.adversarial_weight * (discriminator(refined) - 1).square().mean(),
                "sync": config.sync_weight * sync_loss(cosine, torch.ones_like(cosine)),
                "supervised": config.supervised_weight
                * (normalised(net(of_person)) - normalised(batch["lm3d"])).square().mean(),
                "rest": config.rest_weight * normalised(net(rest)).square().mean(),
            }
            loop.backward(torch.stack(list(terms.values())).sum())
            discriminator.requires_grad_(True)
        loop.update(judge_optimizer, judge)
        loop.update(optimizer, net)
        loop.record(**terms, discriminator=judge_loss)
        if (step + 1) % config.evaluate_every == 0 or step + 1 == config.steps:
            component = loop.accelerator.unwrap_model(net)
            component.eval()
            generated = generate_for(component, generator)(dev.features, 0, 0.0).numpy()
            best.offer(component, step + 1, metrics.lm3d_error(dev.lm3d, generated))
            component.train()

    component = best.load()
    loop.finish(component)
    if loop.accelerator.is_main_process:
        component.to(device)
        rest_of_person = component.target_rest.cpu().numpy()
        figures = motion_figures(generate_for(component, generator), [dev], mean_landmarks, rest=rest_of_person)
        loop.report({"best_step": best.step, "dev": figures})
    return loop.folder / "model"


class Best:
    """The post-net with the smallest error so far, kept on disk so that a resumed run knows it, too."""

    def __init__(self, loop: Loop):
        self.loop, self.folder = loop, loop.folder / "best"
        self.note = self.folder / "best.json"
        found = read_json(self.note) if loop.config.resume and self.note.exists() else {}
        self.step, self.error = int(found.get("step", 0)), float(found.get("lm3d_error_mm", "inf"))

    def offer(self, component: PostNet, step: int, error: float) -> None:
        if error < self.error:
            self.step, self.error = step, error
            if self.loop.accelerator.is_main_process:
                component.save_pretrained(self.folder)
                write_json(self.note, {"step": step, "lm3d_error_mm": error})

    def load(self) -> PostNet:
        self.loop.accelerator.wait_for_everyone()
        return PostNet.from_pretrained(self.folder)


if __name__ == "__main__":
    train(parse_config(PostNetConfig))
