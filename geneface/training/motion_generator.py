"""Train the motion generator (Eq. 3): `accelerate launch -m geneface.training.motion_generator --config FILE`."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from geneface.bundles.loading import new_component
from geneface.errors import run_script
from geneface.face import ibug68
from geneface.models.features import check_features
from geneface.models.motion_generator import MotionGenerator
from geneface.models.sync_expert import SyncExpert, sync_loss
from geneface.motion.lips import mouth_opening, mouth_width
from geneface.training.corpora import Corpora, CorporaConfig
from geneface.training.loop import Loop, parse_config
from geneface.training.motion_figures import generate_with, motion_figures
from geneface.training.mouth_teacher import shape_error
from geneface.utils.files import write_json

logger = logging.getLogger(__name__)

GAP_SCALE = 0.2
"""cm: about the standard deviation of the mouth opening in speech."""


@dataclass
class MotionGeneratorConfig(CorporaConfig):
    """Settings of `geneface.training.motion_generator`; `window` is a multiple of the model's stride."""

    model: str = "hub_configs/embedded/motion_generator.json"
    sync_expert: str = "runs/sync_expert/model"
    """A trained one, or "" to train without."""
    kl_weight: float = 0.5
    kl_warmup: int = 1000
    """Steps until the KL term has its full weight."""
    sync_weight: float = 0.03
    sync_start: int = 1000
    """Steps before the sync-expert has a say."""
    error_power: float = 1.0
    """Of the landmarks' error: 1 for absolute, 2 for squared."""
    velocity_weight: float = 0.5
    opening_weight: float = 0.5
    """Of the gaps between the inner lips, in units of 0.2 cm."""
    lips_weight: float = 3.0
    upper_weight: float = 0.3
    """Of brows, nose and eyes."""
    answer_weight: float = 0.0
    """Of the same errors of the answer at temperature 0, the middle of the prior, against the recording."""
    shape_weight: float = 0.0
    """Of 1 - r of the mouth opening of samples over each window, whatever the size of the speaker's movements."""
    width_weight: float = 0.0
    """The same of the mouth's width."""
    amplitude: float = 1.0
    """Factor on what the finished generator moves about its mean: the means that it learns move less than faces do
    (global variance: Toda & Tokuda 2007)."""


class Objective(nn.Module):
    """The terms of Eq. 3 for one batch, in a `forward` so that several processes can share it."""

    weights: torch.Tensor

    def __init__(self, generator: MotionGenerator, config: MotionGeneratorConfig):
        super().__init__()
        self.generator, self.config = generator, config
        weights = torch.ones(68, 1)
        weights[ibug68.UPPER_FACE] = config.upper_weight
        weights[ibug68.LIPS] = config.lips_weight
        self.register_buffer("weights", weights / weights.mean(), persistent=False)

    def gaps(self, lm3d: torch.Tensor) -> torch.Tensor:
        return lm3d[:, :, ibug68.UPPER_LIP] - lm3d[:, :, ibug68.LOWER_LIP]

    def errors(self, landmarks: torch.Tensor, lm3d: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Of normalised landmarks against LM3D [B, T, 68, 3]; and what they are in centimetres."""
        error = landmarks - self.generator.normalise(lm3d)
        rebuilt = self.generator.denormalise(landmarks)
        gap_error = (self.gaps(rebuilt) - self.gaps(lm3d)) / GAP_SCALE
        terms = {
            "landmarks": (self.weights * error.abs() ** self.config.error_power).mean(),
            "velocity": (self.weights * error.diff(dim=1).abs()).mean() * self.config.velocity_weight,
            "opening": gap_error.abs().mean() * self.config.opening_weight,
        }
        return terms, rebuilt

    def forward(
        self, lm3d: torch.Tensor, features: torch.Tensor, noise: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """-> (loss terms, reconstructed LM3D [B, T, 68, 3])"""
        reconstruction = self.generator.reconstruct(lm3d, features, noise)
        terms, rebuilt = self.errors(reconstruction.landmarks, lm3d)
        terms["kl"] = reconstruction.kl.mean()
        config = self.config
        if max(config.answer_weight, config.shape_weight, config.width_weight) > 0:
            # Every other sequence at temperature 0, the others drawn: each seed is to be in time with the sound.
            drawn = torch.arange(len(lm3d), device=lm3d.device) % 2
            sampled = self.generator.sample(features, noise, drawn[:, None, None])
            errors, _ = self.errors(sampled[::2], lm3d[::2])
            terms["answer"] = torch.stack(list(errors.values())).sum() * config.answer_weight
            closed = self.generator.mean_landmarks
            found, wanted = self.generator.denormalise(sampled) + closed, lm3d + closed
            terms["shape"] = shape_error(mouth_opening(found), mouth_opening(wanted)) * config.shape_weight
            terms["width"] = shape_error(mouth_width(found), mouth_width(wanted)) * config.width_weight
        return terms, rebuilt


def train(config: MotionGeneratorConfig, corpora: Corpora | None = None) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder.

    `corpora` of an earlier training with the same settings save the time to make them again.
    """
    loop = Loop(config)
    if corpora is None:
        corpora = Corpora(config, loop.device)
    component: MotionGenerator = new_component(
        Path(config.model),
        "MotionGenerator",
        feature_size=corpora.extractor.feature_size,
        extractor=corpora.extractor.identity,
    )
    mean, std = corpora.train.statistics()
    component.landmark_mean.copy_(mean)
    component.landmark_std.copy_(std)
    component.mean_landmarks.copy_(corpora.face.mean_landmarks)
    sync_expert = None
    if config.sync_expert:
        sync_expert = SyncExpert.from_pretrained(config.sync_expert).to(loop.device).requires_grad_(False)
        check_features(corpora.extractor, sync_expert, "sync-expert")
    optimizer = torch.optim.AdamW(
        component.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.98)
    )
    objective, optimizer = loop.prepare(Objective(component, config), optimizer)
    noise_shape = (config.batch_size, component.latent_frames(config.window), component.latent_channels)

    def make_batch(rng: np.random.Generator) -> dict[str, torch.Tensor]:
        noise = torch.from_numpy(rng.standard_normal(noise_shape, dtype=np.float32))
        return {**corpora.train.draw(config.batch_size, rng), "noise": noise}

    for step in loop:
        for batch in loop.microbatches(step, make_batch):
            batch = {name: tensor.to(loop.device) for name, tensor in batch.items()}
            terms, rebuilt = objective(batch["lm3d"], batch["features"], batch["noise"])
            figures = dict(terms)
            terms["kl"] = terms["kl"] * config.kl_weight * min(1.0, (step + 1) / max(1, config.kl_warmup))
            if sync_expert is not None and step >= config.sync_start:
                cosine = sync_expert.score(rebuilt, batch["features"], step=2)
                figures["sync"] = sync_loss(cosine, torch.ones_like(cosine))
                terms["sync"] = config.sync_weight * figures["sync"]
            loop.backward(torch.stack(list(terms.values())).sum())
        loop.update(optimizer, objective)
        loop.record(**figures)
    component = loop.accelerator.unwrap_model(objective).generator.eval()
    component.landmark_std.mul_(config.amplitude)
    loop.finish(component)
    if loop.accelerator.is_main_process:
        mean_landmarks = corpora.face.mean_landmarks.numpy()
        report = {
            kind: motion_figures(generate_with(component), held_out, mean_landmarks, sync_expert)
            for kind, held_out in corpora.held_out().items()
        }
        write_json(loop.folder / "report.json", report)
        for kind, found in report.items():
            logger.info("%s %s", kind, found)
    return loop.folder / "model"


if __name__ == "__main__":
    run_script(lambda: train(parse_config(MotionGeneratorConfig)))
