"""What the finishing does: silence that closes the mouth, a head that moves anew each time.

    python -m research.finishing --person vera > finishing.json

All of it from the motion, without a picture, on the examples' synthetic speech, clean and disturbed; `--tables` prints
Markdown in place of JSON. What lips do is measured by `research.lips`.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from geneface import metrics
from geneface.datasets.corpus import Corpus
from geneface.face.ibug68 import BROWS
from geneface.hub.persons import find_person
from geneface.media.audio import load_audio
from geneface.motion.face_motion import FaceMotion
from geneface.motion.finish import FinishStage
from geneface.options import GenerationOptions
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.resources import resource
from geneface.streaming.audio import ArrayStream
from geneface.streaming.stage import join, through
from geneface.utils.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

SPOKEN, PAUSE = 3 * FPS, 2 * FPS
"""Frames of the sound that is disturbed: speech, then a pause."""
NEAR_VIEWER = 8.0
"""Degrees."""
SEEDS = 4
CORRELATED, LONG = 60, 600
"""Seconds of the two kinds of head tracks."""
WINDOW = 10 * FPS
"""Frames that are looked for a second time."""


def disturbances(clean: np.ndarray) -> dict[str, np.ndarray]:
    """Sound [N] at 16 kHz, as it is and in the ways that recordings are disturbed."""
    time = np.arange(len(clean)) / SAMPLING_RATE
    noise = np.random.default_rng(0).standard_normal(len(clean))

    def tone(hertz: float, level: float) -> np.ndarray:
        return np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * hertz * time)

    made = {
        "clean": clean,
        "offset of 0.2%": 0.8 * clean + 0.002,
        "offset of 1%": 0.8 * clean + 0.01,
        "50 Hz hum at -53 dBFS": clean + tone(50, -53),
        "8 Hz rumble at -30 dBFS": clean + tone(8, -30),
        "room noise at -50 dBFS": clean + 10**-2.5 * noise,
        "noise at -40 dBFS": clean + 10**-2.0 * noise,
        "40 dB too quiet": 0.01 * clean,
    }
    return {name: samples.astype(np.float32) for name, samples in made.items()}


def silence_figures(pipe: GeneFacePipeline) -> dict[str, dict[str, float]]:
    """Of each disturbance: the mouth in a pause, above its closed self, and whether it moves in speech."""
    person = pipe.person
    rest, mean = person.rest.numpy(), person.mean_landmarks.numpy()
    speech = load_audio(resource("examples/audio/tongue_twister.flac"))[: SPOKEN * SAMPLES_PER_FRAME]
    clean = np.concatenate([speech, np.zeros(PAUSE * SAMPLES_PER_FRAME, np.float32)])
    closed = finished(pipe, np.zeros(FPS * SAMPLES_PER_FRAME, np.float32), rest).landmarks.numpy()
    shut = metrics.lm3d_opening(closed, mean)[-1]
    figures: dict[str, dict[str, float]] = {}
    first: np.ndarray | None = None
    for name, samples in disturbances(clean).items():
        motion = FaceMotion.join(list(pipe.motion(samples, SAMPLING_RATE, seed=1, temperature=0, blink="none")))
        opening = metrics.lm3d_opening(motion.landmarks.numpy(), mean) - shut
        first = opening if first is None else first
        wide = np.repeat(rest[None], len(opening), axis=0)
        wide[:, 48:, 1] -= np.linspace(0, 1, 20)
        kept = np.abs(finished(pipe, samples, wide).landmarks.numpy() - rest)[:, 57].max(-1)
        pause = slice(SPOKEN + metrics.SETTLE_FRAMES + FPS // 5, len(opening))
        figures[name] = {
            "largest opening in the pause, cm": float(opening[pause].max()),
            "jitter in the pause, mm": metrics.jitter(motion.landmarks.numpy()[pause, 27:]),
            "share of speech in which the mouth is let move": float((kept[:SPOKEN] > 0.5 * kept.max()).mean()),
            "mean opening in speech, cm": float(opening[:SPOKEN].mean()),
            "r with the clean sound's opening": metrics.pearson(opening[:SPOKEN], first[:SPOKEN]),
        }
    return figures


def finished(pipe: GeneFacePipeline, samples: np.ndarray, lm3d: np.ndarray, seed: int = 0) -> FaceMotion:
    """`FaceMotion` [T] of sound and LM3D, [T, 68, 3] or [68, 3] for all frames."""
    sound = ArrayStream(samples)
    options = GenerationOptions(seed=seed, temperature=1.0, blink="none")
    frames = torch.from_numpy(np.broadcast_to(lm3d, (sound.frames, 68, 3)).astype(np.float32))
    stage = FinishStage(pipe.person, sound, options, torch.device("cpu"))
    found: FaceMotion = join(list(through(stage, frames.split(500))))
    return found


def head_figures(pipe: GeneFacePipeline, speech: np.ndarray) -> dict[str, float]:
    """How the head moves, from enough speech [N] for `LONG` seconds."""
    person = pipe.person
    reference, rest = person.reference_pose.double().numpy(), person.rest.numpy()

    def track(seconds: int, start: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        part = speech[start * SAMPLING_RATE :][: seconds * SAMPLING_RATE]
        motion = finished(pipe, part, rest, seed)
        turn = Rotation.from_matrix(motion.head[:, :, :3].double().numpy() @ reference[:, :3].T)
        return np.degrees(turn.as_rotvec()), motion.landmarks.numpy()[:, BROWS, 1].max(1)

    def alike(one: np.ndarray, other: np.ndarray) -> list[float]:
        return [metrics.pearson(a, b) for a, b in zip(one.T, other.T, strict=True)]

    one, other = ([track(CORRELATED, start, seed)[0] for seed in range(SEEDS)] for start in (0, CORRELATED))
    seeds = np.array([alike(*pair) for group in (one, other) for pair in combinations(group, 2)])
    recordings = np.array([alike(*pair) for pair in zip(one, other, strict=True)])
    long, brows = track(LONG, 0, 0)
    windows = np.lib.stride_tricks.sliding_window_view(long, WINDOW, axis=0)[::10].reshape(-1, 3 * WINDOW)
    squares = np.square(windows).sum(1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2 * windows @ windows.T, 0) / WINDOW)
    number = np.arange(len(windows))
    raised = brows - brows.min() > 0.02
    own = np.degrees(
        Rotation.from_matrix(person.pose_track[:, :, :3].double().numpy() @ reference[:, :3].T).as_rotvec()
    )
    return {
        "correlation between two seeds, mean": float(seeds.mean()),
        "the same, mean of the absolute values": float(np.abs(seeds).mean()),
        "the same, largest absolute value": float(np.abs(seeds).max()),
        "correlation between two recordings, mean": float(recordings.mean()),
        "the same of recordings, mean of the absolute values": float(np.abs(recordings).mean()),
        "the same of recordings, largest absolute value": float(np.abs(recordings).max()),
        "two ten seconds of ten minutes, least rms difference, degrees": float(
            distance[np.abs(number[:, None] - number) > WINDOW / 10].min()
        ),
        "share of time within 8 degrees of the mean pose": float((np.linalg.norm(long, axis=1) < NEAR_VIEWER).mean()),
        "yaw: deviation over that of the person's video": float(long[:, 1].std() / own[:, 1].std()),
        "largest step in a frame, degrees": float(np.abs(np.diff(long, axis=0)).max()),
        "largest step in the person's video, degrees": float(np.abs(np.diff(own, axis=0)).max()),
        "raised brows a minute": float((np.diff(raised.astype(int)) > 0).sum() / (LONG / 60)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--person")
    parser.add_argument("--speech", type=Path, default=resource("examples/speech"), help="speech to move the head to")
    parser.add_argument("--tables", action="store_true", help="print Markdown")
    args = parser.parse_args()

    pipe = GeneFacePipeline.from_pretrained(find_person(args.person), device="cpu")
    corpus = Corpus(args.speech)
    speech = np.concatenate([corpus.audio(clip) for clip in corpus.clips])
    report: dict[str, Any] = {
        "person": pipe.name,
        "silence": silence_figures(pipe),
        "head": head_figures(pipe, np.resize(speech, LONG * SAMPLING_RATE)),
    }
    print(tables(report) if args.tables else json.dumps(report, indent=2))


def tables(report: dict[str, Any]) -> str:
    """Markdown of a report."""
    names = list(next(iter(report["silence"].values())))
    lines = [f"| {report['person']} | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    for what, row in report["silence"].items():
        lines.append(f"| {what} | {' | '.join(f'{value:.3f}' for value in row.values())} |")
    lines += ["", f"| {report['person']} | |", "| --- | --- |"]
    lines += [f"| {name} | {value:.2f} |" for name, value in report["head"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
