import json
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import ROOT, TINY_HUBERT

from geneface.datasets.corpus import Corpus
from geneface.datasets.voices import Voices, open_voices
from geneface.errors import InputError
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.motion_generator import MotionGenerator


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Audio alone: two clips of one voice, one of another, one of the dev part."""
    rng = np.random.default_rng(0)
    lines = []
    for number, (speaker, seconds, split) in enumerate(
        [("anna", 1.0, "train"), ("anna", 3.0, "train"), ("ben", 1.0, "train"), ("cleo", 1.0, "dev")]
    ):
        with wave.open(str(tmp_path / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(rng.integers(-9000, 9000, int(16000 * seconds)).astype("<i2").tobytes())
        clip = {"name": str(number), "audio": f"{number}.wav", "seconds": seconds, "speaker": speaker, "split": split}
        lines.append(json.dumps(clip) + "\n")
    (tmp_path / "clips.jsonl").write_text("".join(lines))
    return tmp_path


def test_windows_of_voices_without_landmarks(corpus: Path) -> None:
    torch.manual_seed(0)
    extractor = FeatureExtractor(TINY_HUBERT)
    generator = MotionGenerator(feature_size=16, channels=8, encoder_layers=2, decoder_layers=2, flow_layers=2).eval()
    voices = Voices(open_voices([str(corpus)]), extractor, generator, window=40, copies=2)
    # One second is padded to the window; three seconds are 75 frames.
    assert [frames for _, frames in voices.clips] == [40, 40, 75, 75, 40, 40]
    anna, ben = voices.chances[:4].sum(), voices.chances[4:].sum()
    assert 1 < anna / ben < 115 / 40, "a voice counts by the root of its length"
    features, motion = voices.draw(5, np.random.default_rng(0))
    assert features.shape == (5, 80, 16) and motion.shape == (5, 40, 68, 3)
    assert features.isfinite().all() and motion.std(dim=1).max() > 0
    again, _ = voices.draw(5, np.random.default_rng(0))
    assert torch.equal(features, again)
    copies = voices.features[0:80], voices.features[80:160]
    assert np.abs(copies[0].astype("f4") - copies[1]).max() > 0, "the second copy has a changed sound"


def test_no_voices_is_refused(corpus: Path) -> None:
    with pytest.raises(InputError, match="examples/speech"):
        open_voices([])


def test_the_shipped_pack() -> None:
    corpus = Corpus(ROOT / "examples/speech")
    assert 9.5 < sum(clip.seconds for clip in corpus.clips) / 60 < 10.5
    assert len({clip.speaker for clip in corpus.clips}) > 60 and len({clip.language for clip in corpus.clips}) > 15
    files = sorted(path.name for path in (corpus.folder / "audio").iterdir())
    assert files == sorted(Path(clip.audio).name for clip in corpus.clips)
    assert sum(path.stat().st_size for path in corpus.folder.rglob("*")) < 2.5e6
    clip = corpus.clips[0]
    assert abs(len(corpus.audio(clip)) / 16000 - clip.seconds) < 0.04
