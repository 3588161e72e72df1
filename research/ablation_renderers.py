"""Trains and measures the renderer rows of the ablations, AD-NeRF among them."""

from functools import cached_property
from typing import Any

import numpy as np
import torch

from geneface.bundles.loading import trained_component
from geneface.datasets.motion import features_of
from geneface.datasets.person import PersonDataset, split_range
from geneface.errors import InputError
from geneface.face.ibug68 import EYES
from geneface.media.audio import load_audio
from geneface.models.post_net import PostNet
from geneface.renderers.renderer import Renderer
from geneface.resources import located
from geneface.training import post_net
from geneface.training.motion_figures import Generate
from geneface.training.person_speech import PersonSpeech, generate_for
from geneface.training.post_net import PostNetConfig
from geneface.training.renderer_figures import EVALUATED, Frames, held_out_figures
from geneface.training.renderers import fast, nerf
from geneface.training.renderers.fast import RendererConfig
from geneface.training.renderers.nerf import NerfConfig
from geneface.utils.files import read_json
from geneface.utils.units import SAMPLES_PER_FRAME
from research.ablation_motion import Plan
from research.ablation_rows import ROWS, RendererRow
from research.videos import rendered, write_video


class RendererRows:
    """Rows of one plan; landmark-driven ones speak through the shipped generic generator and a post-net for it."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.data = PersonDataset(plan.dataset)
        self.test = np.array(split_range(len(self.data), "test"))

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
            fast.train(self.plan.settings(RendererConfig, [self.plan.renderer], **common))
        report = read_json(folder / "report.json", "run")["test"]
        trained: Renderer = trained_component(folder / "model")
        frames = Frames(self.data, trained)
        trained.to(self.plan.device)
        figures = {f"audio_{region}": value for region, value in report.items()}
        if trained.track == "lm3d":
            frames.windows[self.test] = trained.windows(self.chain.spoken)
            spoken = held_out_figures(trained, frames, "test", most=most)
            figures = {f"tracked_{region}": value for region, value in report.items()}
            figures |= {f"audio_{region}": value for region, value in spoken.items()}
        if row.script == "renderer":
            self.film(name, trained, frames)
        return figures

    @torch.no_grad()
    def film(self, name: str, trained: Renderer, frames: Frames) -> None:
        """Write `videos/`: the test part as it is and as driven by its sound, and the plan's recordings."""
        folder, test = self.plan.output / "videos", self.test
        own = self.chain.person.samples("test")
        write_video(
            folder / "real_test.mp4", lambda a, b: self.data.frames[test[a:b]], len(test), own, synthetic=False
        )
        given = frames.conditions(test)
        show = rendered(trained, given["windows"], given["pose"], given["torso"])
        write_video(folder / f"{name}_test.mp4", show, len(test), own)
        for path in self.plan.recordings:
            samples = load_audio(path)
            samples = np.pad(samples, (0, -len(samples) % SAMPLES_PER_FRAME))
            extractor = self.chain.person.extractor
            if (known := self.data.manifest.get("feature_extractor", "")) and known != extractor.identity:
                raise InputError(
                    f"{self.data.folder} has features of {known}, not of {extractor.identity}; "
                    "preprocess the video again"
                )
            features = features_of(samples, extractor)
            if trained.track == "lm3d":
                track = self.chain.generate(features, 0, 0.0)
            else:
                track = features.cpu().unflatten(0, (-1, 2))
            show = rendered(trained, trained.windows(track))
            write_video(folder / f"{name}_{path.stem}.mp4", show, len(track), samples)

    def _quiet(self, row: RendererRow) -> dict[str, float]:
        """Noise is for landmarks."""
        settings = read_json(located(row.renderer), "settings")
        return {"landmark_noise": 0.0} if settings.get("audio_features") else {}

    @cached_property
    def chain(self) -> "Chain":
        return Chain(self.plan, self.data)


class Chain:
    """From sound to the person's landmarks, by the shipped motion generator and a post-net for it."""

    def __init__(self, plan: Plan, data: PersonDataset):
        self.plan, self.data = plan, data
        self.folder = plan.output / "trained" / "post_net"
        self.config = plan.settings(PostNetConfig, [plan.post_net], dataset=plan.dataset, output_dir=self.folder)
        extractor = trained_component(self.config.feature_extractor).to(plan.device)
        generator = trained_component(self.config.motion_generator).to(plan.device)
        self.person = PersonSpeech(plan.dataset, extractor, generator)

    @cached_property
    def generate(self) -> Generate:
        if not (self.folder / "report.json").is_file():
            post_net.train(self.config)
        adapter: PostNet = trained_component(self.folder / "model").to(self.plan.device)
        return generate_for(adapter, self.person.generator)

    @cached_property
    def spoken(self) -> torch.Tensor:
        """[T, 68, 3] of the test part, at temperature 0, with the tracked eyes."""
        lm3d = self.generate(self.person.hold_out("test").features, 0, 0.0)
        test = self.person.frames("test")
        lm3d[:, EYES] = self.data.track("lm3d")[test.start : test.stop, EYES]
        return lm3d
