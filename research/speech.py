"""What real, transcribed speech shows of features and motion: phonemes recognised, and lips that close for p, b, m."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geneface import metrics
from geneface.corpora.align import align_features
from geneface.corpora.speech import read_speech
from geneface.datasets.corpus import Clip, Corpus, choose
from geneface.datasets.motion import features_of
from geneface.datasets.phoneme_batches import Recordings
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.phoneme_head import PhonemeHead
from geneface.training.feature_extractor import PhonemeRecogniser, evaluate
from geneface.training.motion_figures import LABIALS, OPEN_VOWELS, Generate
from geneface.utils.units import FPS

LEAST_AGREEMENT = -1.8
"""Mean log-probability from where on phoneme times are taken for true."""


def open_speech(folder: Path) -> Corpus:
    return read_speech(folder) if (folder / "metadata.csv").exists() else Corpus(folder)


def phoneme_figures(corpus: Corpus, split: str, extractor: FeatureExtractor, head: PhonemeHead) -> dict[str, Any]:
    """Phoneme error rate by language, and of all."""
    recogniser = PhonemeRecogniser(extractor, head).eval()
    clips = [clip for clip in corpus.clips if clip.split == split]
    recordings = Recordings([], 0)
    recordings.items = [(corpus, clip) for clip in clips]
    return evaluate(recogniser, recordings, split, extractor.device)


def closure_figures(
    corpus: Corpus,
    clips: Sequence[Clip],
    generate: Generate,
    mean_landmarks: np.ndarray,
    extractor: FeatureExtractor,
    head: PhonemeHead,
) -> dict[str, dict[str, float]]:
    """By temperature the share of the aligned p, b, m whose lips close, and that of open vowels, over all clips."""
    closed = float(metrics.lm3d_opening(np.zeros((1, 68, 3)), mean_landmarks)[0])
    kinds = {"p, b, m": LABIALS, "open vowels": OPEN_VOWELS}
    figures = {f"temperature_{temperature}": dict.fromkeys(kinds, 0.0) for temperature in (0, 1)}
    counts = dict.fromkeys(kinds, 0)
    for clip in clips:
        features = features_of(corpus.audio(clip), extractor)
        found = align_features(features, clip.phonemes, head)
        if found is None or found.score < LEAST_AGREEMENT:
            continue
        for name, phones in kinds.items():
            centres = [int((start + stop) / 2 * FPS) for symbol, start, stop in found.phones if symbol in phones]
            centres = [centre for centre in centres if centre < len(features) // 2]
            counts[name] += len(centres)
            for temperature in (0, 1) if centres else ():
                opening = metrics.lm3d_opening(generate(features, 0, temperature).numpy(), mean_landmarks)
                share = metrics.closure_share(opening, centres, closed)
                figures[f"temperature_{temperature}"][name] += share * len(centres)
    for part in figures.values():
        for name, count in counts.items():
            part[name] /= max(1, count)
            part[f"{name}, count"] = count
    return figures


def some_clips(corpus: Corpus, split: str, minutes: float) -> list[Clip]:
    """About so much of a split, balanced over the languages."""
    return choose([clip for clip in corpus.clips if clip.split == split and clip.phonemes], minutes / 60)
