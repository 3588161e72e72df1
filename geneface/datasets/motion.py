"""Pairs of audio features and LM3D for training what moves the face (Sections 3.1 and 3.2).

Two kinds of clip: tracked ones, and simulated ones, whose phones are articulated by rule. From each come several
copies with changed sound, once, at the start; their features and landmarks lie in temporary files that are mapped,
not read, so that a corpus of any size fits.

All landmarks are LM3D of the mean identity at rest: eyes held still, because audio does not explain them (the
pipeline has its own blinks), and tracked clips relative to their own closed mouth.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from geneface.datasets import augment
from geneface.datasets.corpus import Clip, Corpus
from geneface.errors import InputError
from geneface.face.articulation import Style, articulate
from geneface.face.face_model import FaceModel
from geneface.face.ibug68 import BROWS, EYES
from geneface.metrics import lm3d_opening
from geneface.models.features import Hears
from geneface.streaming.audio import ArrayStream
from geneface.streaming.prefetch import prefetch
from geneface.utils.units import SAMPLES_PER_FRAME

CLOSED = 0.2
"""cm: an opening of the mouth that can still be a closed one."""
FADE = 6
"""Frames in which the mouth closes when the sound ends, and opens before it begins."""


class Speech(NamedTuple):
    """Samples [640 T] at 16 kHz and their LM3D [T, 68, 3]."""

    samples: np.ndarray
    lm3d: np.ndarray


def features_of(samples: np.ndarray, extractor: Hears) -> torch.Tensor:
    """[2T, D] of samples [N], in the chunks of the pipeline."""
    return extractor.extract(ArrayStream(samples))


def at_rest(lm3d: np.ndarray, mean_landmarks: np.ndarray) -> np.ndarray:
    """LM3D [T, 68, 3] of a tracked clip without what audio does not explain.

    Eyes are held at the mean face's, brows move about the mean face's, and the clip's own closed mouth (the mean of
    the twentieth of its frames that are most closed, if they are) becomes the mean face's.
    """
    lm3d = lm3d.astype(np.float32).copy()
    opening = lm3d_opening(lm3d, mean_landmarks)
    shut = lm3d[opening <= np.quantile(opening, 0.05)].mean(axis=0)
    if lm3d_opening(shut[None], mean_landmarks)[0] < CLOSED:
        lm3d -= shut
    lm3d[:, BROWS] -= np.median(lm3d[:, BROWS], axis=0)
    lm3d[:, EYES] = 0
    return lm3d


def with_silence(speech: Speech, frame: int, frames: int) -> Speech:
    """`frames` of digital silence and a closed mouth (LM3D 0) before `frame`; faded where it is long enough."""
    samples, lm3d = speech
    place = frame * SAMPLES_PER_FRAME
    silence = np.zeros((frames, *lm3d.shape[1:]), lm3d.dtype)
    fade = 0.5 + 0.5 * np.cos(np.pi * (np.arange(min(FADE, frames // 2)) + 0.5) / FADE)[:, None, None]
    if frame > 0:
        silence[: len(fade)] = fade * lm3d[frame - 1]
    if frame < len(lm3d):
        silence[frames - len(fade) :] = fade[::-1] * lm3d[frame]
    return Speech(
        np.concatenate([samples[:place], np.zeros(frames * SAMPLES_PER_FRAME, np.float32), samples[place:]]),
        np.concatenate([lm3d[:frame], silence, lm3d[frame:]]),
    )


def _padded(samples: np.ndarray, frames: int) -> np.ndarray:
    return np.pad(samples, (0, max(0, frames * SAMPLES_PER_FRAME - len(samples))))[: frames * SAMPLES_PER_FRAME]


def tracked_speech(corpus: Corpus, clip: Clip, mean_landmarks: np.ndarray) -> Speech:
    lm3d = at_rest(corpus.lm3d(clip), mean_landmarks)
    return Speech(_padded(corpus.audio(clip), len(lm3d)), lm3d)


def simulated_speech(
    samples: np.ndarray, phones: augment.Phones, face: FaceModel, style: Style, rng: np.random.Generator
) -> Speech:
    frames = -(-len(samples) // SAMPLES_PER_FRAME)
    lm3d = face.lm3d(torch.from_numpy(articulate(phones, frames, style, rng))).numpy()
    lm3d[:, EYES] = 0
    return Speech(_padded(samples, frames), lm3d)


def changed_sound(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As `augment.augment`, without what changes the timing."""
    chance = rng.random(3)
    if chance[0] < 0.35:
        samples = augment.reverberate(samples, rng)
    if chance[1] < 0.3:
        samples = augment.limit_band(samples, rng)
    if chance[2] < 0.6:
        samples = augment.add_noise(samples, rng)
    return augment.change_level(samples, rng)


def changed_speed(speech: Speech, rng: np.random.Generator) -> Speech:
    """As `augment.change_speed`, with the landmarks."""
    samples, [(_, _, factor)] = augment.change_speed(speech.samples, [("", 0.0, 1.0)], rng)
    frames = len(samples) // SAMPLES_PER_FRAME
    places = ((np.arange(frames) + 0.5) / factor - 0.5).clip(0, len(speech.lm3d) - 1)
    before = np.minimum(places.astype(int), len(speech.lm3d) - 2)
    share = (places - before).astype(np.float32)[:, None, None]
    lm3d = (1 - share) * speech.lm3d[before] + share * speech.lm3d[before + 1]
    return Speech(samples[: frames * SAMPLES_PER_FRAME], lm3d)


def varied_tracked(speech: Speech, min_frames: int, rng: np.random.Generator) -> Speech:
    """Another speed, silences at both ends and sometimes inside, changed sound between; at least `min_frames` long."""
    if rng.random() < 0.7:
        speech = changed_speed(speech, rng)
    if rng.random() < 0.5:
        speech = with_silence(speech, int(rng.integers(len(speech.lm3d) + 1)), int(rng.integers(8, 50)))
    early = rng.random() < 0.3  # the silence gets the noise, too
    if not early:
        speech = Speech(changed_sound(speech.samples, rng), speech.lm3d)
    speech = with_silence(speech, 0, int(rng.integers(4, 40)))
    missing = max(0, min_frames - len(speech.lm3d))
    speech = with_silence(speech, len(speech.lm3d), int(rng.integers(4, 40)) + missing)
    return Speech(changed_sound(speech.samples, rng), speech.lm3d) if early else speech


def varied_simulated(corpus: Corpus, clip: Clip, face: FaceModel, min_frames: int, rng: np.random.Generator) -> Speech:
    """A new speaker's style, and changed sound."""
    samples, phones = augment.augment(corpus.audio(clip), [(s, a, b) for s, a, b in clip.phones], rng)
    missing = max(0, min_frames - len(samples) // SAMPLES_PER_FRAME)
    samples = np.pad(samples, (0, missing * SAMPLES_PER_FRAME))
    return simulated_speech(samples, phones, face, Style.sample(rng), rng)


class Store:
    """Rows of many clips, float16 [N, size] in one temporary file, mapped."""

    def __init__(self, size: int):
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.size = size
        self._rows = 0
        self._map: np.ndarray | None = None

    def add(self, rows: torch.Tensor) -> int:
        """Append [n, size]; returns the first row."""
        self._file.write(rows.half().cpu().numpy().tobytes())
        first, self._rows, self._map = self._rows, self._rows + len(rows), None
        return first

    def __getitem__(self, rows: slice) -> np.ndarray:
        if self._map is None:
            self._file.flush()
            self._map = np.memmap(self._file, np.float16, "r", shape=(self._rows, self.size))
        return self._map[rows]


def is_tracked(clip: Clip) -> bool:
    """Whether its landmarks were seen; those of clips with phones are articulated by rule, or guessed."""
    return bool(clip.lm3d) and not clip.phones


class Copy(NamedTuple):
    """One copy of a clip: its features are rows `first` .. of the store."""

    first: int
    lm3d: np.ndarray
    """[T, 68, 3] float16, mapped"""
    speaker: str
    source: str
    tracked: bool


class MotionData:
    """Windows of features and LM3D, balanced between tracked and simulated clips, sources and speakers."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        face: FaceModel,
        extractor: Hears,
        copies: int,
        window: int,
        real_share: float = 0.5,
        seed: int = 0,
    ):
        """`window`: frames of a training window. `real_share`: chance that a window is of a tracked clip."""
        self.window, self.real_share = window, real_share
        self.feature_size = extractor.feature_size
        self.store = Store(extractor.feature_size)
        landmarks = Store(68 * 3)
        spans: list[tuple[int, int, int, Clip]] = []
        jobs = [(corpus, clip) for corpus in corpora for clip in corpus.clips for _ in range(copies)]
        mean_landmarks = face.mean_landmarks.numpy()

        def make(number: int) -> Speech:
            corpus, clip = jobs[number]
            rng = np.random.default_rng([seed, number])
            if clip.lm3d:
                speech = tracked_speech(corpus, clip, mean_landmarks)
                return varied_tracked(speech, window, rng)
            return varied_simulated(corpus, clip, face, window, rng)

        made = tqdm(
            prefetch(make, range(len(jobs)), threads=8, waiting=4),
            "audio features",
            len(jobs),
            unit="clip",
            disable=None,
        )
        for (_, clip), speech in zip(jobs, made, strict=True):
            first = self.store.add(features_of(speech.samples, extractor))
            start = landmarks.add(torch.from_numpy(speech.lm3d).flatten(1))
            spans.append((first, start, start + len(speech.lm3d), clip))
        self.copies = [
            Copy(first, landmarks[start:stop].reshape(-1, 68, 3), clip.speaker, clip.source, is_tracked(clip))
            for first, start, stop, clip in spans
        ]
        self.chances = self._chances()

    def _chances(self) -> np.ndarray:
        """The chance of each copy: the kinds by `real_share`, sources and speakers by the root of their length."""
        frames = np.array([len(copy.lm3d) for copy in self.copies], np.float64)
        shares = np.array([self.real_share if copy.tracked else 1 - self.real_share for copy in self.copies])
        kinds = np.array([copy.tracked for copy in self.copies])
        sources = np.array([f"{copy.tracked} {copy.source}" for copy in self.copies])
        speakers = np.array([f"{copy.tracked} {copy.source} {copy.speaker}" for copy in self.copies])
        in_speaker = frames / np.sqrt(_totals(speakers, frames))
        in_source = in_speaker / _totals(sources, in_speaker) * np.sqrt(_totals(sources, frames))
        chances = shares * in_source / _totals(kinds, in_source)
        if not chances.sum() > 0:
            raise InputError("the corpora hold no clip of the kind that real_share asks for; change real_share")
        return chances / chances.sum()

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """`features` [count, 2 * window, D] and `lm3d` [count, window, 68, 3], float32."""
        features, lm3d = [], []
        for index in rng.choice(len(self.copies), size=count, p=self.chances):
            copy = self.copies[index]
            start = int(rng.integers(len(copy.lm3d) - self.window + 1))
            features.append(self.store[copy.first + 2 * start : copy.first + 2 * (start + self.window)])
            lm3d.append(copy.lm3d[start : start + self.window])
        return {
            "features": torch.from_numpy(np.stack(features).astype(np.float32)),
            "lm3d": torch.from_numpy(np.stack(lm3d).astype(np.float32)),
        }

    def statistics(self, draws: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation [68, 3] of the LM3D of drawn windows; see `spread_of`."""
        return spread_of(self.draw(draws, np.random.default_rng(0))["lm3d"].flatten(0, 1))


def spread_of(lm3d: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation [68, 3] of LM3D [N, 68, 3] in cm.

    The deviation is at least 0.02 cm, so that points that hardly move do not count as much as lips.
    """
    return lm3d.mean(dim=0), lm3d.std(dim=0).clamp_min(0.02)


def _totals(labels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each entry, the sum of `values` over the entries of the same label."""
    _, index = np.unique(labels, return_inverse=True)
    return np.bincount(index, values)[index]


def open_corpora(folders: Sequence[str], split: str) -> list[Corpus]:
    """The clips of one split of each folder that has any; `InputError` if none has."""
    opened = [Corpus(folder) for folder in folders]
    chosen = [
        Corpus(corpus.folder, clips)
        for corpus in opened
        if (clips := [clip for clip in corpus.clips if clip.split == split and (clip.lm3d or clip.phones)])
    ]
    if not chosen:
        raise InputError(f"{', '.join(map(str, map(Path, folders)))}: no clip with landmarks or phones in {split!r}")
    return chosen
