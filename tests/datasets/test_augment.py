from itertools import pairwise

import numpy as np
import pytest

from geneface.datasets import augment as change

PHONES = [("sil", 0.0, 0.5), ("a", 0.5, 1.0), ("m", 1.0, 1.3), ("i", 1.3, 2.0)]


@pytest.fixture
def tone() -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 1000 / 16000 * np.arange(32000))).astype(np.float32)


def test_the_same_generator_gives_the_same(tone: np.ndarray) -> None:
    for seed in range(8):
        once = change.augment(tone, PHONES, np.random.default_rng(seed))
        again = change.augment(tone, PHONES, np.random.default_rng(seed))
        assert np.array_equal(once[0], again[0]) and once[1] == again[1]
        assert once[0].dtype == np.float32 and np.isfinite(once[0]).all()


@pytest.mark.parametrize("effect", [change.reverberate, change.limit_band, change.add_noise, change.change_level])
def test_effects_keep_length_and_silence(tone: np.ndarray, effect) -> None:
    rng = np.random.default_rng(0)
    changed = effect(tone, rng)
    assert changed.shape == tone.shape and changed.dtype == np.float32
    assert not np.allclose(changed, tone, atol=1e-3)
    assert not effect(np.zeros(5000, np.float32), rng).any()


def test_noise_is_as_loud_as_asked(tone: np.ndarray) -> None:
    for seed in range(6):
        noise = change.add_noise(tone, np.random.default_rng(seed), (20, 20)) - tone
        assert 10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.1)


def test_speed_changes_pitch_and_times_alike(tone: np.ndarray) -> None:
    changed, phones = change.change_speed(tone, PHONES, np.random.default_rng(3), most=1.3)
    factor = len(changed) / len(tone)
    assert abs(factor - 1) > 0.02
    peak = np.abs(np.fft.rfft(changed)).argmax() * 16000 / len(changed)
    assert peak == pytest.approx(1000 / factor, abs=2)
    assert [end for *_, end in phones] == pytest.approx([end * factor for *_, end in PHONES], rel=1e-3)


def test_the_band_is_limited() -> None:
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    power = np.abs(np.fft.rfft(change.limit_band(noise, np.random.default_rng(1)))) ** 2
    assert power[-200:].mean() < 0.5 * power[4000:8000].mean()


def test_silence_goes_between_phones_and_is_labelled(tone: np.ndarray) -> None:
    for seed in range(8):
        changed, phones = change.insert_silence(tone, PHONES, np.random.default_rng(seed))
        index = next(i for i, (s, a, b) in enumerate(phones) if s == "sil" and a > 0)
        _, start, end = phones[index]
        assert start in (0.5, 1.0, 1.3)
        assert not changed[round(start * 16000) : round(end * 16000)].any()
        assert len(changed) - len(tone) == round((end - start) * 16000)
        assert all(a[2] == pytest.approx(b[1]) for a, b in pairwise(phones))
        assert [s for s, *_ in phones if s != "sil"] == ["a", "m", "i"]


def test_silence_goes_where_it_is_quiet_if_times_are_unknown(tone: np.ndarray) -> None:
    tone[15000:15600] = 0
    _, phones = change.insert_silence(tone[13000:17500], [], np.random.default_rng(0))
    ((symbol, start, _),) = phones
    assert symbol == "sil" and 2000 <= start * 16000 <= 2600
