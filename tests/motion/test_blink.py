import numpy as np
import pytest

from geneface.motion.blink import blink_curve
from geneface.options import blinks_a_minute


def test_blinks_belong_to_absolute_frames():
    whole = blink_curve(7, 0, 2000)
    pieces = np.concatenate([blink_curve(7, start, start + 50) for start in range(0, 2000, 50)])
    assert np.array_equal(whole, pieces)
    assert not np.array_equal(whole, blink_curve(8, 0, 2000))


def test_blink_rate_is_natural():
    curve = blink_curve(0, 0, 25 * 600)
    blinks = np.count_nonzero((curve[1:] == 1) & (curve[:-1] < 1))
    assert 10 <= blinks / 10 <= 20, "blinks a minute"
    assert curve.min() == 0 and curve.max() == 1


@pytest.mark.parametrize("rate", [0, 4, 30, 60])
def test_blinks_come_as_often_as_asked(rate: float):
    curve = blink_curve(1, 0, 25 * 1200, rate)
    blinks = np.count_nonzero((curve[1:] == 1) & (curve[:-1] < 1))
    assert blinks / 20 == pytest.approx(rate, rel=0.2)


def test_what_a_blink_rate_is():
    assert [blinks_a_minute(value) for value in ("natural", "none", "7.5", 20)] == [15, 0, 7.5, 20]
    for wrong in ("often", -1, 61, "nan"):
        with pytest.raises(ValueError):
            blinks_a_minute(wrong)
