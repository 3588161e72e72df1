"""The embedded person speaks: from a recording to a decoded video."""

import numpy as np
import pytest
import torch

from geneface import GeneFacePipeline
from geneface.hub.persons import PERSONS_DIR, find_person
from geneface.media.audio import load_audio
from geneface.media.video import VideoReader, probe
from geneface.metrics import lm3d_opening, silence_opening
from geneface.motion.face_motion import FaceMotion
from geneface.motion.lips import press_lips
from geneface.pipelines.generate import generate_video
from geneface.utils.units import SAMPLES_PER_FRAME
from research.lips import with_silence

EXAMPLES = PERSONS_DIR.parent / "audio"


@pytest.fixture(scope="module")
def pipe():
    pipe = GeneFacePipeline.from_pretrained(find_person(), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    return pipe


@torch.no_grad()
def openings(pipe, samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Mouth opening [T] in cm of the landmarks that drive the renderer, and that of the person's closed mouth."""
    mean_landmarks = pipe.motion_generator.mean_landmarks.numpy()
    motion = FaceMotion.join(list(pipe.motion(samples, 16000, seed=0, blink="none")))
    rest = press_lips(pipe.person.rest, pipe.person.rest, pipe.person.usual, pipe.person.mean_landmarks)
    closed = lm3d_opening(rest.float().numpy()[None], mean_landmarks)[0]
    return lm3d_opening(motion.landmarks.numpy(), mean_landmarks), float(closed)


@pytest.mark.slow
def test_a_recording_becomes_a_video(pipe, tmp_path):
    speech = load_audio(EXAMPLES / "welcome.mp3")[: 30 * SAMPLES_PER_FRAME]
    output = tmp_path / "out.mp4"
    generate_video(pipe, speech, output, sampling_rate=16000, seed=0)
    info = probe(output)
    assert (info.width, info.height, info.fps) == (512, 512, 25)
    with VideoReader(output) as reader:
        frames = np.stack(list(reader)).astype(np.float32)
    assert len(frames) == 30
    background = frames[:, :40, -40:]
    assert background.std(0).max() < 6, "the background stands still"
    assert np.abs(np.diff(frames[:, 120:420, 150:360], axis=0)).mean() > 0.2, "the face moves"
    assert np.abs(np.diff(frames, axis=0)).mean() < 8, "neighbouring frames are alike"


def test_the_mouth_moves_in_speech_and_rests_in_silence(pipe):
    speech, start, stop = with_silence(load_audio(EXAMPLES / "welcome.mp3"))
    opening, closed = openings(pipe, speech)
    assert np.percentile(opening, 90) - closed > 0.15, "cm"
    assert silence_opening(opening, start, stop, closed) < 0.1


def test_silence_alone_keeps_the_mouth_closed(pipe):
    opening, closed = openings(pipe, np.zeros(3 * 16000, np.float32))
    assert np.abs(opening - closed).max() < 0.02, "cm"


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name",
    ["RD_Radio31_000", "RD_Radio34_002", "bus_chinese", "chinese_news", "deyu", "fayu", "itosinger1"],
)
def test_the_mouth_closes_in_silence_of_real_recordings(pipe, shared, name):
    speech, start, stop = with_silence(load_audio(shared / "data" / "audio" / f"{name}.flac"))
    opening, closed = openings(pipe, speech)
    assert silence_opening(opening, start, stop, closed) < 0.1
