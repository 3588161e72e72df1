import numpy as np
import pytest
import torch
from flat_person import FRAMES, write_flat_person

from geneface.datasets.person import PersonDataset
from geneface.errors import InputError
from geneface.media.video import VideoReader, probe
from geneface.utils.units import SAMPLES_PER_FRAME
from research.held_out import write_held_out


def test_the_test_part_is_written_real_tracked_and_spoken(tmp_path, tiny_pipeline):
    write_flat_person(tmp_path)
    sound = 0.1 * np.random.default_rng(0).normal(size=FRAMES * SAMPLES_PER_FRAME).astype(np.float32)
    data, output = PersonDataset(tmp_path), tmp_path / "methods"
    write_held_out(data, sound, tiny_pipeline, output, "test")
    clips = {path.parent.name: path for path in output.glob("*/test.mp4")}
    assert set(clips) == {"reference", "tracked_landmarks", "speech_alone"}
    assert {probe(path).video_seconds for path in clips.values()} == {FRAMES / 10 / 25}
    real = np.stack(list(VideoReader(clips["reference"])))
    last = torch.from_numpy(data.frames[-FRAMES // 10 :]).float()
    assert (torch.from_numpy(real).float() - last).abs().mean() < 4
    with pytest.raises(InputError, match="already"):
        write_held_out(data, sound, tiny_pipeline, output, "test")
