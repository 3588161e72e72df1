"""Train the sync-expert (Appendix A.2): `accelerate launch -m geneface.training.sync_expert --config FILE`."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from geneface.bundles.loading import new_component
from geneface.datasets.motion import MotionData
from geneface.errors import run_script
from geneface.metrics import sync_windows
from geneface.models.sync_expert import SyncExpert, sync_loss
from geneface.training.corpora import Corpora, CorporaConfig
from geneface.training.loop import Loop, parse_config
from geneface.training.motion_figures import sync_figures
from geneface.utils.files import write_json

logger = logging.getLogger(__name__)


@dataclass
class SyncExpertConfig(CorporaConfig):
    """Settings of `geneface.training.sync_expert`; pairs are taken from each `window`."""

    model: str = "hub_configs/embedded/sync_expert.json"
    pairs: int = 16
    """Pairs per window of frames, half of them in sync."""
    noise: float = 0.02
    """cm, added to the landmarks, so that what tracking leaves behind gives nothing away."""
    amplitude: float = 0.0
    """Standard deviation of the logarithm of a factor on the landmarks of each window: speakers move more or less."""
    other_clips: float = 0.2
    """Share of the pairs out of sync whose landmarks are of another clip."""


class Pairs:
    """Batches of landmark and audio windows, half of them in sync."""

    def __init__(self, data: MotionData, config: SyncExpertConfig, length: int):
        self.data, self.config, self.length = data, config, length

    def __call__(self, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        config = self.config
        drawn = self.data.draw(config.batch_size, rng)
        landmarks, audio, targets = [], [], []
        for index, features in enumerate(drawn["features"]):
            windows = sync_windows(config.window, config.pairs, rng, self.length)
            others = ~windows.in_sync & (rng.random(config.pairs) < config.other_clips)
            faces = np.where(others, rng.integers(config.batch_size, size=config.pairs), index)
            landmarks += [
                drawn["lm3d"][face, start : start + self.length]
                for face, start in zip(faces, windows.landmarks, strict=True)
            ]
            audio += [features[2 * start : 2 * (start + self.length)] for start in windows.audio]
            targets.append(torch.from_numpy(windows.in_sync.astype(np.float32)))
        points = torch.stack(landmarks)
        size = np.exp(config.amplitude * rng.standard_normal((len(points), 1, 1, 1), dtype=np.float32))
        points = points * torch.from_numpy(size)
        points = points + config.noise * torch.from_numpy(rng.standard_normal(points.shape, dtype=np.float32))
        return {"lm3d": points, "features": torch.stack(audio), "target": torch.cat(targets)}


def train(config: SyncExpertConfig) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder."""
    loop = Loop(config)
    corpora = Corpora(config, loop.device)
    component: SyncExpert = new_component(
        Path(config.model),
        "SyncExpert",
        feature_size=corpora.extractor.feature_size,
        extractor=corpora.extractor.identity,
    )
    mean, std = corpora.train.statistics()
    component.landmark_mean.copy_(mean)
    component.landmark_std.copy_(std)
    optimizer = torch.optim.AdamW(component.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    model, optimizer = loop.prepare(component, optimizer)
    make_batch = Pairs(corpora.train, config, component.window)
    for step in loop:
        for batch in loop.microbatches(step, make_batch):
            batch = {name: tensor.to(loop.device) for name, tensor in batch.items()}
            cosine = model(batch["lm3d"], batch["features"])
            loss = sync_loss(cosine, batch["target"])
            loop.backward(loss)
        loop.update(optimizer, model)
        loop.record(loss=loss, accuracy=((cosine > 0.5) == (batch["target"] > 0.5)).float().mean())
    loop.finish(model)
    if loop.accelerator.is_main_process:
        component = loop.accelerator.unwrap_model(model).eval()
        report = {kind: sync_figures(component, held_out) for kind, held_out in corpora.held_out().items()}
        write_json(loop.folder / "report.json", report)
        logger.info(report)
    return loop.folder / "model"


if __name__ == "__main__":
    run_script(lambda: train(parse_config(SyncExpertConfig)))
