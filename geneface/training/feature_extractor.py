"""Trains a HuBERT to tell phonemes apart: `accelerate launch -m geneface.training.feature_extractor --config FILE`.

Clips whose phones have times (synthetic speech) teach which phoneme each 20 ms belong to; transcribed clips teach
their order, by connectionist temporal classification (CTC). The two linear heads are not part of the component.
"""

import json
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.datasets.phoneme_batches import (
    INDEX,
    UNKNOWN,
    Batch,
    BatchMaker,
    Recordings,
    feature_count,
    feature_labels,
    sequence,
)
from geneface.errors import run_script
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.features import MARGIN
from geneface.models.phoneme_head import BLANK, PhonemeHead
from geneface.models.speech_features import SpeechFeatures
from geneface.training.loop import Loop, LoopConfig, parse_config
from geneface.utils.files import read_json, write_json
from geneface.utils.units import SAMPLES_PER_FRAME

logger = logging.getLogger(__name__)


@dataclass
class FeatureExtractorConfig(LoopConfig):
    """Settings of `geneface.training.feature_extractor`."""

    model: str = "hub_configs/ablations/hubert_phonemes.json"
    """Settings of `transformers.HubertConfig`."""
    corpora: list[str] = field(default_factory=list)
    """Corpus folders; the split train of each is trained on, test and heldout are reported."""
    seconds: float = 8.0
    """A batch is `batch_size` times this long; clips with times are cut to it."""
    longest: float = 12.0
    """Transcribed clips beyond this many seconds are left out."""
    timed_share: float = 0.5
    """Share of clips with times in a batch, where there are both kinds."""
    timed_weight: float = 1.0
    """Weight of the loss of clips with times against CTC."""
    preload_hours: float = 20.0
    """Recordings are decoded once, into memory, if there is no more of them than this."""


class PhonemeRecogniser(nn.Module):
    """The extractor with a head; a new one if none is given."""

    def __init__(self, extractor: FeatureExtractor | SpeechFeatures, head: PhonemeHead | None = None):
        super().__init__()
        self.extractor = extractor
        self.head = head or PhonemeHead(extractor.feature_size)

    def forward(
        self, samples: torch.Tensor, lengths: torch.Tensor, masked: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [B, 2T, classes] of both heads."""
        if not isinstance(self.extractor, FeatureExtractor) or self.extractor.bounded:
            return self.head(self.extractor(samples))
        ends = lengths * (SAMPLES_PER_FRAME // 2) + 2 * MARGIN
        present = torch.arange(samples.shape[1], device=samples.device) < ends[:, None]
        features = self.extractor.model(
            self.extractor.scale(samples), attention_mask=present, mask_time_indices=masked
        ).last_hidden_state
        return self.head(features)

    def save_pretrained(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        self.extractor.save_pretrained(folder, dtype=dtype)


def losses(batch: Batch, ctc: torch.Tensor, timed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """CTC per phoneme, and cross-entropy per labelled feature."""
    log_probabilities = ctc.float().log_softmax(-1).transpose(0, 1)
    by_order = functional.ctc_loss(
        log_probabilities, batch.targets, batch.lengths, batch.target_lengths, blank=BLANK, zero_infinity=True
    )
    entropies = functional.cross_entropy(
        timed.float().flatten(0, 1), batch.labels.flatten(), ignore_index=UNKNOWN, reduction="sum"
    )
    return by_order, entropies / (batch.labels != UNKNOWN).sum().clamp(min=1)


def edit_distance(found: list[int], wanted: list[int]) -> int:
    """Insertions, deletions and substitutions between the two."""
    row = np.arange(len(wanted) + 1)
    steps = np.arange(len(wanted) + 1)
    for count, symbol in enumerate(found, start=1):
        kept = np.minimum(row[1:] + 1, row[:-1] + (np.array(wanted) != symbol))
        row = np.minimum.accumulate(np.concatenate([[count], kept]) - steps) + steps
    return int(row[-1])


@torch.no_grad()
def evaluate(model: PhonemeRecogniser, recordings: Recordings, split: str, device: torch.device) -> dict[str, dict]:
    """Phoneme error rate (and accuracy of the features' own phonemes where times are known) of each language."""
    counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for corpus, clip in recordings.items:
        if clip.split != split or not (clip.phonemes or clip.phones):
            continue
        samples = recordings.samples(corpus, clip)
        features = feature_count(samples)
        padded = torch.zeros(1, features * SAMPLES_PER_FRAME // 2 + 2 * MARGIN)
        padded[0, MARGIN : MARGIN + len(samples)] = torch.from_numpy(samples)
        ctc, timed = model(padded.to(device), torch.tensor([features], device=device))
        found = [symbol for symbol in ctc[0].argmax(-1).unique_consecutive().tolist() if symbol != BLANK]
        wanted = clip.phonemes or sequence(clip.phones, features)
        labels = feature_labels(clip.phones, features)
        correct = (timed[0].argmax(-1).cpu().numpy() == labels).sum()
        for group in (clip.language or "unknown", "all"):
            counts[group]["errors"] += edit_distance(found, [INDEX[symbol] for symbol in wanted])
            counts[group]["phonemes"] += len(wanted)
            counts[group]["seconds"] += clip.seconds
            counts[group]["labelled"] += int((labels != UNKNOWN).sum())
            counts[group]["correct"] += int(correct)
    return {group: _rates(count) for group, count in sorted(counts.items())}


def _rates(count: dict[str, float]) -> dict[str, float]:
    rates = {
        "phoneme_error_rate": round(count["errors"] / max(count["phonemes"], 1), 4),
        "phonemes": count["phonemes"],
        "minutes": round(count["seconds"] / 60, 2),
    }
    if count["labelled"]:
        rates["feature_accuracy"] = round(count["correct"] / count["labelled"], 4)
    return rates


def main(argv: list[str] | None = None) -> None:
    config = parse_config(FeatureExtractorConfig, argv)
    settings = read_json(Path(config.model), "settings")
    loop = Loop(config)
    recordings = Recordings(config.corpora, config.preload_hours)
    make_batch = BatchMaker(
        recordings,
        seconds=config.seconds,
        budget=config.batch_size * config.seconds,
        longest=config.longest,
        timed_share=config.timed_share,
        mask_share=settings["mask_time_prob"],
        mask_length=settings["mask_time_length"],
    )
    model = PhonemeRecogniser(FeatureExtractor(settings))
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    model, optimizer = loop.prepare(model, optimizer)
    for step in loop:
        for host_batch in loop.microbatches(step, make_batch):
            batch = Batch(*(tensor.to(loop.device, non_blocking=True) for tensor in host_batch))
            ctc, timed = losses(batch, *model(batch.samples, batch.lengths, batch.masked))
            loop.backward(ctc + config.timed_weight * timed)
            loop.record(ctc=ctc, timed=timed)
        loop.update(optimizer, model)
    loop.finish(model, dtype=torch.float16)
    if loop.accelerator.is_main_process:
        recogniser = loop.accelerator.unwrap_model(model).eval()
        report = {split: evaluate(recogniser, recordings, split, loop.device) for split in ("test", "heldout")}
        write_json(loop.folder / "report.json", report)
        recogniser.head.save_pretrained(loop.folder / "phoneme_head", dtype=torch.float16)
        for split, languages in report.items():
            logger.info("%s %s", split, json.dumps(languages.get("all", {})))


if __name__ == "__main__":
    run_script(main)
