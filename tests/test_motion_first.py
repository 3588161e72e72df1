from dataclasses import replace

import numpy as np
import torch

from geneface.pipelines.generate import generate_video


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_motion_is_what_stream_renders(tiny_pipeline, speech: np.ndarray) -> None:
    motion = list(tiny_pipeline.motion(speech, 16000, generator=seeded(), temperature=0.7))
    whole = tiny_pipeline(speech, 16000, generator=seeded(), temperature=0.7)
    landmarks = torch.cat([chunk.landmarks for chunk in motion])
    assert landmarks.shape == (50, 68, 3)
    np.testing.assert_allclose(landmarks.numpy(), whole.landmarks, atol=1e-5)
    again = np.concatenate([chunk.frames for chunk in tiny_pipeline.stream(speech, 16000, motion=motion)])
    np.testing.assert_array_equal(again, whole.frames)
    other = [replace(chunk, landmarks=chunk.landmarks + 0.5) for chunk in motion]
    changed = np.concatenate([chunk.landmarks for chunk in tiny_pipeline.stream(speech, 16000, motion=other)])
    np.testing.assert_allclose(changed, whole.landmarks + 0.5, atol=1e-5)


def test_chunks_are_shown_in_order(tiny_pipeline, speech: np.ndarray, tmp_path) -> None:
    starts = []
    generate_video(
        tiny_pipeline,
        speech[:8000],
        tmp_path / "out.mp4",
        sampling_rate=16000,
        on_chunk=lambda chunk, source: starts.append((chunk.start, len(chunk.frames), source.frames)),
    )
    assert [start for start, _, _ in starts] == list(np.cumsum([0, *(count for _, count, _ in starts)])[:-1])
    assert starts[-1][0] + starts[-1][1] == starts[-1][2] == 13
