"""What is measured of one row of the ablations: on the corpus, on the person, and on voices that are not the person's.

Everything is measured on LM3D, so that it needs no tracking. LMD is that of the landmarks projected into the picture
with the tracked head pose, not of landmarks detected in rendered frames.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from geneface import metrics
from geneface.models.motion_generator import MotionGenerator, latent_noise
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.models.sync_expert import SyncExpert
from geneface.renderers.camera import project
from geneface.training.motion_figures import SILENCE_FRAMES, Generate, HeldOut, generate_with
from geneface.training.person_speech import PersonSpeech
from geneface.utils.units import SAMPLES_PER_FRAME

SEEDS = 10
OFFSETS = range(-10, 11)


class Camera(NamedTuple):
    """Of the frames that are compared."""

    pose: torch.Tensor
    """[T, 3, 4], head to camera."""
    intrinsics: torch.Tensor
    """[3, 3]"""


class Expert(NamedTuple):
    """The sync-expert, and the audio features that it knows."""

    model: SyncExpert
    hear: Callable[[np.ndarray], torch.Tensor]
    """Samples [640 T] -> features [2T, D]."""

    def confidence(self, lm3d: np.ndarray, samples: np.ndarray) -> float:
        """The highest mean cosine over offsets of up to ten frames minus their median, as SyncNet's confidence is."""
        device, frames = self.model.device, len(lm3d)
        features, motion = self.hear(samples).to(device), torch.from_numpy(lm3d).float().to(device)
        found = []
        for offset in OFFSETS:
            first, last = max(0, offset), frames + min(0, offset)
            if last - first < self.model.window:
                continue
            heard = features[2 * (first - offset) : 2 * (last - offset)]
            with torch.no_grad():
                found.append(float(self.model.score(motion[None, first:last], heard[None]).mean()))
        return max(found) - float(np.median(found))


def corpus_figures(
    generator: MotionGenerator, clips: Sequence[HeldOut], mean_landmarks: np.ndarray
) -> dict[str, float]:
    """LM3D error, r and spread at temperature 0 and the energy score at 1, over unseen speakers' clips."""
    generate, curves, errors, energies = generate_with(generator), [], [], []
    for clip in clips:
        lm3d = generate(clip.features, 0, 0.0).numpy()
        real, made = (metrics.lm3d_opening(points, mean_landmarks) for points in (clip.lm3d, lm3d))
        curves.append(metrics.Curves(real, made, clip.speaker))
        errors.append(metrics.lm3d_error(clip.lm3d, lm3d))
        energies.append(metrics.energy_score(clip.lm3d, _drawn(generator, clip.features)))
    weights = [len(clip.lm3d) for clip in clips]
    score = metrics.opening_score(curves, min_frames=min(metrics.MIN_CLIP_FRAMES, *weights))
    return {
        "corpus_error_mm": float(np.average(errors, weights=weights)),
        "corpus_energy_mm": float(np.average(energies, weights=weights)),
        "corpus_r": score.r.mean,
        "corpus_spread": score.spread,
    }


def _drawn(generator: MotionGenerator, features: torch.Tensor) -> np.ndarray:
    """[SEEDS, T, 68, 3] at temperature 1."""
    steps = generator.latent_frames(len(features) // 2)
    noise = torch.stack([latent_noise(seed, 0, steps, generator.latent_channels) for seed in range(SEEDS)])
    with torch.no_grad():
        heard = features.to(generator.device).expand(SEEDS, -1, -1)
        return generator(heard, noise.to(generator.device), 1.0).cpu().numpy()


class Measure:
    """Of motion made for a person.

    Args:
        person: The person's recording, by splits.
        expert: Judges synchrony in the generic domain.
        adapter: What made the person's motion of the generic one; None if nothing did.
        transfer: Untrained, with the person's rest and scale; brings real motion into the generic domain.
    """

    def __init__(
        self,
        person: PersonSpeech,
        expert: Expert,
        adapter: PostNet | LandmarkProjection | None,
        transfer: PostNet,
        camera: Camera,
    ):
        self.person, self.expert, self.adapter, self.transfer, self.camera = person, expert, adapter, transfer, camera
        self.mean = person.mean_landmarks
        self.rest = np.zeros((1, 68, 3)) if adapter is None else person.rest().numpy()[None]

    def opening(self, lm3d: np.ndarray) -> np.ndarray:
        return metrics.lm3d_opening(lm3d, self.mean)

    def generic(self, lm3d: np.ndarray, adapter: PostNet | LandmarkProjection | None) -> np.ndarray:
        """LM3D in the generic domain, where the sync-expert is at home."""
        if adapter is None:
            return lm3d
        rest, scale = adapter.target_rest.cpu().numpy(), adapter.target_scale.cpu().numpy()
        return (lm3d - rest) / scale * adapter.source_scale.cpu().numpy() + adapter.source_rest.cpu().numpy()

    def in_domain(self, generate: Generate) -> dict[str, float]:
        """On the person's own test part, at temperature 0."""
        clip, samples = self.person.hold_out("test"), self.person.samples("test")
        lm3d = generate(clip.features, 0, 0.0).numpy()
        own = self.opening(clip.lm3d)
        distance = metrics.landmark_distance(self.pixels(clip.lm3d), self.pixels(lm3d))
        return {
            "person_error_mm": metrics.lm3d_error(clip.lm3d, lm3d),
            "person_lmd_px": distance.lips,
            "person_lmd_all_px": distance.face,
            "person_r": metrics.correlation(own, self.opening(lm3d)),
            "person_spread": metrics.spread(own, self.opening(lm3d)),
            "person_sync": self.expert.confidence(self.generic(lm3d, self.adapter), samples),
        }

    def of_recording(self) -> dict[str, float]:
        """The same of the person's real motion, where it means something."""
        clip, samples = self.person.hold_out("test"), self.person.samples("test")
        return {"person_sync": self.expert.confidence(self.generic(clip.lm3d, self.transfer), samples)}

    def pixels(self, lm3d: np.ndarray) -> np.ndarray:
        """[T, 68, 2] in the picture, at the tracked head pose."""
        points = torch.from_numpy(lm3d + self.mean).float()
        return project(points, self.camera.pose, self.camera.intrinsics).numpy()

    def out_of_domain(
        self, generate: Generate, hear: Callable[[np.ndarray], torch.Tensor], samples: np.ndarray, seed: int
    ) -> dict[str, float]:
        """On a voice without a reference, at temperature 1: closed mouth in two seconds of silence, spread, synchrony.

        `hear` makes the features of the row's own generator; samples [640 T]. The silence gate of the pipeline, which
        closes any mouth, is left out.
        """
        middle = len(samples) // SAMPLES_PER_FRAME // 2
        cut = middle * SAMPLES_PER_FRAME
        silence = np.zeros(SILENCE_FRAMES * SAMPLES_PER_FRAME, np.float32)
        quiet = generate(hear(np.concatenate([samples[:cut], silence, samples[cut:]])), seed, 1.0).numpy()
        lm3d = generate(hear(samples), seed, 1.0).numpy()
        closed = float(self.opening(self.rest)[0])
        stop = middle + SILENCE_FRAMES - metrics.SETTLE_FRAMES
        return {
            "ood_silence": metrics.silence_opening(self.opening(quiet), middle, stop, closed),
            "ood_jitter_mm": metrics.jitter(quiet[middle + metrics.SETTLE_FRAMES : stop]),
            "ood_spread": metrics.spread(self.opening(self.person.own.numpy()), self.opening(lm3d)),
            "ood_sync": self.expert.confidence(self.generic(lm3d, self.adapter), samples),
        }
