"""Recordings, at several speeds, with what the teacher hears in them; all of it on the training's device."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from geneface.datasets.augment import change_speed
from geneface.datasets.phoneme_batches import INDEX, UNKNOWN, Recordings, feature_labels, sequence
from geneface.models.features import MARGIN
from geneface.streaming.prefetch import prefetch
from geneface.training.mouth_teacher import MouthTeacher
from geneface.training.teacher import SECONDS, Teacher
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

HOP = SAMPLES_PER_FRAME // 2
TOGETHER = 32
"""Recordings that the teacher hears at once."""
FASTEST = 1.2
"""Factor on speed and pitch, at most, up or down."""
LEAD, TAIL = 0.6, 1.0
"""Seconds of silence that a recording gets at most before and behind it."""


Item = TypeVar("Item")


class Heard(NamedTuple):
    """One recording: its rows on the tapes, and what is said."""

    first: int
    features: int
    phonemes: list[int]


class Batch(NamedTuple):
    samples: torch.Tensor
    """[B, 640T + 80]"""
    taught: torch.Tensor
    """[B, 2T, D], normalised"""
    known: torch.Tensor
    """[B, 2T] bool: where `taught` says something."""
    labels: torch.Tensor
    """[B, 2T] phonemes, or UNKNOWN."""
    moves: torch.Tensor
    """[B, T, K] components of the mouth's motion"""
    targets: torch.Tensor
    target_lengths: torch.Tensor


class TaughtSpeech:
    """Clips of the split train, each at every speed, as tapes of samples, teacher's features and phonemes."""

    def __init__(
        self,
        recordings: Recordings,
        teacher: Teacher,
        copies: int,
        longest: float,
        device: torch.device,
        seed: int,
        mouth: MouthTeacher | None = None,
    ):
        """`copies` of each clip, the first at its own speed; clips of more than `longest` seconds are left out."""
        self.device = device
        self.clips: list[Heard] = []
        tapes: list[tuple[torch.Tensor, ...]] = []
        chosen = [item for item in recordings.items if item[1].split == "train" and item[1].seconds <= longest]
        jobs = [(*item, copy) for item in chosen for copy in range(copies)]

        def make(number: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
            corpus, clip, copy = jobs[number]
            rng = np.random.default_rng([seed, number])
            samples, phones = recordings.samples(corpus, clip), [(s, a, b) for s, a, b in clip.phones]
            if copy:
                samples, phones = change_speed(samples, phones, rng, FASTEST)
            lead, tail = (int(rng.uniform(0, most) * SAMPLING_RATE) // HOP * HOP for most in (LEAD, TAIL))
            samples = np.pad(samples, (lead, tail))
            samples = np.pad(samples, (0, -len(samples) % SAMPLES_PER_FRAME))[: SECONDS * SAMPLING_RATE]
            late = lead / SAMPLING_RATE
            labels = feature_labels([(s, a + late, b + late) for s, a, b in phones], len(samples) // HOP)
            said = clip.phonemes or sequence(phones, len(samples) // HOP)
            return samples, labels, [INDEX[symbol] for symbol in said]

        first = 0
        made = prefetch(make, range(len(jobs)), threads=12, waiting=4)
        for parts in batched(tqdm(made, "teacher", len(jobs), disable=None), TOGETHER):
            sounds = torch.zeros(len(parts), SECONDS * SAMPLING_RATE)
            for row, (samples, _, _) in enumerate(parts):
                sounds[row, : len(samples)] = torch.from_numpy(samples)
            sounds = sounds.to(device)
            taught = teacher(sounds)
            pressed = (sounds * 32767).round().clamp(-32767, 32767).to(torch.int16)
            for row, (samples, labels, said) in enumerate(parts):
                count = len(labels)
                here = taught[row, :count]
                moves = mouth.components(here[None].float())[0] if mouth else here.new_zeros(count // 2, 0)
                sound = pressed[row, : len(samples)].clone()
                tapes.append((sound, here.half(), torch.from_numpy(labels).to(device), moves.half()))
                self.clips.append(Heard(first, count, said))
                first += count
        self.sound, self.taught, self.labels, self.moves = (torch.cat(part) for part in zip(*tapes, strict=True))
        some = self.taught[:: max(1, len(self.taught) // 200000)].float()
        self.mean, self.std = some.mean(dim=0), some.std(dim=0).clamp_min(1e-3)
        self.lengths = np.array([clip.features for clip in self.clips])

    def rows(self, count: int, features: int, rng: np.random.Generator) -> list[list[int]]:
        """Clips of each row, drawn until no more fit."""
        order: Iterator[int] = iter(rng.integers(len(self.clips), size=8 * count * (1 + features // 100)).tolist())
        rows = []
        for _ in range(count):
            row, left = [], features
            for index in order:
                if self.lengths[index] > features:
                    continue
                if self.lengths[index] > left:
                    break
                row.append(index)
                left -= int(self.lengths[index])
            rows.append(row)
        return rows

    def batch(self, rows: list[list[int]], features: int) -> Batch:
        device, count = self.device, len(rows)
        sound = torch.zeros(count, features * HOP, dtype=torch.int16, device=device)
        taught = torch.zeros(count, features, self.taught.shape[1], dtype=torch.float16, device=device)
        known = torch.zeros(count, features, dtype=torch.bool, device=device)
        labels = torch.full((count, features), UNKNOWN, device=device)
        moves = torch.zeros(count, features // 2, self.moves.shape[1], device=device)
        said: list[list[int]] = []
        for row, indices in enumerate(rows):
            place = 0
            said.append([])
            for index in indices:
                first, length, phonemes = self.clips[index]
                here, there = slice(place, place + length), slice(first, first + length)
                sound[row, place * HOP : (place + length) * HOP] = self.sound[first * HOP : (first + length) * HOP]
                taught[row, here], labels[row, here], known[row, here] = self.taught[there], self.labels[there], True
                moves[row, place // 2 : (place + length) // 2] = self.moves[first // 2 : (first + length) // 2]
                said[-1] += phonemes
                place += length
        targets = torch.zeros(count, max(1, *map(len, said)), dtype=torch.long)
        for row, symbols in enumerate(said):
            targets[row, : len(symbols)] = torch.tensor(symbols, dtype=torch.long)
        samples = functional.pad(sound.float() / 32767, (MARGIN, MARGIN))
        normalised = ((taught.float() - self.mean) / self.std).clamp(-6, 6)
        return Batch(
            samples,
            normalised,
            known,
            labels,
            moves,
            targets.to(device),
            torch.tensor(list(map(len, said)), device=device),
        )


def batched(items: Iterable[Item], count: int) -> Iterator[list[Item]]:
    """Lists of at most `count` items."""
    items = iter(items)
    while part := list(islice(items, count)):
        yield part
