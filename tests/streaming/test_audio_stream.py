"""A file, an array, a pipe and live speech look alike to the stages."""

import os
import threading

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.streaming.audio import ArrayStream, AudioStream, LiveStream, NotArrived, PipeStream, blocks


def whole(stream: AudioStream) -> np.ndarray:
    return np.concatenate(list(blocks(stream)))


def test_all_kinds_give_the_same_sound(speech: np.ndarray) -> None:
    levels = np.round(speech * 2**15).astype(np.int16)
    wanted = (levels / 2**15).astype(np.float32)
    read, write = os.pipe()

    def speak() -> None:
        with os.fdopen(write, "wb") as file:
            for start in range(0, len(levels), 777):
                file.write(levels[start : start + 777].tobytes()[:-1])
                file.write(levels[start : start + 777].tobytes()[-1:])

    threading.Thread(target=speak).start()
    live = LiveStream()
    for start in range(0, len(levels), 1000):
        live.push(levels[start : start + 1000])
    live.end()
    with open_audio(levels, 16000) as recording, os.fdopen(read, "rb") as pipe:
        for stream in (recording, ArrayStream(wanted), live, PipeStream(pipe)):
            assert isinstance(stream, AudioStream)
            np.testing.assert_allclose(whole(stream), wanted, atol=1e-6)
            assert stream.ended and stream.available == len(levels)
            outside = stream.read(-5, 3), stream.read(len(levels) - 2, len(levels) + 4)
            assert [len(part) for part in outside] == [8, 6]
            assert not outside[0][:5].any() and not outside[1][2:].any()


def test_what_has_not_arrived_is_an_error() -> None:
    live = LiveStream()
    live.push(np.ones(100, np.float32))
    assert not live.ended and live.available == 100
    np.testing.assert_array_equal(live.read(-2, 3), [0, 0, 1, 1, 1])
    with pytest.raises(NotArrived, match="101"):
        live.read(50, 101)
    live.end()
    assert live.read(99, 102).tolist() == [1, 0, 0]


def test_memory_does_not_grow_with_the_speech() -> None:
    live = LiveStream(history_seconds=0.5)
    for number in range(100):
        live.push(np.full(1600, number, np.float32))
    assert live.available == 160_000 and len(live._samples) == 8000
    assert live.read(159_000, 160_000).min() == 99
    with pytest.raises(NotArrived, match="kept"):
        live.read(100, 200)


def test_another_rate_is_resampled_without_a_seam() -> None:
    seconds = np.arange(48000) / 48000
    tone = (0.5 * np.sin(2 * np.pi * 300 * seconds)).astype(np.float32)
    live = LiveStream()
    for start in range(0, len(tone), 961):
        live.push(tone[start : start + 961], 48000)
    live.end()
    found = live.read(0, live.available)
    assert abs(len(found) - 16000) <= 2
    wanted = 0.5 * np.sin(2 * np.pi * 300 * np.arange(len(found)) / 16000)
    assert np.abs(found - wanted)[100:-100].max() < 5e-3


@pytest.mark.parametrize(
    "samples", [np.zeros((10, 2), np.float32), np.zeros(10, np.int32), np.array([np.nan], np.float32)]
)
def test_what_is_no_sound_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(InputError, match="live sound"):
        LiveStream().push(samples)


def test_nothing_follows_the_end() -> None:
    live = LiveStream()
    live.end()
    with pytest.raises(InputError, match="ended"):
        live.push(np.zeros(4, np.float32))
