"""Train the judge of lips and sound: `accelerate launch -m geneface.training.mouth_judge --config FILE`.

A small regression from audio features to the mouth opening. How well it does on speakers that it does not know is what
features are worth (`research.chain`); where its answer fits a clip best is the clip's offset (`datasets.in_step`).
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from geneface import metrics
from geneface.datasets.motion import MotionData
from geneface.models.speech_regression import SpeechRegression
from geneface.motion.lips import mouth_opening
from geneface.training.corpora import Corpora, CorporaConfig
from geneface.training.loop import Loop, parse_config
from geneface.training.mouth_teacher import shape_error

USUAL = 0.2
"""cm: about the standard deviation of the mouth opening in speech."""


@dataclass
class MouthJudgeConfig(CorporaConfig):
    """Settings of `geneface.training.mouth_judge`; the corpora's tracked clips alone are learned from."""

    steps: int = 120
    batch_size: int = 32
    learning_rate: float = 2e-3
    warmup_steps: int = 10
    weight_decay: float = 0.01
    window: int = 60
    copies: int = 1
    real_share: float = 1.0


def train_judge(
    data: MotionData, mean_landmarks: torch.Tensor, extractor: str, config: MouthJudgeConfig, loop: Loop
) -> SpeechRegression:
    """On windows of features and LM3D of the mean identity."""
    net = SpeechRegression(data.feature_size, extractor=extractor)
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    model, optimizer = loop.prepare(net, optimizer)
    closed = mean_landmarks.to(loop.device)
    for step in loop:
        for batch in loop.microbatches(step, lambda rng: data.draw(config.batch_size, rng)):
            wanted = mouth_opening(batch["lm3d"].to(loop.device) + closed)
            found = model(batch["features"].to(loop.device))[..., 0]
            shape, size = shape_error(found, wanted), (found - wanted).abs().mean() / USUAL
            loop.backward(shape + 0.5 * size)
            loop.record(shape=shape, size=size)
        loop.update(optimizer, model)
    return loop.accelerator.unwrap_model(model).eval()


def train(config: MouthJudgeConfig) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder."""
    loop = Loop(config)
    corpora = Corpora(config, loop.device)
    judge = train_judge(corpora.train, corpora.face.mean_landmarks, corpora.extractor.identity, config, loop)
    folder = loop.finish(judge, dtype=torch.float16)
    mean_landmarks = corpora.face.mean_landmarks.numpy()
    curves = []
    for clip in corpora.held_out()["tracked"]:
        with torch.no_grad():
            found = judge(clip.features[None].to(loop.device))[0, :, 0].cpu().numpy()
        curves.append(metrics.Curves(metrics.lm3d_opening(clip.lm3d, mean_landmarks), found, clip.speaker))
    score = metrics.opening_score(curves)
    loop.report({"dev": {"r": score.r.mean, "r_interval": [score.r.low, score.r.high], "r_chance": score.chance.mean}})
    return folder


if __name__ == "__main__":
    train(parse_config(MouthJudgeConfig))
