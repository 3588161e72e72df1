import numpy as np
import pytest

from geneface.motion.silence import silence_gate


def reader(loud: np.ndarray):
    """Samples of frames that are loud or silent."""
    samples = np.repeat(loud.astype(np.float32), 640) * 0.1

    def read(first: int, last: int) -> np.ndarray:
        inside = samples[max(first, 0) : max(last, 0)]
        return np.pad(inside, (max(-first, 0), last - max(first, 0) - len(inside)))

    return read


def test_speech_is_left_alone_and_silence_closes():
    loud = np.ones(100)
    loud[40:60] = 0
    gate = silence_gate(reader(loud), 0, 100)
    assert (gate[4:40] == 1).all() and (gate[64:97] == 1).all()
    assert (gate[46:60] == 0).all()
    assert (np.diff(gate[39:47]) <= 0).all() and (np.diff(gate[59:64]) > 0).all()


def test_short_gaps_are_not_silence():
    loud = np.ones(50)
    loud[20:25] = 0
    assert (silence_gate(reader(loud), 5, 45) == 1).all()


def test_nothing_but_silence():
    assert (silence_gate(reader(np.zeros(30)), 0, 30) == 0).all()


@pytest.mark.parametrize("size", [1, 7, 40])
def test_chunks_equal_the_whole(size):
    loud = (np.random.default_rng(0).random(200) > 0.5).repeat(3)[:200]
    loud[50:80] = loud[120:190] = 0
    read = reader(loud)
    pieces = [silence_gate(read, start, min(start + size, 200)) for start in range(0, 200, size)]
    assert np.array_equal(np.concatenate(pieces), silence_gate(read, 0, 200))
