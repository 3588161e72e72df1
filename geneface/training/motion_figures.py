"""How well generated landmarks follow recordings that nothing was trained on (docs/measures.md)."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
import torch

from geneface import metrics
from geneface.datasets.corpus import Corpus
from geneface.datasets.motion import Speech, features_of, simulated_speech, tracked_speech
from geneface.face.articulation import Style
from geneface.face.face_model import FaceModel
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator, latent_noise
from geneface.models.sync_expert import SyncExpert
from geneface.utils.units import FPS, SAMPLES_PER_FRAME

SILENCE_FRAMES = 2 * FPS
SEEDS = 10
LABIALS, OPEN_VOWELS = frozenset("pbm"), frozenset("aɑæɒ")

Generate = Callable[[torch.Tensor, int, float], torch.Tensor]
"""(features [2T, D], seed, temperature) -> LM3D [T, 68, 3]"""


class HeldOut(NamedTuple):
    """A recording to measure on."""

    features: torch.Tensor
    """[2T, D]"""
    lm3d: np.ndarray
    """[T, 68, 3]"""
    speaker: str
    phones: list[tuple[str, float, float]]
    silenced: torch.Tensor
    """Features of the recording with two seconds of digital silence in its middle."""


class MotionFigures(TypedDict):
    """What `motion_figures` finds."""

    clips: int
    seconds: float
    recorded: dict[str, float]
    temperature_0: dict[str, float | list[float] | None]
    temperature_1: dict[str, float | list[float] | None]


def hold_out(
    speech: Speech, speaker: str, phones: Iterable[tuple[str, float, float]], extractor: AudioFeatures
) -> HeldOut:
    middle = len(speech.lm3d) // 2 * SAMPLES_PER_FRAME
    silence = np.zeros(SILENCE_FRAMES * SAMPLES_PER_FRAME, np.float32)
    silenced = np.concatenate([speech.samples[:middle], silence, speech.samples[middle:]])
    return HeldOut(
        features_of(speech.samples, extractor),
        speech.lm3d,
        speaker,
        [(symbol, start, end) for symbol, start, end in phones],
        features_of(silenced, extractor),
    )


def held_out_clips(corpora: Sequence[Corpus], face: FaceModel, extractor: AudioFeatures) -> dict[str, list[HeldOut]]:
    """The clips under `tracked` and `simulated`, the simulated ones in the average style."""
    found: dict[str, list[HeldOut]] = {"tracked": [], "simulated": []}
    mean_landmarks = face.mean_landmarks.numpy()
    for corpus in corpora:
        for clip in corpus.clips:
            if clip.lm3d:
                speech, kind = tracked_speech(corpus, clip, mean_landmarks), "tracked"
            else:
                rng = np.random.default_rng(0)
                speech = simulated_speech(corpus.audio(clip), clip.phones, face, Style(), rng)
                kind = "simulated"
            found[kind].append(hold_out(speech, clip.speaker, clip.phones, extractor))
    return {kind: clips for kind, clips in found.items() if clips}


def generate_with(model: MotionGenerator) -> Generate:
    """Whole sequences from `model`, on its device."""

    def generate(features: torch.Tensor, seed: int, temperature: float) -> torch.Tensor:
        noise = latent_noise(seed, 0, model.latent_frames(len(features) // 2), model.latent_channels)
        with torch.no_grad():
            return model(features[None].to(model.device), noise[None].to(model.device), temperature)[0].cpu()

    return generate


def motion_figures(
    generate: Generate,
    clips: Sequence[HeldOut],
    mean_landmarks: np.ndarray,
    sync_expert: SyncExpert | None = None,
    rest: np.ndarray | None = None,
    seeds: int = 1,
) -> MotionFigures:
    """Mouth opening, landmark error, silence and closures, at temperatures 0 and 1.

    `rest` is LM3D [68, 3] with a closed mouth, if that is not the mean face's. `seeds` are averaged over for r and
    spread at temperature 1. Clips under 3 s count for r only if there is no other.
    """
    rest = np.zeros((68, 3)) if rest is None else rest
    closed = float(metrics.lm3d_opening(rest[None], mean_landmarks)[0])
    recorded = [metrics.lm3d_opening(clip.lm3d, mean_landmarks) for clip in clips]
    shortest = metrics.MIN_CLIP_FRAMES if max(map(_frames, clips)) >= metrics.MIN_CLIP_FRAMES else 0
    truth = _closures(clips, recorded, closed)
    if sync_expert is not None:
        truth["sync_cosine"] = float(np.mean([_cosine(sync_expert, clip.lm3d, clip) for clip in clips]))

    def at(temperature: float) -> dict[str, float | list[float] | None]:
        samples = [
            [generate(clip.features, seed, temperature).numpy() for seed in range(seeds if temperature else 1)]
            for clip in clips
        ]
        generated = [first for first, *_ in samples]
        openings = [metrics.lm3d_opening(lm3d, mean_landmarks) for lm3d in generated]
        score, width = (
            metrics.opening_score(_curves(clips, samples, measure, mean_landmarks), shortest)
            for measure in (metrics.lm3d_opening, metrics.lm3d_width)
        )
        part: dict[str, float | list[float] | None] = {
            "r": score.r.mean,
            "r_interval": [score.r.low, score.r.high],
            "r_chance": None if np.isnan(score.chance.mean) else score.chance.mean,
            "spread": score.spread,
            "r_width": width.r.mean,
            "spread_width": width.spread,
        }
        if temperature == 0:
            errors = [metrics.lm3d_error(clip.lm3d, lm3d) for clip, lm3d in zip(clips, generated, strict=True)]
            part["lm3d_error_mm"] = float(np.average(errors, weights=[len(clip.lm3d) for clip in clips]))
        else:
            part["energy_score_mm"] = _energy(generate, clips)
        part |= _silence(generate, clips, temperature, mean_landmarks, closed)
        part |= _closures(clips, openings, closed)
        if sync_expert is not None:
            part["sync_cosine"] = float(
                np.mean([_cosine(sync_expert, lm3d, clip) for lm3d, clip in zip(generated, clips, strict=True)])
            )
        return part

    return MotionFigures(
        clips=len(clips),
        seconds=sum(len(clip.lm3d) for clip in clips) / FPS,
        recorded=truth,
        temperature_0=at(0.0),
        temperature_1=at(1.0),
    )


def _curves(
    clips: Sequence[HeldOut],
    samples: Sequence[Sequence[np.ndarray]],
    measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    mean_landmarks: np.ndarray,
) -> list[metrics.Curves]:
    """Of each clip what `measure` sees of the recording and of its samples."""
    found = []
    for clip, made in zip(clips, samples, strict=True):
        first, *others = [measure(lm3d, mean_landmarks) for lm3d in made]
        found.append(metrics.Curves(measure(clip.lm3d, mean_landmarks), first, clip.speaker, others))
    return found


def _frames(clip: HeldOut) -> int:
    return len(clip.lm3d)


def _closures(clips: Sequence[HeldOut], openings: Sequence[np.ndarray], closed: float) -> dict[str, float]:
    """Share of p, b, m and of open vowels in which the mouth closes, where phones are known."""
    found = {}
    for name, phones in (("closed_in_pbm", LABIALS), ("closed_in_open_vowels", OPEN_VOWELS)):
        shares = [
            metrics.closure_share(opening, centres, closed)
            for clip, opening in zip(clips, openings, strict=True)
            if (centres := _centres(clip, phones))
        ]
        if shares:
            found[name] = float(np.mean(shares))
    return found


def _centres(clip: HeldOut, phones: frozenset[str]) -> list[int]:
    centres = (int((start + end) / 2 * FPS) for symbol, start, end in clip.phones if symbol in phones)
    return [centre for centre in centres if centre < len(clip.lm3d)]


def _energy(generate: Generate, clips: Sequence[HeldOut]) -> float:
    scores = [
        metrics.energy_score(
            clip.lm3d, np.stack([generate(clip.features, seed, 1.0).numpy() for seed in range(SEEDS)])
        )
        for clip in clips
    ]
    return float(np.average(scores, weights=[len(clip.lm3d) for clip in clips]))


def _silence(
    generate: Generate, clips: Sequence[HeldOut], temperature: float, mean_landmarks: np.ndarray, closed: float
) -> dict[str, float]:
    openings, jitters = [], []
    for clip in clips:
        lm3d = generate(clip.silenced, 0, temperature).numpy()
        start = len(clip.lm3d) // 2
        stop = start + SILENCE_FRAMES
        # The mouth may already open for the sound that follows.
        stop_early = stop - metrics.SETTLE_FRAMES
        opening = metrics.lm3d_opening(lm3d, mean_landmarks)
        openings.append(metrics.silence_opening(opening, start, stop_early, closed))
        jitters.append(metrics.jitter(lm3d[start + metrics.SETTLE_FRAMES : stop_early]))
    return {
        "silence_opening": float(np.mean(openings)),
        "silence_opening_worst": float(np.max(openings)),
        "silence_jitter_mm": float(np.mean(jitters)),
    }


def _cosine(sync_expert: SyncExpert, lm3d: np.ndarray, clip: HeldOut) -> float:
    device = sync_expert.device
    with torch.no_grad():
        return float(
            sync_expert.score(torch.from_numpy(lm3d)[None].float().to(device), clip.features[None].to(device)).mean()
        )


def sync_figures(sync_expert: SyncExpert, clips: Sequence[HeldOut], count: int = 200) -> dict[str, float]:
    """Accuracy on balanced windows of each clip, and the mean cosine of both kinds."""
    cosines, labels = [], []
    device, window = sync_expert.device, sync_expert.window
    for clip in clips:
        windows = metrics.sync_windows(len(clip.lm3d), count, np.random.default_rng(0), window)
        lm3d = torch.from_numpy(clip.lm3d).float()
        landmarks = torch.stack([lm3d[start : start + window] for start in windows.landmarks])
        audio = torch.stack([clip.features[2 * start : 2 * (start + window)] for start in windows.audio])
        with torch.no_grad():
            cosines.append(sync_expert(landmarks.to(device), audio.to(device)).cpu().numpy())
        labels.append(windows.in_sync)
    cosine, in_sync = np.concatenate(cosines), np.concatenate(labels)
    return {
        "accuracy": metrics.sync_accuracy(cosine, in_sync),
        "cosine_in_sync": float(cosine[in_sync].mean()),
        "cosine_out_of_sync": float(cosine[~in_sync].mean()),
    }


def sync_curve(sync_expert: SyncExpert, clips: Sequence[HeldOut], reach: int = 10) -> dict[str, dict[str, float]]:
    """By the audio's offset in frames from -reach to reach: the share of windows judged rightly (in sync at 0 alone),
    and the mean cosine."""
    device, window = sync_expert.device, sync_expert.window
    curve = {}
    for offset in range(-reach, reach + 1):
        cosines = []
        for clip in clips:
            first, last = max(0, -offset), len(clip.lm3d) - max(0, offset)
            if last - first < window:
                continue
            lm3d = torch.from_numpy(clip.lm3d[first:last]).float()[None]
            features = clip.features[2 * (first + offset) : 2 * (last + offset)].float()[None]
            with torch.no_grad():
                cosines.append(sync_expert.score(lm3d.to(device), features.to(device))[0].cpu().numpy())
        cosine = np.concatenate(cosines)
        in_sync = np.full(len(cosine), offset == 0)
        curve[f"{offset:+d}"] = {
            "accuracy": metrics.sync_accuracy(cosine, in_sync),
            "cosine": float(cosine.mean()),
        }
    return curve
