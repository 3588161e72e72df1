"""Trains and measures the renderer rows of the ablations, AD-NeRF among them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from geneface.bundle import read_json
from geneface.components import trained_component
from geneface.data.person import PersonDataset, split_range
from geneface.evaluation.ablation_motion import Plan
from geneface.evaluation.ablation_rows import ROWS, RendererRow
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.training import nerf, post_net, renderer
from geneface.training.nerf import NerfConfig
from geneface.training.person_speech import PersonSpeech, generate_for
from geneface.training.post_net import PostNetConfig
from geneface.training.renderer import RendererConfig
from geneface.training.renderer_figures import EVALUATED, Frames, held_out_figures


class RendererRows:
    """Rows of one plan; landmark-driven ones speak through the shipped generic generator and a post-net for it."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.data = PersonDataset(plan.dataset)
        self._spoken: torch.Tensor | None = None

    def figures(self, name: str, seed: int) -> dict[str, Any]:
        """PSNR on the test part from its tracked landmarks (`tracked_*`) and from its sound alone (`audio_*`)."""
        row = ROWS[name]
        assert isinstance(row, RendererRow)
        folder = self.plan.output / "trained" / f"{name}_{seed}"
        common = {
            "dataset": self.plan.dataset,
            "renderer": row.renderer,
            "steps": self.plan.renderer_steps,
            "seed": seed,
            "output_dir": folder,
        }
        done = (folder / "report.json").is_file()
        most = EVALUATED
        if row.script == "nerf":
            config = self.plan.settings(NerfConfig, [self.plan.nerf], **common, **self._quiet(row))
            most = config.evaluated
            if not done:
                nerf.train(config)
        elif not done:
            renderer.train(self.plan.settings(RendererConfig, [self.plan.renderer], **common))
        report = read_json(folder / "report.json")["test"]
        trained = trained_component(folder / "model", "FastRenderer").to(self.plan.device)
        if trained.condition.track != "lm3d":
            return {f"audio_{region}": value for region, value in report.items()}
        frames = Frames(self.data, trained)
        frames.windows[list(split_range(len(self.data), "test"))] = trained.condition.windows(self.spoken())
        spoken = held_out_figures(trained, frames, "test", most=most)
        return {f"tracked_{region}": value for region, value in report.items()} | {
            f"audio_{region}": value for region, value in spoken.items()
        }

    def _quiet(self, row: RendererRow) -> dict[str, float]:
        """Noise is for landmarks."""
        return {"landmark_noise": 0.0} if read_json(Path(row.renderer)).get("audio_features") else {}

    def spoken(self) -> torch.Tensor:
        """LM3D [T, 68, 3] of the test part, made from its sound at temperature 0, with the tracked eyes."""
        if self._spoken is None:
            folder = self.plan.output / "trained" / "post_net"
            config = self.plan.settings(
                PostNetConfig, [self.plan.post_net], dataset=self.plan.dataset, output_dir=folder
            )
            if not (folder / "report.json").is_file():
                post_net.train(config)
            extractor = trained_component(config.feature_extractor, "FeatureExtractor").to(self.plan.device)
            generator: MotionGenerator = trained_component(config.motion_generator, "MotionGenerator")
            adapter: PostNet = trained_component(folder / "model", "PostNet")
            person = PersonSpeech(self.plan.dataset, extractor, generator.to(self.plan.device))
            generate = generate_for(adapter.to(self.plan.device), generator)
            self._spoken = generate(person.hold_out("test").features, 0, 0.0)
            test = np.array(split_range(len(self.data), "test"))[: len(self._spoken)]
            self._spoken[:, 36:48] = self.data.tracks["lm3d"][test, 36:48].float()
        return self._spoken
