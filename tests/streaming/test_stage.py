import numpy as np
import pytest
import torch
import torch.nn.functional as F

from geneface.models.blink import blink_curve, blink_rate
from geneface.models.streaming import overlapped

KERNEL = torch.arange(1.0, 8.0)[None, None]


def smooth(window: torch.Tensor, start: int) -> torch.Tensor:
    """Depends on three frames on each side and on the absolute frame number."""
    smoothed = F.conv1d(window[None, None], KERNEL, padding=3)[0, 0]
    return smoothed * (start + torch.arange(len(window)))


@pytest.mark.parametrize("sizes", [[40], [1] * 40, [7, 1, 20, 12], [2, 38], [39, 1]])
@pytest.mark.parametrize("align", [1, 4])
def test_stream_equals_whole(sizes, align):
    whole = torch.randn(40, generator=torch.Generator().manual_seed(0))
    starts = []

    def apply(window: torch.Tensor, start: int) -> torch.Tensor:
        starts.append(start)
        return smooth(window, start)

    pieces = list(overlapped(whole.split(sizes), apply, 3, align))
    assert torch.allclose(torch.cat(pieces), smooth(whole, 0), atol=1e-4)
    assert all(start % align == 0 for start in starts)


def test_window_stays_short():
    longest = 0

    def apply(window: torch.Tensor, start: int) -> torch.Tensor:
        nonlocal longest
        longest = max(longest, len(window))
        return window

    for _ in overlapped((torch.zeros(5) for _ in range(100)), apply, 3):
        pass
    assert longest <= 5 + 2 * 3


def test_nothing_in_nothing_out():
    assert list(overlapped([], smooth, 3)) == []


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
    assert [blink_rate(value) for value in ("natural", "none", "7.5", 20)] == [15, 0, 7.5, 20]
    for wrong in ("often", -1, 61, "nan"):
        with pytest.raises(ValueError):
            blink_rate(wrong)
