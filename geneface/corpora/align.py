"""Recordings with their phonemes -> the same corpus with phoneme times, so that mouths can be simulated for it.

    python -m geneface.corpora.align SPEECH -o DIR --minutes 60

SPEECH is a corpus whose clips have `phonemes`, or a folder with `metadata.csv` (see `corpora.speech`). The times are
those of the likeliest path through the phonemes, with pauses between them wherever they are heard. Clips that the
features do not agree with are left out.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from geneface.bundles.loading import trained_component
from geneface.corpora.speech import read_speech
from geneface.datasets.corpus import Corpus, choose, write_clips
from geneface.datasets.motion import features_of
from geneface.datasets.phoneme_batches import FEATURES_PER_SECOND
from geneface.errors import InputError, run_script
from geneface.face.phonemes import INVENTORY, SILENCE
from geneface.hub.persons import PERSONS_DIR
from geneface.models.features import AudioFeatures
from geneface.models.phoneme_head import BLANK, PhonemeHead
from geneface.utils.files import atomic_folder

GENERIC = PERSONS_DIR / "generic"
INDEX = {symbol: index for index, symbol in enumerate(INVENTORY)}
LEAST_SCORE = -2.0
"""Mean log-probability of a phoneme under which text and recording do not belong together."""


class Aligned(NamedTuple):
    phones: list[tuple[str, float, float]]
    """(symbol, start, end) in seconds, silences included."""
    score: float
    """Mean log-probability of the spoken features."""


def align(ctc: np.ndarray, timed: np.ndarray, phonemes: list[str]) -> Aligned | None:
    """The likeliest times of `phonemes`, from the logits [N, .] of a `PhonemeHead`; None if there are too many.

    Each phoneme takes at least one feature; before, between and after them there may be silence.
    """
    steps, states = len(timed), 2 * len(phonemes) + 1
    if not phonemes or steps < len(phonemes):
        return None
    by_frame, by_order = _log_softmax(timed), _log_softmax(ctc)
    symbols = [INDEX[symbol] for symbol in phonemes]
    emission = np.empty((steps, states))
    emission[:, ::2] = (by_frame[:, INDEX[SILENCE]] + by_order[:, BLANK])[:, None]
    # CTC says a phoneme once and then mostly nothing: it may not count against the phoneme's other features.
    emission[:, 1::2] = by_frame[:, symbols] + np.logaddexp(by_order[:, symbols], by_order[:, [BLANK]])
    best = np.full(states, -np.inf)
    best[:2] = emission[0, :2]
    moves = np.zeros((steps, states), np.int8)
    for step in range(1, steps):
        one, two = np.full((2, states), -np.inf)
        one[1:] = best[:-1]
        two[3::2] = best[1:-2:2]
        choices = np.stack([best, one, two])
        moves[step] = choices.argmax(axis=0)
        best = choices.max(axis=0) + emission[step]
    path = np.empty(steps, int)
    path[-1] = states - 1 if best[-1] >= best[-2] else states - 2
    for step in range(steps - 1, 0, -1):
        path[step - 1] = path[step] - moves[step, path[step]]
    spoken = path % 2 == 1
    score = float(emission[np.arange(steps), path][spoken].mean())
    return Aligned(_phones(path, phonemes), score)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).double().log_softmax(-1).numpy()


def _phones(path: np.ndarray, phonemes: list[str]) -> list[tuple[str, float, float]]:
    borders = np.flatnonzero(np.diff(path)) + 1
    starts, stops = np.concatenate([[0], borders]), np.concatenate([borders, [len(path)]])
    return [
        (
            phonemes[path[start] // 2] if path[start] % 2 else SILENCE,
            round(float(start) / FEATURES_PER_SECOND, 3),
            round(float(stop) / FEATURES_PER_SECOND, 3),
        )
        for start, stop in zip(starts, stops, strict=True)
    ]


@torch.no_grad()
def align_features(features: torch.Tensor, phonemes: list[str], head: PhonemeHead) -> Aligned | None:
    """As `align`, of features [N, D]."""
    ctc, timed = head(features[None])
    return align(ctc[0].numpy(), timed[0].numpy(), phonemes)


def align_corpus(corpus: Corpus, target: Path, extractor: AudioFeatures, head: PhonemeHead) -> tuple[int, int]:
    """Write the aligned clips, with links to their recordings; returns how many were taken and left out."""
    clips = []
    with atomic_folder(target) as folder:
        for clip in tqdm(corpus.clips, desc="aligning", unit="clip", disable=None):
            found = align_features(features_of(corpus.audio(clip), extractor), clip.phonemes, head)
            if found is None or found.score < LEAST_SCORE:
                continue
            copy = folder / clip.audio
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.symlink((corpus.folder / clip.audio).absolute(), copy)
            clips.append(replace(clip, phones=found.phones))
        if not clips:
            raise InputError(f"{corpus.folder}: no recording agrees with its phonemes; is the text of another one?")
        write_clips(folder, clips)
    return len(clips), len(corpus) - len(clips)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a corpus with phonemes, or a folder with metadata.csv")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the corpus folder to write")
    parser.add_argument("--minutes", type=float, help="of the split train, balanced over the languages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--generic", type=Path, default=GENERIC, help="folder of feature_extractor and phoneme_head")
    arguments = parser.parse_args(argv)
    corpus = (
        read_speech(arguments.source) if (arguments.source / "metadata.csv").exists() else Corpus(arguments.source)
    )
    if arguments.minutes is not None:
        train = choose(
            [clip for clip in corpus.clips if clip.split == "train"], arguments.minutes / 60, arguments.seed
        )
        corpus = Corpus(corpus.folder, train)
    extractor = trained_component(arguments.generic / "feature_extractor")
    head = PhonemeHead.from_pretrained(arguments.generic / "phoneme_head")
    taken, left = align_corpus(corpus, arguments.output, extractor, head)
    print(f"{taken} clips aligned, {left} left out")


if __name__ == "__main__":
    run_script(main)
