"""Where sound and picture belong together."""

import numpy as np
import pytest

from geneface.datasets.in_step import OFFSETS, Agreement, agreement_curve, best_offset


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


def test_what_is_found_is_said() -> None:
    early, late, here = (Agreement(offset, 0.7, 0.5) for offset in (2, -1, 0))
    assert "the picture is 2 frames early" in early.said and "1 frame late" in late.said and "in step" in here.said
    assert early.to_json() == {"offset_frames": 2, "r": 0.7, "margin": 0.5, "sure": True}
    assert "cannot be told" in Agreement(3, 0.2, 0.1).said
