"""How well speech moves the face: the table of the generic models' figures (docs/measures.md), made again.

    python -m research.motion --corpora DIR ... [--split test] [--dataset PERSON]
        [--speech DIR --phonemes] -o OUT

OUT gets `motion.md`, `motion.json` and `sync_curve.png`. Choose on `--split dev`; `test` is for the last look. The
corpora's tracked clips of the split are scored; those of `train` make the log-mel regression to compare with.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geneface import metrics
from geneface.bundles.component import read_tensors
from geneface.bundles.loading import trained_component
from geneface.datasets.corpus import Clip, Corpus
from geneface.datasets.motion import at_rest, features_of, open_corpora, tracked_speech
from geneface.errors import run_script
from geneface.hub.persons import PERSONS_DIR
from geneface.media.audio import load_audio
from geneface.metrics import Curves, lm3d_opening
from geneface.models.motion_generator import MotionGenerator
from geneface.models.phoneme_head import PhonemeHead
from geneface.models.speech_regression import SpeechRegression
from geneface.models.sync_expert import SyncExpert
from geneface.streaming.audio import ArrayStream
from geneface.training.motion_figures import generate_with, hold_out, motion_figures, sync_curve, sync_figures
from geneface.utils.files import write_json, write_text
from geneface.utils.units import FPS, SAMPLES_PER_FRAME
from research.log_mel import log_mel, predict, spoken, train_regression
from research.motion_report import draw_curve, table
from research.speech import closure_figures, open_speech, phoneme_figures, some_clips

SEEDS = 5
REGRESSIONS = 3


class Generic:
    """The models that all persons share."""

    def __init__(self, folder: Path):
        self.extractor = trained_component(folder / "feature_extractor")
        self.generator = MotionGenerator.from_pretrained(folder / "motion_generator")
        self.sync_expert = SyncExpert.from_pretrained(folder / "sync_expert")
        self.judge = SpeechRegression.from_pretrained(folder / "mouth_judge")
        self.head = PhonemeHead.from_pretrained(folder / "phoneme_head")
        self.generate = generate_with(self.generator)
        self.mean_landmarks = self.generator.mean_landmarks.numpy()


def tracked_clips(folders: Sequence[str], split: str) -> list[tuple[Corpus, Clip]]:
    return [(corpus, clip) for corpus in open_corpora(folders, split) for clip in corpus.clips if clip.lm3d]


def corpus_figures(generic: Generic, folders: Sequence[str], split: str) -> dict[str, Any]:
    """Motion and sync-expert on the tracked clips of one split."""
    mean_landmarks = generic.mean_landmarks
    clips = [
        hold_out(tracked_speech(corpus, clip, mean_landmarks), clip.speaker, [], generic.extractor)
        for corpus, clip in tracked_clips(folders, split)
    ]
    found = motion_figures(generic.generate, clips, mean_landmarks, generic.sync_expert, seeds=SEEDS)
    figures: dict[str, Any] = {**found}
    judged = []
    for clip in clips:
        with torch.no_grad():
            expected = generic.judge(clip.features[None].float())[0, :, 0].numpy()
        judged.append(Curves(lm3d_opening(clip.lm3d, mean_landmarks), expected, clip.speaker))
    figures["judge"] = _scored(judged)
    figures["speakers"] = len({clip.speaker for clip in clips})
    figures["sync_expert"] = sync_figures(generic.sync_expert, clips)
    figures["sync_curve"] = sync_curve(generic.sync_expert, clips)
    return figures


def regressions(folders: Sequence[str], mean_landmarks: np.ndarray) -> list[torch.nn.Module]:
    """Log-mel regressions of the tracked clips of `train`."""
    clips = []
    for corpus, clip in tracked_clips(folders, "train"):
        speech = tracked_speech(corpus, clip, mean_landmarks)
        clips.append(spoken(speech.samples, lm3d_opening(speech.lm3d, mean_landmarks), clip.speaker))
    return [train_regression(clips, seed) for seed in range(REGRESSIONS)]


def regression_score(
    nets: Sequence[torch.nn.Module], folders: Sequence[str], split: str, mean_landmarks: np.ndarray
) -> dict[str, Any]:
    curves = []
    for corpus, clip in tracked_clips(folders, split):
        opening = lm3d_opening(at_rest(corpus.lm3d(clip), mean_landmarks), mean_landmarks)
        mel = log_mel(corpus.audio(clip), len(opening))
        first, *others = [predict(net, mel) for net in nets]
        curves.append(Curves(opening, first, clip.speaker, others))
    return _scored(curves)


def _scored(curves: Sequence[Curves]) -> dict[str, Any]:
    score = metrics.opening_score(curves)
    return {"r": score.r.mean, "r_interval": [score.r.low, score.r.high], "r_chance": score.chance.mean}


def person_figures(
    generic: Generic, dataset: Path, recordings: Sequence[np.ndarray], nets: Sequence[torch.nn.Module]
) -> dict[str, Any]:
    """r and spread of generic motion on a whole person dataset; chance with other recordings, as long as it."""
    mean_landmarks = generic.mean_landmarks
    real = lm3d_opening(
        read_tensors(dataset / "tracks.safetensors", "dataset")["lm3d"].float().numpy(), mean_landmarks
    )
    samples = load_audio(dataset / "audio.flac")
    figures: dict[str, Any] = {"seconds": len(real) / FPS}

    own_features = features_of(samples, generic.extractor)
    other_features = [features_of(np.resize(other, len(samples)), generic.extractor) for other in recordings]

    def openings(features: torch.Tensor, temperature: float, seeds: int) -> list[np.ndarray]:
        return [
            lm3d_opening(generic.generate(features, seed, temperature).numpy(), mean_landmarks)
            for seed in range(seeds)
        ]

    for temperature in (0.0, 1.0):
        own = openings(own_features, temperature, SEEDS if temperature else 1)
        others = [metrics.correlation(real, openings(features, temperature, 1)[0]) for features in other_features]
        values = [metrics.correlation(real, opening) for opening in own]
        figures[f"temperature_{temperature:.0f}"] = {
            "r": float(np.mean(values)),
            "r_by_seed": values,
            "r_chance": float(np.mean(others)),
            "spread": float(np.mean([metrics.spread(real, opening) for opening in own])),
        }
    mel = log_mel(samples, len(real))
    figures["log_mel"] = {"r": float(np.mean([metrics.correlation(real, predict(net, mel)) for net in nets]))}
    return figures


def speech_figures(generic: Generic, folder: Path, minutes: float, phonemes: bool) -> dict[str, Any]:
    """Phonemes of held-out speakers and languages; closures in the speech of held-out speakers."""
    corpus = open_speech(folder)
    clips = some_clips(corpus, "test", minutes)
    closures = closure_figures(
        corpus, clips, generic.generate, generic.mean_landmarks, generic.extractor, generic.head
    )
    splits = sorted({clip.split for clip in corpus.clips} & {"test", "heldout"}) if phonemes else []
    parts = {split: Corpus(corpus.folder, some_clips(corpus, split, minutes)) for split in splits}
    rates = {split: phoneme_figures(part, split, generic.extractor, generic.head) for split, part in parts.items()}
    return {"closures": closures, "phonemes": rates}


def speed_figures(generic: Generic, samples: np.ndarray, seconds: int = 60) -> dict[str, float]:
    """Features and motion on two threads, in times real time."""
    sound = np.resize(samples, seconds * FPS * SAMPLES_PER_FRAME)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        features = generic.extractor.extract(ArrayStream(sound))
        slow = metrics.median_seconds(lambda: generic.extractor.extract(ArrayStream(sound)))
        fast = metrics.median_seconds(lambda: generic.generate(features, 0, 1.0))
    finally:
        torch.set_num_threads(threads)
    return {"features": seconds / slow, "motion": seconds / fast, "both": seconds / (slow + fast)}


def evaluate_motion(
    generic: Generic,
    folders: Sequence[str],
    split: str,
    dataset: Path | None = None,
    speech: Path | None = None,
    minutes: float = 10.0,
    phonemes: bool = False,
) -> dict[str, Any]:
    """All figures, as they are written to `motion.json`."""
    clips = tracked_clips(folders, split)
    nets = regressions(folders, generic.mean_landmarks)
    found: dict[str, Any] = {"split": split, "corpus": corpus_figures(generic, folders, split)}
    found["corpus"]["log_mel"] = regression_score(nets, folders, split, generic.mean_landmarks)
    recordings = [corpus.audio(clip) for corpus, clip in clips[:8]]
    if dataset:
        found["person"] = {"name": dataset.name, **person_figures(generic, dataset, recordings, nets)}
    if speech:
        found["speech"] = speech_figures(generic, speech, minutes, phonemes)
    found["speed"] = speed_figures(generic, np.concatenate(recordings))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", required=True, metavar="DIR", help="with tracked clips")
    parser.add_argument("--split", default="dev", help="train, dev or test (default: dev)")
    parser.add_argument("--dataset", type=Path, metavar="PERSON", help="a person dataset, scored as a whole")
    parser.add_argument("--speech", type=Path, metavar="DIR", help="transcribed speech with a split `test`")
    parser.add_argument("--minutes", type=float, default=10, help="of that speech, of each split (default: 10)")
    parser.add_argument("--phonemes", action="store_true", help="error rates of its test and heldout clips")
    parser.add_argument("--generic", type=Path, default=PERSONS_DIR / "generic", metavar="DIR", help="the models")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    args = parser.parse_args()
    generic = Generic(args.generic)
    found = evaluate_motion(generic, args.corpora, args.split, args.dataset, args.speech, args.minutes, args.phonemes)
    args.output.mkdir(parents=True, exist_ok=True)
    write_json(args.output / "motion.json", found)
    write_text(args.output / "motion.md", table(found))
    draw_curve(found["corpus"]["sync_curve"], args.output / "sync_curve.png")
    print(table(found))


if __name__ == "__main__":
    run_script(main)
