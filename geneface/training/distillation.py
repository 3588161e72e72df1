"""Teach the feature extractor what Whisper hears: `accelerate launch -m geneface.training.distillation --config FILE`.

The student (a HuBERT of bounded context) hears changed sound; it is to say what the teacher's middle layers say of the
clean recording, with all of it heard. Beside that it learns phonemes, as in `training.feature_extractor`: by
connectionist temporal classification where their order is known, one by one where their times are.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.loading import new_component
from geneface.datasets.motion import MotionData, open_corpora
from geneface.datasets.phoneme_batches import UNKNOWN, Recordings
from geneface.datasets.rough_sound import RoughSound
from geneface.face.face_model import FaceModel
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.phoneme_head import BLANK, PhonemeHead
from geneface.models.speech_features import SpeechFeatures
from geneface.training.distillation_data import Batch, TaughtSpeech
from geneface.training.feature_extractor import PhonemeRecogniser, evaluate
from geneface.training.loop import Loop, LoopConfig, parse_config
from geneface.training.mouth_teacher import train_mouth_teacher
from geneface.training.teacher import Teacher
from geneface.utils.files import read_json, write_json

WINDOW = 64
"""Frames of a window of tracked speech."""


@dataclass
class DistillationConfig(LoopConfig):
    """Settings of `geneface.training.distillation`; a batch is `batch_size` rows of `seconds`."""

    model: str = "hub_configs/embedded/feature_extractor.json"
    """Settings of `transformers.HubertConfig` and of `FeatureExtractor`."""
    teacher: str = "runs/whisper"
    """Folder of the encoder: `config.json`, `model.safetensors`."""
    layers: list[int] = field(default_factory=lambda: [3, 4])
    """After which of the teacher's layers its features are taken."""
    corpora: list[str] = field(default_factory=list)
    """Corpus folders; the split train of each is heard, test and heldout are reported where they are."""
    copies: int = 3
    """Of each clip, the first as it is, more at other speeds."""
    seconds: float = 10.0
    longest: float = 10.0
    """Clips beyond this many seconds are left out."""
    clean_share: float = 0.15
    """Of the rows, whose sound stays as it is."""
    tracked: list[str] = field(default_factory=list)
    """Corpus folders with tracked faces, which say what the teacher's features mean for the mouth; none is without."""
    face_model: str = "runs/face_model.safetensors"
    moves_weight: float = 0.5
    phoneme_weight: float = 0.3
    timed_weight: float = 0.1
    phoneme_warmup: int = 800
    """Steps until phonemes have their full weight: at first they would drown what the teacher says."""
    preload_hours: float = 20.0


class Student(nn.Module):
    """The extractor with what is learned beside it."""

    def __init__(self, extractor: FeatureExtractor | SpeechFeatures, taught: int, moves: int):
        super().__init__()
        self.extractor = extractor
        if isinstance(extractor, FeatureExtractor):
            # Digital silence must not reach the layers as zeros: norms of nothing let the gradient grow without end.
            for layer in extractor.model.feature_extractor.conv_layers:
                nn.init.normal_(layer.get_submodule("layer_norm").get_parameter("bias"), std=0.1)
        self.moves = nn.Linear(2 * extractor.feature_size, moves)
        self.head = PhonemeHead(extractor.feature_size)
        self.taught = nn.Linear(extractor.feature_size, taught)

    def forward(self, samples: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the teacher says [B, 2T, D], how the mouth moves [B, T, K], and the logits of the phoneme head."""
        features = self.extractor(samples)
        moves = self.moves(features.unflatten(1, (-1, 2)).flatten(2))
        return self.taught(features), moves, *self.head(features)

    def save_pretrained(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        self.extractor.save_pretrained(folder, dtype=dtype)


def losses(
    batch: Batch, said: torch.Tensor, moves: torch.Tensor, ctc: torch.Tensor, timed: torch.Tensor
) -> dict[str, torch.Tensor]:
    error = functional.smooth_l1_loss(said.float(), batch.taught, beta=0.5, reduction="none").mean(dim=-1)
    lengths = torch.full((len(ctc),), ctc.shape[1], device=ctc.device)
    by_order = functional.ctc_loss(
        ctc.float().log_softmax(-1).transpose(0, 1),
        batch.targets,
        lengths,
        batch.target_lengths,
        blank=BLANK,
        reduction="sum",
        zero_infinity=True,
    )
    entropies = functional.cross_entropy(
        timed.float().flatten(0, 1), batch.labels.flatten(), ignore_index=UNKNOWN, reduction="sum"
    )
    # The first components move the mouth most.
    important = 1 / torch.arange(1, moves.shape[-1] + 1, device=moves.device)
    off = functional.smooth_l1_loss(moves.float(), batch.moves, beta=0.5, reduction="none") @ important
    return {
        "taught": (error * batch.known).sum() / batch.known.sum().clamp(min=1),
        "moves": (off * batch.known[:, ::2]).sum() / batch.known[:, ::2].sum().clamp(min=1),
        "ctc": by_order / ctc[..., 0].numel(),
        "timed": entropies / (batch.labels != UNKNOWN).sum().clamp(min=1),
    }


def new_extractor(settings: Path, teacher: Teacher) -> FeatureExtractor | SpeechFeatures:
    """A HuBERT from nothing; or the teacher's own first layers, which go on learning."""
    if "_class_name" not in read_json(settings):
        return FeatureExtractor(read_json(settings))
    extractor: SpeechFeatures = new_component(settings, "SpeechFeatures")
    encoder = teacher.encoder.float()
    extractor.conv1.load_state_dict(encoder.conv1.state_dict())
    extractor.conv2.load_state_dict(encoder.conv2.state_dict())
    with torch.no_grad():
        extractor.place.copy_(encoder.embed_positions.weight.mean(dim=0))
    for ours, theirs in zip(extractor.layers, encoder.layers, strict=False):
        attention = theirs.self_attn
        for own, taken in (
            (ours.attention_norm, theirs.self_attn_layer_norm),
            (ours.query, attention.q_proj),
            (ours.key, attention.k_proj),
            (ours.value, attention.v_proj),
            (ours.out, attention.out_proj),
            (ours.inner_norm, theirs.final_layer_norm),
            (ours.expand, theirs.fc1),
            (ours.shrink, theirs.fc2),
        ):
            own.load_state_dict(taken.state_dict())  # type: ignore[union-attr]
    return extractor


def train(config: DistillationConfig) -> Path:
    """Train, and write `output_dir/model`, `phoneme_head`, `mouth_teacher` and `report.json`; returns the first."""
    loop = Loop(config)
    recordings = Recordings(config.corpora, config.preload_hours)
    teacher = Teacher(config.teacher, config.layers).to(loop.device)
    if loop.device.type == "cuda":
        teacher.encoder.half()
    mouth = None
    if config.tracked:
        face = FaceModel.load(config.face_model)
        tracked = MotionData(open_corpora(config.tracked, "train"), face, teacher, 3, WINDOW, 1.0, config.seed)
        mouth = train_mouth_teacher(tracked, face.mean_landmarks, loop.device, seed=config.seed)
        mouth.save_pretrained(loop.folder / "mouth_teacher")
    speech = TaughtSpeech(recordings, teacher, config.copies, config.longest, loop.device, config.seed, mouth)
    student = Student(new_extractor(Path(config.model), teacher), teacher.feature_size, speech.moves.shape[1])
    del teacher
    student.train()
    optimizer = torch.optim.AdamW(
        student.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    model, optimizer = loop.prepare(student, optimizer)
    rough = RoughSound(loop.device)
    features = int(config.seconds * 50)
    weights = {"taught": 1.0, "moves": config.moves_weight}

    def make_batch(rng: np.random.Generator) -> tuple[list[list[int]], int]:
        return speech.rows(config.batch_size, features, rng), int(rng.integers(2**31))

    for step in loop:
        for rows, seed in loop.microbatches(step, make_batch):
            batch = speech.batch(rows, features)
            changed = rough(batch.samples, seed)
            clean = rough.chance(config.clean_share, len(changed))
            found = losses(batch, *model(torch.where(clean, batch.samples, changed)))
            phonemes = min(1.0, step / max(1, config.phoneme_warmup))
            weights |= {"ctc": config.phoneme_weight * phonemes, "timed": config.timed_weight * phonemes}
            loop.backward(torch.stack([weights[name] * loss for name, loss in found.items()]).sum())
            loop.record(**found)
        loop.update(optimizer, model)
    folder = loop.finish(model, dtype=torch.float16)
    if loop.accelerator.is_main_process:
        trained = loop.accelerator.unwrap_model(model).eval()
        trained.head.save_pretrained(loop.folder / "phoneme_head", dtype=torch.float16)
        recogniser = PhonemeRecogniser(trained.extractor, trained.head)
        report = {split: evaluate(recogniser, recordings, split, loop.device) for split in ("test", "heldout")}
        write_json(loop.folder / "report.json", report)
        for split, languages in report.items():
            print(split, json.dumps(languages.get("all", {})))
    return folder


if __name__ == "__main__":
    train(parse_config(DistillationConfig))
