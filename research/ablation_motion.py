"""Trains and measures the motion rows of the ablations; what is trained already is kept."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geneface.bundles.component import read_tensors
from geneface.bundles.loading import trained_component
from geneface.datasets.corpus import Corpus
from geneface.datasets.motion import features_of
from geneface.datasets.person import BLOCKS
from geneface.datasets.voices import Voices, open_voices
from geneface.face.face_model import FaceModel
from geneface.hub.persons import PERSONS_DIR
from geneface.media.audio import load_audio
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.models.sync_expert import SyncExpert
from geneface.resources import located
from geneface.training import motion_generator, post_net
from geneface.training.corpora import Corpora
from geneface.training.loop import Config, parse_config
from geneface.training.motion_figures import HeldOut, generate_with, held_out_clips
from geneface.training.motion_generator import MotionGeneratorConfig
from geneface.training.person_speech import PersonSpeech, generate_for
from geneface.training.post_net import OWN_GENERATOR, PostNetConfig
from geneface.utils.files import read_json
from geneface.utils.units import SAMPLES_PER_FRAME
from research.ablation_figures import Camera, Expert, Measure, corpus_figures
from research.ablation_rows import FAST, MOTION, NERF, POST_NET, ROWS, MotionRow


@dataclass(frozen=True)
class Plan:
    """What the rows are made of, and where they go."""

    dataset: Path
    output: Path
    corpora: list[str] = field(default_factory=list)
    """Folders with tracked or simulated clips; their `test` split is measured on, too."""
    recordings: list[Path] = field(default_factory=list)
    """Voices that are not the person's: other languages, the other gender, singing."""
    face_model: str = "runs/face_model.safetensors"
    feature_extractor: str = str(PERSONS_DIR / "generic" / "feature_extractor")
    sync_expert: str = str(PERSONS_DIR / "generic" / "sync_expert")
    device: str = "cpu"
    steps: int | None = None
    """Of each motion generator; as in its settings if None."""
    renderer_steps: int | None = None
    rotate: bool = False
    """Measure on each fifth of the person's video in turn, instead of its last tenth."""
    motion: str = MOTION
    post_net: str = POST_NET
    renderer: str = FAST
    nerf: str = NERF
    """Settings of the trainings, over which those of the rows are laid."""

    def settings(self, config_class: type[Config], files: list[str], **values: Any) -> Config:
        """Settings of a training from JSON files, each over the last, and from `values` that are not None."""
        if self.device == "cpu":
            values |= {"cpu": True, "mixed_precision": "no"}
        given = [f"{name}={json.dumps(value, default=str)}" for name, value in values.items() if value is not None]
        return parse_config(config_class, ["--config", *files, "--set", "resume=true", *given])


class MotionRows:
    """Rows of one plan; corpora, features and clips are made once."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.device = torch.device(plan.device)
        self.extractor = cache(self._extractor)
        self._corpora: dict[str, Corpora] = {}
        self._voices: tuple[str, Voices] | None = None
        self.clips = cache(self._clips)
        self.recording = cache(load_audio)

    def figures(self, name: str, seed: int) -> dict[str, Any]:
        """All figures of a row; trains what it needs."""
        row = _motion_row(name)
        config = self.config(row, name, seed)
        extractor, generator = self.extractor(config.feature_extractor), self.generator(name, seed)
        found: dict[str, Any] = {}
        if row.adapter != "fine_tune" and (clips := self.clips(config.feature_extractor)):
            found |= corpus_figures(generator, clips, generator.mean_landmarks.cpu().numpy())
        parts: list[dict[str, float]] = []
        for block in range(BLOCKS) if self.plan.rotate else [None]:
            adapter, own = self.adapter(row, name, seed, block, config)
            person = PersonSpeech(self.plan.dataset, extractor, own or generator, block)
            measure = Measure(person, self.expert, adapter, _transfer(person), self.camera(person))
            motion = own or generator
            generate = generate_with(motion) if adapter is None else generate_for(adapter, motion)
            parts.append(measure.in_domain(generate))
            if block in (None, 0):
                found["recording"] = measure.of_recording()
                found["voices"] = {
                    path.stem: measure.out_of_domain(generate, self._hear(extractor), self.voice(path), seed)
                    for path in self.plan.recordings
                }
                if row.adapter == "fine_tune" and (clips := self.clips(config.feature_extractor)):
                    found |= corpus_figures(motion, clips, person.mean_landmarks)
        found |= {key: float(np.mean([part[key] for part in parts])) for key in parts[0]}
        if found["voices"]:
            each = list(found["voices"].values())
            found |= {key: float(np.mean([part[key] for part in each])) for key in each[0]}
        return found

    def config(self, row: MotionRow, name: str, seed: int) -> MotionGeneratorConfig:
        """Settings of the training of the generator that a row takes."""
        if row.generator_of:
            name = row.generator_of
            row = _motion_row(name)
        plan = self.plan
        common = {"feature_extractor": plan.feature_extractor, "sync_expert": plan.sync_expert}
        files = [plan.motion]
        if row.config:
            files.append(row.config)
            settings = read_json(located(row.config), "settings")
            common = {key: value for key, value in common.items() if key not in settings}
        return plan.settings(
            MotionGeneratorConfig,
            files,
            **common,
            face_model=plan.face_model,
            corpora=plan.corpora,
            steps=plan.steps,
            seed=seed,
            output_dir=plan.output / "trained" / f"{name}_{seed}",
        )

    def generator(self, name: str, seed: int) -> MotionGenerator:
        config = self.config(_motion_row(name), name, seed)
        folder = Path(config.output_dir)
        if not (folder / "report.json").is_file():
            motion_generator.train(config, self.corpora(config))
        return trained_component(folder / "model").to(self.device).requires_grad_(False)

    def adapter(
        self, row: MotionRow, name: str, seed: int, block: int | None, config: MotionGeneratorConfig
    ) -> tuple[PostNet | LandmarkProjection | None, MotionGenerator | None]:
        """What makes the motion the person's, and a motion generator of the person's own, if there is one."""
        if row.adapter is None:
            return None, None
        folder = (
            self.plan.output / "trained" / f"{name}_{seed}" / ("post_net" if block is None else f"post_net_{block}")
        )
        if not (folder / "report.json").is_file():
            known = config.feature_extractor == str(located(self.plan.feature_extractor))
            settings = self.plan.settings(
                PostNetConfig,
                [self.plan.post_net],
                dataset=self.plan.dataset,
                adapter=row.adapter,
                block=block,
                feature_extractor=config.feature_extractor,
                motion_generator=str(Path(config.output_dir) / "model"),
                # The expert knows the features of one extractor alone.
                sync_expert=self.plan.sync_expert if known else "",
                seed=seed,
                output_dir=folder,
            )
            post_net.train(settings, self.other_voices(settings) if row.adapter == "post_net" else None)
        adapter = trained_component(folder / "model").to(self.device)
        own = folder / OWN_GENERATOR
        return adapter, trained_component(own).to(self.device) if own.is_dir() else None

    def other_voices(self, config: PostNetConfig) -> Voices:
        """What drives the adversarial part; the same for all blocks of a generator."""
        if self._voices is None or self._voices[0] != config.motion_generator:
            extractor = self.extractor(config.feature_extractor)
            generator = trained_component(config.motion_generator).to(self.device)
            opened = open_voices(config.corpora)
            made = Voices(opened, extractor, generator, config.window, config.copies, config.seed)
            self._voices = config.motion_generator, made
        return self._voices[1]

    def _extractor(self, place: str) -> AudioFeatures:
        return trained_component(place).to(self.device).requires_grad_(False)

    def _hear(self, extractor: AudioFeatures) -> Callable[[np.ndarray], torch.Tensor]:
        return partial(features_of, extractor=extractor)

    @cached_property
    def expert(self) -> Expert:
        model = SyncExpert.from_pretrained(self.plan.sync_expert).to(self.device).requires_grad_(False)
        return Expert(model, self._hear(self.extractor(self.plan.feature_extractor)))

    def corpora(self, config: MotionGeneratorConfig) -> Corpora:
        """The same for all rows and seeds that hear through the same extractor."""
        if config.feature_extractor not in self._corpora:
            self._corpora[config.feature_extractor] = Corpora(replace(config, seed=0), self.device)
        return self._corpora[config.feature_extractor]

    def _clips(self, extractor: str) -> list[HeldOut]:
        """Tracked clips of the corpora's `test` split."""
        opened = [Corpus(folder) for folder in self.plan.corpora]
        tested = [
            Corpus(corpus.folder, clips)
            for corpus in opened
            if (clips := [clip for clip in corpus.clips if clip.split == "test" and clip.lm3d])
        ]
        if not tested:
            return []
        face = FaceModel.load(self.plan.face_model)
        return held_out_clips(tested, face, self.extractor(extractor))["tracked"]

    def voice(self, path: Path) -> np.ndarray:
        """[640 T] of a recording."""
        samples = self.recording(path)
        return np.pad(samples, (0, -len(samples) % SAMPLES_PER_FRAME))

    def camera(self, person: PersonSpeech) -> Camera:
        tracks = read_tensors(self.plan.dataset / "tracks.safetensors", "dataset")
        part = person.frames("test")
        return Camera(tracks["pose"][part.start : part.stop].float(), tracks["intrinsics"].float())


def _motion_row(name: str) -> MotionRow:
    row = ROWS[name]
    assert isinstance(row, MotionRow)
    return row


def _transfer(person: PersonSpeech) -> PostNet:
    transfer = PostNet(layers=1, channels=8)
    person.fit(transfer)
    return transfer.eval()
