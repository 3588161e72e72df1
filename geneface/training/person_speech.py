"""A person's own recording, as the trainings of a post-net see it: LM3D, features, generic motion, by split."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from geneface import metrics
from geneface.bundles.component import read_tensors
from geneface.datasets.motion import Speech, changed_sound, features_of
from geneface.datasets.person import split_ranges
from geneface.face.ibug68 import EYES
from geneface.media.audio import load_audio
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.training.motion_figures import Generate, HeldOut, generate_with, hold_out
from geneface.utils.units import SAMPLES_PER_FRAME

SMALLEST_SCALE = 0.02
"""cm"""


class Run(NamedTuple):
    """Frames of the training part without a gap."""

    lm3d: torch.Tensor
    """[T, 68, 3]"""
    features: torch.Tensor
    """[2T, D]"""
    generic: torch.Tensor
    """[T, 68, 3]: the motion generator's answer at temperature 0."""


class PersonSpeech:
    """LM3D with the eyes held still, and what the frozen generic components make of the sound, split by split."""

    def __init__(
        self,
        folder: str | Path,
        extractor: AudioFeatures,
        generator: MotionGenerator,
        block: int | None = None,
        copies: int = 1,
        seed: int = 0,
    ):
        """`block`: see `split_ranges`. `copies`: of the training part, the first as it is, more with changed sound."""
        folder = Path(folder)
        lm3d = read_tensors(folder / "tracks.safetensors", "dataset")["lm3d"].float().numpy().copy()
        samples = load_audio(folder / "audio.flac")
        frames = min(len(lm3d), -(-len(samples) // SAMPLES_PER_FRAME))
        self._ranges = {split: split_ranges(frames, split, block) for split in ("train", "dev", "test")}
        train = np.concatenate([np.arange(part.start, part.stop) for part in self._ranges["train"]])
        lm3d[:, EYES] = np.median(lm3d[train][:, EYES], axis=0)
        self._lm3d, self._samples = lm3d, np.pad(samples, (0, max(0, frames * SAMPLES_PER_FRAME - len(samples))))
        self.extractor, self.generator = extractor, generator
        self.mean_landmarks = generator.mean_landmarks.cpu().numpy()
        self.own = torch.from_numpy(lm3d[train])
        """[N, 68, 3]: all frames of the training part."""
        generate = generate_with(generator)
        self.runs: list[Run] = []
        for copy in range(copies):
            for number, part in enumerate(self._ranges["train"]):
                speech = self._speech(part)
                heard = changed_sound(speech.samples, np.random.default_rng([seed, copy, number])) if copy else None
                features = features_of(speech.samples if heard is None else heard, extractor).cpu()
                self.runs.append(Run(torch.from_numpy(speech.lm3d), features, generate(features, 0, 0.0)))
        self.generic = torch.cat([generate(run.features, 0, 1.0) for run in self.runs])
        """[N, 68, 3]: the generic motion of the training part at temperature 1."""

    def _speech(self, part: range) -> Speech:
        samples = self._samples[part.start * SAMPLES_PER_FRAME : part.stop * SAMPLES_PER_FRAME]
        return Speech(samples, self._lm3d[part.start : part.stop])

    def frames(self, split: str) -> range:
        """Of a held-out split."""
        return self._ranges[split][0]

    def samples(self, split: str) -> np.ndarray:
        """[640 T] of a held-out split."""
        return self._speech(self.frames(split)).samples

    def hold_out(self, split: str) -> HeldOut:
        return hold_out(self._speech(self.frames(split)), "person", [], self.extractor)

    def rest(self) -> torch.Tensor:
        """[68, 3]: the mean of the twentieth of the training frames with the most closed mouth."""
        opening = metrics.lm3d_opening(self.own.numpy(), self.mean_landmarks)
        return self.own[torch.from_numpy(opening <= np.quantile(opening, 0.05))].mean(dim=0)

    def fit(self, adapter: PostNet | LandmarkProjection) -> None:
        """Give an adapter the rest and the scale of both domains."""
        adapter.target_rest.copy_(self.rest())
        adapter.target_scale.copy_(scale_from(self.own, adapter.target_rest))
        adapter.source_scale.copy_(scale_from(self.generic, adapter.source_rest))

    @property
    def longest(self) -> int:
        """Frames of the longest run."""
        return max(len(run.lm3d) for run in self.runs)

    def draw(self, count: int, frames: int, rng: np.random.Generator) -> Run:
        """Windows of the training part: [count, frames, ...] of what a `Run` holds, no longer than the longest."""
        places = np.array([max(0, len(run.lm3d) - frames + 1) for run in self.runs])
        drawn = []
        for place in rng.integers(places.sum(), size=count):
            index = int(np.searchsorted(places.cumsum(), place, side="right"))
            start = int(place - places[:index].sum())
            run, stop = self.runs[index], start + frames
            drawn.append((run.lm3d[start:stop], run.features[2 * start : 2 * stop], run.generic[start:stop]))
        return Run(*map(torch.stack, zip(*drawn, strict=True)))


def scale_from(lm3d: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """Root mean square distance [68, 3] of LM3D [N, 68, 3] from the rest, at least 0.02 cm."""
    return (lm3d - rest).square().mean(dim=0).sqrt().clamp_min(SMALLEST_SCALE)


def generate_for(adapter: PostNet | LandmarkProjection, generator: MotionGenerator) -> Generate:
    """The person's LM3D of the whole chain."""
    generic = generate_with(generator)

    def generate(features: torch.Tensor, seed: int, temperature: float) -> torch.Tensor:
        with torch.no_grad():
            return adapter(generic(features, seed, temperature)[None].to(adapter.device))[0].cpu()

    return generate


def dev_score(generate: Generate, dev: HeldOut, mean_landmarks: np.ndarray, unit: float) -> tuple[float, float]:
    """What chooses a checkpoint, the higher the better, and the LM3D error in mm, at temperature 0.

    The score is the concordance of the mouth opening (1 only if it follows, moves as far and is as open on average)
    minus the LM3D error in units of `unit`. The error alone would choose a mouth that hardly moves.
    """
    lm3d = generate(dev.features, 0, 0.0).numpy()
    error = metrics.lm3d_error(dev.lm3d, lm3d)
    real, made = (metrics.lm3d_opening(points, mean_landmarks) for points in (dev.lm3d, lm3d))
    return metrics.concordance(real, made) - error / unit, error
