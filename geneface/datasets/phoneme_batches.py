"""Batches for learning phonemes: clips of about the same length, changed at random, with what is said in them."""

import math
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from geneface.datasets.augment import Phones, augment
from geneface.datasets.corpus import Clip, Corpus
from geneface.errors import InputError
from geneface.face.phonemes import INVENTORY, SILENCE
from geneface.media.audio import load_audio
from geneface.models.feature_extractor import MARGIN
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

UNKNOWN = -100
FEATURES_PER_SECOND = 2 * SAMPLING_RATE // SAMPLES_PER_FRAME
INDEX = {symbol: index for index, symbol in enumerate(INVENTORY)}


class Batch(NamedTuple):
    samples: torch.Tensor
    """[B, 640T + 80] float32."""
    lengths: torch.Tensor
    """[B] features that are not padding."""
    masked: torch.Tensor
    """[B, 2T] bool: features that the network does not get to see."""
    labels: torch.Tensor
    """[B, 2T] index of the phoneme, or UNKNOWN."""
    targets: torch.Tensor
    """[B, L] indices of the phonemes in their order, without silences."""
    target_lengths: torch.Tensor


class Recordings:
    """The clips of some corpora, decoded once if they are few enough."""

    def __init__(self, folders: list[str], preload_hours: float):
        self.items = [(corpus, clip) for corpus in map(Corpus, folders) for clip in corpus.clips]
        self._decoded: dict[Path, np.ndarray] = {}
        if sum(clip.seconds for _, clip in self.items) <= 3600 * preload_hours:
            paths = [corpus.folder / clip.audio for corpus, clip in self.items]
            # Processes, because PyAV holds the interpreter's lock too much for threads to help.
            workers = min(os.cpu_count() or 1, len(paths) // 100, 16)
            if workers > 1:
                with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
                    self._decoded = dict(zip(paths, pool.map(_decode, paths, chunksize=20), strict=True))
            else:
                self._decoded = {path: _decode(path) for path in paths}

    def samples(self, corpus: Corpus, clip: Clip) -> np.ndarray:
        """[N] float32 at 16 kHz."""
        if self._decoded:
            return self._decoded[corpus.folder / clip.audio].astype(np.float32) / 32767
        return corpus.audio(clip)


def _decode(path: Path) -> np.ndarray:
    return np.round(load_audio(path) * 32767).astype(np.int16)


class Sampler:
    """Draws clips at random; each language as often as the square root of its hours asks for."""

    def __init__(self, items: list[tuple[Corpus, Clip]]):
        self.items = items
        seconds: dict[str, float] = defaultdict(float)
        for _, clip in items:
            seconds[clip.language] += clip.seconds
        weights = np.cumsum([seconds[clip.language] ** -0.5 for _, clip in items])
        self._upto = weights / weights[-1:]

    def draw(self, count: int, rng: np.random.Generator) -> list[tuple[Corpus, Clip]]:
        return [self.items[index] for index in np.searchsorted(self._upto, rng.random(count), side="right")]


class BatchMaker:
    """Batches of clips of about the same length."""

    def __init__(
        self,
        recordings: Recordings,
        *,
        seconds: float,
        budget: float,
        longest: float,
        timed_share: float,
        mask_share: float,
        mask_length: int,
    ):
        """`seconds`: the cut of clips with times; `budget`: seconds a batch; `longest`: transcribed clip to use."""
        self.recordings = recordings
        self.seconds, self.budget, self.timed_share = seconds, budget, timed_share
        self.mask_share, self.mask_length = mask_share, mask_length
        train = [item for item in recordings.items if item[1].split == "train"]
        self.timed = Sampler([item for item in train if item[1].phones])
        self.untimed = Sampler(
            [(c, clip) for c, clip in train if clip.phonemes and not clip.phones and clip.seconds <= longest]
        )
        if not self.timed.items and not self.untimed.items:
            raise InputError("the corpora hold no clips with phonemes in the split train; name others")

    def __call__(self, rng: np.random.Generator) -> Batch:
        clips = [self._prepare(corpus, clip, seconds, rng) for corpus, clip, seconds in self._choose(rng)]
        features = max(feature_count(samples) for samples, _, _ in clips)
        batch = Batch(
            samples=torch.zeros(len(clips), features * SAMPLES_PER_FRAME // 2 + 2 * MARGIN),
            lengths=torch.tensor([feature_count(samples) for samples, _, _ in clips]),
            masked=torch.from_numpy(self._mask(len(clips), features, rng)),
            labels=torch.full((len(clips), features), UNKNOWN),
            targets=torch.zeros(len(clips), max(1, *(len(symbols) for _, _, symbols in clips)), dtype=torch.long),
            target_lengths=torch.tensor([len(symbols) for _, _, symbols in clips]),
        )
        for row, (samples, labels, symbols) in enumerate(clips):
            batch.samples[row, MARGIN : MARGIN + len(samples)] = torch.from_numpy(samples)
            batch.labels[row, : len(labels)] = torch.from_numpy(labels)
            batch.targets[row, : len(symbols)] = torch.tensor([INDEX[symbol] for symbol in symbols])
        return batch

    def _choose(self, rng: np.random.Generator) -> Iterator[tuple[Corpus, Clip, float]]:
        """Clips and the seconds of them to use."""
        share = self.timed_share if self.timed.items and self.untimed.items else float(bool(self.timed.items))
        seconds = self.seconds
        if share < 1:
            drawn = self.untimed.draw(8 * max(1, round(self.budget / self.seconds)), rng)
            pool = sorted(drawn, key=lambda item: item[1].seconds)
            last = int(rng.integers(len(pool) // 8, len(pool) + 1))
            seconds = pool[last - 1][1].seconds
            count = max(1, int((1 - share) * self.budget / seconds))
            yield from ((corpus, clip, clip.seconds) for corpus, clip in pool[max(0, last - count) : last])
        if share > 0:
            seconds = min(seconds, self.seconds)
            for corpus, clip in self.timed.draw(max(1, int(share * self.budget / seconds)), rng):
                yield corpus, clip, seconds

    def _prepare(
        self, corpus: Corpus, clip: Clip, seconds: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Samples, the label of each feature, and the phonemes in their order."""
        samples = self.recordings.samples(corpus, clip)
        phones: Phones = []
        if clip.phones:
            start = rng.uniform(0, max(clip.seconds - seconds, 0))
            samples = samples[round(start * SAMPLING_RATE) : round((start + seconds) * SAMPLING_RATE)]
            phones = [(s, a - start, b - start) for s, a, b in clip.phones if b > start and a < start + seconds]
        samples, phones = augment(samples, phones, rng)
        if clip.phones:
            samples = samples[: round(seconds * SAMPLING_RATE)]
        features = feature_count(samples)
        return samples, feature_labels(phones, features), sequence(phones, features) if clip.phones else clip.phonemes

    def _mask(self, rows: int, features: int, rng: np.random.Generator) -> np.ndarray:
        starts = rng.random((rows, features)) < self.mask_share / self.mask_length
        masked = starts.copy()
        for shift in range(1, min(self.mask_length, features)):
            masked[:, shift:] |= starts[:, :-shift]
        return masked


def feature_count(samples: np.ndarray) -> int:
    """Features of a recording: two for each video frame, the last one possibly padded."""
    return 2 * math.ceil(len(samples) / SAMPLES_PER_FRAME)


def feature_labels(phones: Phones, features: int) -> np.ndarray:
    """[features] int64: the phoneme in the middle of each 20 ms, UNKNOWN where no phone is."""
    labels = np.full(features, UNKNOWN)
    for symbol, start, end in phones:
        first, last = (max(0, int(np.ceil(time * FEATURES_PER_SECOND - 0.5))) for time in (start, end))
        labels[first:last] = INDEX[symbol]
    return labels


def sequence(phones: Phones, features: int) -> list[str]:
    """The spoken phonemes whose middle lies within the features, equal neighbours as one."""
    symbols: list[str] = []
    previous = SILENCE
    for symbol, start, end in phones:
        inside = 0 < (start + end) / 2 < features / FEATURES_PER_SECOND
        if inside and symbol not in (SILENCE, previous):
            symbols.append(symbol)
        previous = symbol
    return symbols
