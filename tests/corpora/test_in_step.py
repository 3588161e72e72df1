"""Where sound and picture belong together."""

import numpy as np
import pytest

from geneface.corpora.in_step import OFFSETS, agreement_curve, best_offset


def openings(frames: int = 120) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.convolve(rng.standard_normal(frames + 20), np.hanning(5), "valid")[:frames]


@pytest.mark.parametrize("offset", range(-7, 8))
def test_known_shifts_are_found_again(offset: int) -> None:
    expected = openings()
    # The mouth of frame t belongs to the sound of frame t + offset.
    seen = np.roll(expected, -offset) + 0.3 * np.random.default_rng(1).standard_normal(len(expected))
    found = best_offset(agreement_curve(seen, expected))
    assert found.offset == offset and found.is_sure and found.r > 0.7


def test_a_mouth_that_says_something_else_is_not_trusted() -> None:
    seen = np.convolve(np.random.default_rng(5).standard_normal(1020), np.hanning(5), "valid")[:1000]
    assert not best_offset(agreement_curve(seen, openings(1000))).is_sure


def test_next_to_nothing_says_nothing() -> None:
    assert not best_offset(agreement_curve(openings(20), openings(20))).is_sure
    assert len(agreement_curve(openings(20), openings(20))) == len(OFFSETS)
