"""The whole chain: how well the mouth follows real speakers' at every stage, features to pixels (docs/measures.md).

    python -m research.chain --corpora runs/corpus/tracked --split dev --persons vera theo -o OUT
        [--videos CLIP.mp4 ...] [--pixels] [--seeds 3]

r of the mouth opening, the best of lags -1 to +1, sound and picture put in step before (a corpus by its own offsets, a
video by what the judge of lips and sound finds). The first column is what the features could give: a small regression,
trained on the corpora's split `train` with the settings of `training.mouth_judge` and its seed. Choose on `dev`;
`test` is for the last look. OUT gets `chain.json` and `chain.md`.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from geneface import metrics
from geneface.datasets.in_step import agreement_curve, best_offset
from geneface.datasets.motion import MotionData, features_of, open_corpora, tracked_speech
from geneface.errors import run_script
from geneface.evaluation.tools import open_tools
from geneface.evaluation.tracks import track_video
from geneface.face.face_model import FaceModel
from geneface.face.landmarks import LandmarkDetector
from geneface.hub import assets
from geneface.hub.persons import find_person
from geneface.models.speech_regression import SpeechRegression
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.training.loop import Loop
from geneface.training.mouth_judge import MouthJudgeConfig, train_judge
from geneface.utils.files import write_json
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

STAGES = ("features", "generator, 0", "generator, 1", "post-net", "finished", "pixels")


class Case(NamedTuple):
    """A real speaker: samples [640 T] in step with the mouth opening [T] that is seen."""

    name: str
    speaker: str
    samples: np.ndarray
    opening: np.ndarray


def corpus_cases(folders: Sequence[str], split: str, mean_landmarks: np.ndarray) -> Iterator[Case]:
    """The tracked clips of 3 s or more."""
    for corpus in open_corpora(folders, split):
        for clip in corpus.clips:
            if clip.lm3d:
                speech = tracked_speech(corpus, clip, mean_landmarks)
                if len(speech.lm3d) >= metrics.MIN_CLIP_FRAMES:
                    opening = metrics.lm3d_opening(speech.lm3d, mean_landmarks)
                    yield Case(clip.name, clip.speaker, speech.samples, opening)


def video_case(path: Path, assets_folder: str | None, pipe: GeneFacePipeline, judge: SpeechRegression) -> Case:
    """A video whose sound is moved to where the judge hears what is seen."""
    track = track_video(path, open_tools(assets_folder))
    samples = np.zeros(0, np.float32) if track.sound is None else track.sound
    offset = best_offset(agreement_curve(track.opening, expected(judge, features_of(samples, pipe.feature_extractor))))
    print(f"{path.name}: offset {offset.offset:+d}, r {offset.r:.2f}, margin {offset.margin:.2f}", flush=True)
    early, late = max(0, offset.offset), max(0, -offset.offset)
    opening = track.opening[late : len(track) - early]
    samples = samples[early * SAMPLES_PER_FRAME :][: len(opening) * SAMPLES_PER_FRAME]
    return Case(path.stem, path.stem, samples, opening)


@torch.no_grad()
def expected(judge: SpeechRegression, features: torch.Tensor) -> np.ndarray:
    """The mouth opening [T] that features [2T, D] let expect."""
    return judge(features.float()[None])[0, :, 0].cpu().numpy()


def generated_opening(pipe: GeneFacePipeline, samples: np.ndarray, landmarker: Path, seed: int) -> np.ndarray:
    """Mouth opening [T] seen in the video made from samples [N] at 16 kHz."""
    frames = (frame for chunk in pipe.stream(samples, SAMPLING_RATE, seed=seed) for frame in chunk.frames)
    with LandmarkDetector(landmarker) as detector:
        return metrics.mediapipe_opening(detector.detect(frames).points)


def openings(
    case: Case, pipe: GeneFacePipeline, judge: SpeechRegression, seeds: int, landmarker: Path | None
) -> dict[str, list[np.ndarray]]:
    """By stage, for each seed, the mouth opening [T]."""
    mean_landmarks = pipe.motion_generator.mean_landmarks.cpu().numpy()

    def opened(lm3d: torch.Tensor) -> np.ndarray:
        return metrics.lm3d_opening(lm3d.float().cpu().numpy(), mean_landmarks)

    features = pipe.extract_features(case.samples, SAMPLING_RATE)
    closures = pipe.lip_closures(features)
    found: dict[str, list[np.ndarray]] = {stage: [] for stage in STAGES}
    found["features"].append(expected(judge, features))
    found["generator, 0"].append(opened(pipe.generate_motion(features, seed=0, temperature=0.0)))
    for seed in range(seeds):
        generic = pipe.generate_motion(features, seed=seed)
        own = pipe.adapt_motion(generic)
        finished = pipe.finish_motion(own, case.samples, SAMPLING_RATE, seed=seed, closures=closures)
        found["generator, 1"].append(opened(generic))
        found["post-net"].append(opened(own))
        found["finished"].append(opened(finished.landmarks))
        if landmarker:
            found["pixels"].append(generated_opening(pipe, case.samples, landmarker, seed))
    return {stage: curves for stage, curves in found.items() if curves}


def report(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """A table for each person; the last row is the mean over clips."""
    lines = []
    for person, clips in found.items():
        stages = [stage for stage in STAGES if stage in next(iter(clips.values()))]
        lines += [f"## {person}", "", f"| clip | {' | '.join(stages)} |", f"| --- {'| --- ' * len(stages)}|"]
        rows = {**clips, "mean": {s: float(np.mean([clip[s] for clip in clips.values()])) for s in stages}}
        lines += [f"| {name} | {' | '.join(f'{row[s]:.3f}' for s in stages)} |" for name, row in rows.items()]
        lines.append("")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", required=True, help="corpora with tracked faces")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--videos", type=Path, nargs="*", default=[], help="real videos of one speaker, with sound")
    parser.add_argument("--persons", nargs="+", default=["vera"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pixels", action="store_true", help="render, too (slow)")
    parser.add_argument("--assets", help="folder of the third-party models; that of `geneface assets` if not given")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args(argv)

    pipes: dict[str, GeneFacePipeline] = {
        name: GeneFacePipeline.from_pretrained(find_person(name), device="cpu") for name in args.persons
    }
    pipe = pipes[args.persons[0]]
    face = FaceModel.load(assets.get_asset(assets.FACE_MODEL, args.assets))
    with tempfile.TemporaryDirectory() as folder:
        config = MouthJudgeConfig(folder, cpu=True)
        train = open_corpora(args.corpora, "train")
        data = MotionData(
            train, face, pipe.feature_extractor, config.copies, config.window, config.real_share, config.seed
        )
        judge = train_judge(data, face.mean_landmarks, pipe.feature_extractor.identity, config, Loop(config))
    mean_landmarks = face.mean_landmarks.numpy()
    cases = list(corpus_cases(args.corpora, args.split, mean_landmarks)) if args.split else []
    cases += [video_case(path, args.assets, pipe, judge) for path in args.videos]
    landmarker = assets.get_asset(assets.FACE_LANDMARKER, args.assets) if args.pixels else None
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in pipes}
    for name, pipe in pipes.items():
        for case in cases:
            curves = openings(case, pipe, judge, args.seeds, landmarker)
            found[name][case.name] = {
                stage: float(np.mean([metrics.correlation(case.opening, curve) for curve in made]))
                for stage, made in curves.items()
            }
            row: dict[str, Any] = {stage: round(r, 2) for stage, r in found[name][case.name].items()}
            print(name, case.name, row, flush=True)
    args.output.mkdir(parents=True, exist_ok=True)
    write_json(args.output / "chain.json", found)
    text = report(found)
    (args.output / "chain.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    run_script(main)
