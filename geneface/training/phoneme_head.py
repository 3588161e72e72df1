"""Fit the phoneme head to finished features: `accelerate launch -m geneface.training.phoneme_head --config FILE`.

Transcribed clips teach the order of phonemes (CTC), clips whose phones have times teach which one each feature belongs
to. Of the split train a share of the speakers is held out: what is chosen, is chosen on them (`dev` in the report).
"""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from geneface.bundles.loading import trained_component
from geneface.datasets.corpus import Clip, Corpus, choose
from geneface.datasets.motion import Store, features_of
from geneface.datasets.phoneme_batches import INDEX, UNKNOWN, Batch, Recordings, Sampler, feature_labels, sequence
from geneface.errors import InputError, run_script
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.features import AudioFeatures
from geneface.models.phoneme_head import PhonemeHead
from geneface.models.speech_features import SpeechFeatures
from geneface.streaming.prefetch import prefetch
from geneface.training.feature_extractor import PhonemeRecogniser, evaluate, losses
from geneface.training.loop import Loop, LoopConfig, parse_config

HELD_OUT = 20
"""One of so many speakers of the split train is held out."""
REPORTED = 4.0
"""Minutes of each held-out part that are reported, as much of each language as of any other."""


Extractor = FeatureExtractor | SpeechFeatures


@dataclass
class PhonemeHeadConfig(LoopConfig):
    """Settings of `geneface.training.phoneme_head`."""

    feature_extractor: str = "examples/persons/generic/feature_extractor"
    corpora: list[str] = field(default_factory=list)
    """Corpus folders; the split train of each is learned from, test and heldout are reported where they are."""
    minutes: float = 60.0
    """Taken of each corpus, as much of each language as of any other."""
    longest: float = 12.0
    """Seconds; longer clips are left out."""
    channels: int = 0
    """Of the head's convolution; 0 is none."""
    reach: int = 0
    """Features that it hears on each side."""
    dropout: float = 0.2
    """Of the features' numbers."""
    timed_weight: float = 1.0


def is_held_out(clip: Clip) -> bool:
    return zlib.crc32(clip.speaker.encode()) % HELD_OUT == 0


class SpokenFeatures:
    """Features of clips with what is said in them, batch by batch."""

    def __init__(self, items: list[tuple[Corpus, Clip]], extractor: AudioFeatures):
        self.store = Store(extractor.feature_size)
        self.sampler = Sampler(items)
        self.rows: dict[str, tuple[int, int]] = {}
        sounds = prefetch(lambda number: items[number][0].audio(items[number][1]), range(len(items)), 8, waiting=4)
        for (corpus, clip), samples in zip(
            items, tqdm(sounds, "audio features", len(items), disable=None), strict=True
        ):
            features = features_of(samples, extractor)
            self.rows[str(corpus.folder / clip.audio)] = (self.store.add(features), len(features))

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """`samples` of the batch are features [B, N, D]."""
        chosen = self.sampler.draw(count, rng)
        places = [self.rows[str(corpus.folder / clip.audio)] for corpus, clip in chosen]
        longest = max(length for _, length in places)
        labels = torch.full((count, longest), UNKNOWN)
        features = torch.zeros(count, longest, self.store.size)
        said = []
        for row, ((first, length), (_, clip)) in enumerate(zip(places, chosen, strict=True)):
            features[row, :length] = torch.from_numpy(self.store[slice(first, first + length)].astype(np.float32))
            labels[row, :length] = torch.from_numpy(feature_labels(clip.phones, length))
            said.append([INDEX[symbol] for symbol in clip.phonemes or sequence(clip.phones, length)])
        targets = torch.zeros(count, max(1, *map(len, said)), dtype=torch.long)
        for row, symbols in enumerate(said):
            targets[row, : len(symbols)] = torch.tensor(symbols, dtype=torch.long)
        lengths = torch.tensor([length for _, length in places])
        return Batch(features, lengths, torch.zeros(0), labels, targets, torch.tensor(list(map(len, said))))


def chosen_clips(config: PhonemeHeadConfig) -> list[tuple[Corpus, Clip]]:
    found = []
    for corpus in map(Corpus, config.corpora):
        usable = [c for c in corpus.clips if c.split == "train" and c.seconds <= config.longest and not is_held_out(c)]
        found += [(corpus, clip) for clip in choose(usable, config.minutes / 60, config.seed)]
    if not found:
        raise InputError("the corpora hold no clips in the split train; name others")
    return found


def report(
    extractor: FeatureExtractor | SpeechFeatures, head: PhonemeHead, config: PhonemeHeadConfig, device: torch.device
) -> dict:
    """Phoneme error rates of held-out speakers of train (`dev`), of the split test, and of held-out languages."""
    recogniser, found = PhonemeRecogniser(extractor, head.eval()), {}
    for part, split in (("dev", "train"), ("test", "test"), ("heldout", "heldout")):
        recordings = Recordings([], 0)
        for corpus in map(Corpus, config.corpora):
            clips = [c for c in corpus.clips if c.split == split and c.phonemes]
            clips = [clip for clip in clips if part != "dev" or is_held_out(clip)]
            recordings.items += [(corpus, clip) for clip in choose(clips, REPORTED / 60)]
        found[part] = evaluate(recogniser, recordings, split, device).get("all", {})
    return found


def train(config: PhonemeHeadConfig, speech: SpokenFeatures | None = None) -> Path:
    """Fit, and write `output_dir/model` and `report.json`; `speech` of an earlier fit saves the time to make it."""
    loop = Loop(config)
    extractor: Extractor = trained_component(config.feature_extractor).to(loop.device).eval()
    speech = speech or SpokenFeatures(chosen_clips(config), extractor)
    head = PhonemeHead(extractor.feature_size, config.channels, config.reach)
    optimizer = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    model, optimizer = loop.prepare(head, optimizer)
    for step in loop:
        for host_batch in loop.microbatches(step, lambda rng: speech.draw(config.batch_size, rng)):
            batch = Batch(*(tensor.to(loop.device) for tensor in host_batch))
            heard = functional.dropout(batch.samples, config.dropout)
            ctc, timed = losses(batch, *model(heard))
            loop.backward(ctc + config.timed_weight * timed)
            loop.record(ctc=ctc, timed=timed)
        loop.update(optimizer, model)
    folder = loop.finish(model, dtype=torch.float16)
    if loop.accelerator.is_main_process:
        loop.report(report(extractor, loop.accelerator.unwrap_model(model), config, loop.device))
    return folder


if __name__ == "__main__":
    run_script(lambda: train(parse_config(PhonemeHeadConfig)))
