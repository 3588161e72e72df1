"""Real video with the real models: against itself, and against a copy whose picture is three frames late."""

from pathlib import Path

import numpy as np
import pytest

from geneface.evaluation.evaluate import evaluate
from geneface.evaluation.tools import open_tools
from geneface.evaluation.tracks import read_sound
from geneface.media.audio import open_audio
from geneface.media.resample import SteadyVideo
from geneface.media.video import VideoWriter
from geneface.utils.units import SAMPLING_RATE

FRAMES = 80

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """METHODS with a reference, a copy, and a late picture."""
    folder = tmp_path_factory.mktemp("methods")
    source = shared / "data" / "person" / "german_20s.mp4"
    pictures = []
    with SteadyVideo(source) as video:
        for moment in video:
            if moment.index == 100 + FRAMES:
                break
            pictures.append(video.picture(moment))
        sound = read_sound(source, video.start, len(pictures))
    for name, late in (("reference", 0), ("late", 3)):
        (folder / name).mkdir()
        with VideoWriter(folder / name / "clip.mp4", audio=open_audio(sound[100 * 640 :], SAMPLING_RATE)) as writer:
            writer.write(np.stack(pictures[100 - late : 100 - late + FRAMES]))
    (folder / "copy").mkdir()
    (folder / "copy" / "clip.mp4").write_bytes((folder / "reference" / "clip.mp4").read_bytes())
    return folder


def test_a_real_video_against_itself_and_three_frames_late(folder: Path, shared: Path) -> None:
    found = evaluate(folder / "reference", folder, tools=open_tools(shared / "models"))
    assert set(found.missing) == {"fid", "lpips", "syncnet_confidence", "syncnet_offset"}
    copy, late = ({key: value.mean for key, value in found.overall(name).items()} for name in ("copy", "late"))
    assert copy["psnr_frame"] == copy["psnr_head"] == copy["psnr_mouth"] == float("inf")
    assert copy["ms_ssim_mouth"] == pytest.approx(1.0)
    assert copy["lmd_lips"] == copy["lm3d_error"] == copy["opening_lag"] == 0.0
    assert copy["opening_r"] == pytest.approx(1.0) == copy["opening_spread"] == copy["seam"]
    real = found.overall("reference")
    for measure in ("jitter", "head_turn", "sync_expert_confidence", "blink_rate"):
        assert copy[measure] == real[measure].mean
    assert late["opening_lag"] == 3 and late["opening_r"] < 0.9
    assert late["sync_expert_offset"] - copy["sync_expert_offset"] == 3
    assert late["psnr_mouth"] < late["psnr_frame"] < 40 and late["lm3d_error"] > 0.2
