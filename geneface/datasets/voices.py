"""Many voices without landmarks: what drives the unsupervised part of a post-net (Section 3.2).

The motion that the frozen generator gives for them is made once, with noise of its own for every copy of a clip, and
lies with the features in temporary files that are mapped; so a step of the training costs the post-net alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from tqdm import tqdm

from geneface.datasets.corpus import Corpus
from geneface.datasets.motion import Store, changed_sound, features_of
from geneface.errors import InputError
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator, latent_noise
from geneface.streaming.prefetch import prefetch
from geneface.utils.units import SAMPLES_PER_FRAME


class Voices:
    """Windows of audio features with generated motion at temperature 1, voices by the root of their length."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        extractor: AudioFeatures,
        generator: MotionGenerator,
        window: int,
        copies: int = 1,
        seed: int = 0,
    ):
        """`window`: frames drawn together. `copies`: of each clip, the first as it is, more with changed sound."""
        self.window = window
        self.features, self.motion = Store(extractor.feature_size), Store(68 * 3)
        jobs = [(corpus, clip, copy) for corpus in corpora for clip in corpus.clips for copy in range(copies)]

        def load(number: int) -> np.ndarray:
            corpus, clip, copy = jobs[number]
            samples = corpus.audio(clip)
            if copy:
                samples = changed_sound(samples, np.random.default_rng([seed, number]))
            return np.pad(samples, (0, max(0, window * SAMPLES_PER_FRAME - len(samples))))

        self.clips: list[tuple[int, int]] = []
        """First frame and frames of each copy."""
        loaded = tqdm(prefetch(load, range(len(jobs)), threads=2, waiting=2), "voices", len(jobs), unit="clip")
        for number, samples in enumerate(loaded):
            features = features_of(samples, extractor)
            self.features.add(features)
            noise = latent_noise(
                seed + number, 0, generator.latent_frames(len(features) // 2), generator.latent_channels
            )
            with torch.no_grad():
                motion = generator(features[None].to(generator.device), noise[None].to(generator.device), 1.0)[0]
            self.clips.append((self.motion.add(motion.flatten(1)), len(motion)))
        speakers = np.array([clip.speaker for _, clip, _ in jobs])
        frames = np.array([length for _, length in self.clips], np.float64)
        _, index = np.unique(speakers, return_inverse=True)
        chances = frames / np.sqrt(np.bincount(index, frames)[index])
        self.chances = chances / chances.sum()

    def draw(self, count: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Features [count, 2 * window, D] and generic LM3D [count, window, 68, 3], float32."""
        features, motion = [], []
        for index in rng.choice(len(self.clips), size=count, p=self.chances):
            first, frames = self.clips[index]
            start = first + int(rng.integers(frames - self.window + 1))
            features.append(self.features[2 * start : 2 * (start + self.window)])
            motion.append(self.motion[start : start + self.window])
        return (
            torch.from_numpy(np.stack(features).astype(np.float32)),
            torch.from_numpy(np.stack(motion).astype(np.float32)).unflatten(-1, (68, 3)),
        )


def open_voices(folders: Sequence[str]) -> list[Corpus]:
    """The training clips of each folder; nothing need be known of them besides their sound."""
    chosen = [
        Corpus(corpus.folder, clips)
        for corpus in map(Corpus, folders)
        if (clips := [clip for clip in corpus.clips if clip.split == "train"])
    ]
    if not chosen:
        raise InputError(
            f"{', '.join(folders) or 'corpora'}: no clip of the training part; name a folder of many voices, such as "
            "examples/speech"
        )
    return chosen
