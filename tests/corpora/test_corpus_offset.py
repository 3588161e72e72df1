"""A corpus gives sound and landmarks in step."""

from pathlib import Path

import numpy as np
import pytest
import torch

from geneface.bundles.component import write_tensors
from geneface.corpora.fit_corpus import read_offsets
from geneface.datasets.corpus import Clip, Corpus, write_clips


@pytest.mark.parametrize("offset", [-2, 0, 3])
def test_sound_and_landmarks_are_put_in_step(tmp_path: Path, offset: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = 20
    write_tensors(tmp_path / "a.safetensors", {"lm3d": torch.arange(frames).float()[:, None, None].expand(-1, 68, 3)})
    sound = np.arange(frames * 640, dtype=np.float32)
    monkeypatch.setattr("geneface.datasets.corpus.load_audio", lambda path: sound)
    write_clips(tmp_path, [Clip("a", "a.flac", 0.8, "s", lm3d="a.safetensors", offset=offset)])
    corpus = Corpus(tmp_path)
    (clip,) = corpus.clips
    seen, heard = corpus.lm3d(clip)[:, 0, 0], corpus.audio(clip)[::640] / 640
    count = min(len(seen), len(heard))
    assert count == frames - abs(offset)
    np.testing.assert_array_equal(seen[:count] + offset, heard[:count])


def test_offsets_are_read_and_may_be_missing(tmp_path: Path) -> None:
    assert read_offsets(tmp_path / "offsets.csv") == {}
    (tmp_path / "offsets.csv").write_text("name,offset_frames,r\na,2,0.5\nb,,\nc,-1.0,0.3\n")
    assert read_offsets(tmp_path / "offsets.csv") == {"a": 2, "c": -1}
