"""The distillation of the features, with a teacher and a student as small as can be."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import ROOT

from geneface.bundles.loading import trained_component
from geneface.datasets.corpus import Corpus, write_clips
from geneface.models.phoneme_head import PhonemeHead
from geneface.models.speech_features import SpeechFeatures
from geneface.training import distillation
from geneface.training.teacher import Teacher

WHISPER = {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 64}


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    folder = tmp_path_factory.mktemp("whisper")
    settings = {**WHISPER, "num_mel_bins": 80, "max_source_positions": 1500}
    torch.manual_seed(0)
    save_file(WhisperEncoder(WhisperConfig(**settings)).state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", **settings}))
    return folder


def test_the_student_starts_as_the_teacher_does(whisper: Path, tmp_path: Path) -> None:
    settings = {"width": 32, "heads": 4, "inner": 64, "feature_size": 16, "context": [[4, 1], [4, 1]]}
    (tmp_path / "small.json").write_text(json.dumps({"_class_name": "SpeechFeatures", **settings}))
    teacher = Teacher(whisper, (1, 2))
    student = distillation.new_extractor(tmp_path / "small.json", teacher)
    assert isinstance(student, SpeechFeatures)
    assert torch.equal(student.layers[1].query.weight, teacher.encoder.layers[1].self_attn.q_proj.weight)
    assert torch.equal(student.conv2.weight, teacher.encoder.conv2.weight)


def test_it_trains_and_writes_what_others_read(whisper: Path, tmp_path: Path) -> None:
    speech = Corpus(ROOT / "examples/speech")
    (tmp_path / "corpus/audio").mkdir(parents=True)
    for clip in speech.clips[:3]:
        os.symlink(speech.folder / clip.audio, tmp_path / "corpus" / clip.audio)
    write_clips(tmp_path / "corpus", speech.clips[:3])
    settings = {"width": 32, "heads": 4, "inner": 64, "feature_size": 16, "identity": "tiny"}
    (tmp_path / "small.json").write_text(json.dumps({"_class_name": "SpeechFeatures", **settings}))
    config = distillation.DistillationConfig(
        str(tmp_path / "run"),
        model=str(tmp_path / "small.json"),
        teacher=str(whisper),
        layers=[1, 2],
        corpora=[str(tmp_path / "corpus")],
        copies=1,
        steps=2,
        batch_size=2,
        prefetch=1,
        cpu=True,
    )
    extractor = trained_component(distillation.train(config))
    assert extractor.identity == "tiny" and extractor.feature_size == 16
    assert PhonemeHead.from_pretrained(tmp_path / "run/phoneme_head").ctc.in_features == 16
    assert (tmp_path / "run/report.json").exists()
