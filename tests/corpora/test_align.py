import os
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TINY_HUBERT

from geneface.corpora import align as module
from geneface.corpora.align import INDEX, align, align_corpus, main
from geneface.datasets.corpus import Clip, Corpus, write_clips
from geneface.errors import InputError
from geneface.face.phonemes import INVENTORY
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.phoneme_head import BLANK, PhonemeHead


def heard(symbols: list[str], sure: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a recording in which each feature's phoneme is heard, and CTC says each once."""
    timed = np.zeros((len(symbols), len(INVENTORY)), np.float32)
    ctc = np.zeros((len(symbols), len(INVENTORY) + 1), np.float32)
    for step, symbol in enumerate(symbols):
        timed[step, INDEX[symbol]] = sure
        new = symbol != "sil" and (step == 0 or symbols[step - 1] != symbol)
        ctc[step, INDEX[symbol] if new else BLANK] = sure
    return ctc, timed


def test_times_are_those_heard() -> None:
    spoken = ["sil"] * 5 + ["m"] * 4 + ["a"] * 6 + ["sil"] * 3 + ["m"] * 2 + ["a"] * 5 + ["sil"] * 4
    found = align(*heard(spoken), ["m", "a", "m", "a"])
    assert found is not None and found.score > -0.5
    assert found.phones == [
        ("sil", 0.0, 0.1),
        ("m", 0.1, 0.18),
        ("a", 0.18, 0.3),
        ("sil", 0.3, 0.36),
        ("m", 0.36, 0.4),
        ("a", 0.4, 0.5),
        ("sil", 0.5, 0.58),
    ]


def test_no_pause_where_none_is_heard_and_phonemes_twice() -> None:
    found = align(*heard(["p"] * 3 + ["a"] * 4 + ["p"] * 3), ["p", "a", "p"])
    assert found is not None and [symbol for symbol, _, _ in found.phones] == ["p", "a", "p"]
    twice = align(*heard(["a"] * 6), ["a", "a"])
    assert twice is not None and [symbol for symbol, _, _ in twice.phones if symbol != "sil"] == ["a", "a"]


def test_another_text_scores_low_and_too_long_a_one_is_refused() -> None:
    logits = heard(["s"] * 10 + ["i"] * 10)
    right, wrong = align(*logits, ["s", "i"]), align(*logits, ["m", "u"])
    assert right is not None and wrong is not None and right.score > -1 > -4 > wrong.score
    assert align(*logits, ["s"] * 21) is None and align(*logits, []) is None


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    (tmp_path / "in/audio").mkdir(parents=True)
    with wave.open(str(tmp_path / "in/audio/x.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(32000))
    write_clips(tmp_path / "in", [Clip("x", "audio/x.wav", 1.0, "ann", "en", phonemes=["m", "a"])])
    return tmp_path


def test_a_corpus_gets_times(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    extractor = FeatureExtractor(TINY_HUBERT).eval()
    head = PhonemeHead(extractor.feature_size)
    monkeypatch.setattr(module, "LEAST_SCORE", -100.0)
    assert align_corpus(Corpus(spoken / "in"), spoken / "out", extractor, head) == (1, 0)
    clip = Corpus(spoken / "out").clips[0]
    assert [symbol for symbol, _, _ in clip.phones if symbol != "sil"] == ["m", "a"]
    assert clip.phones[0][1] == 0 and clip.phones[-1][2] == 1.0
    assert os.path.samefile(spoken / "out/audio/x.wav", spoken / "in/audio/x.wav")
    monkeypatch.setattr(module, "LEAST_SCORE", 0.0)
    with pytest.raises(InputError, match="no recording agrees"):
        align_corpus(Corpus(spoken / "in"), spoken / "none", extractor, head)
    assert not (spoken / "none").exists()


def test_the_command_uses_the_bundle_given(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = FeatureExtractor(TINY_HUBERT)
    extractor.save_pretrained(spoken / "generic/feature_extractor")
    PhonemeHead(extractor.feature_size).save_pretrained(spoken / "generic/phoneme_head")
    monkeypatch.setattr(module, "LEAST_SCORE", -100.0)
    main([str(spoken / "in"), "-o", str(spoken / "out"), "--generic", str(spoken / "generic")])
    assert len(Corpus(spoken / "out")) == 1
