import numpy as np
import pytest

from geneface.media.golay import codebook, decode, encode


def test_any_two_words_differ_in_eight_chips() -> None:
    words = codebook()
    assert words.shape == (4096, 24)
    agreement = words @ words.T
    np.fill_diagonal(agreement, -24)
    assert agreement.max() == 24 - 2 * 8


@pytest.mark.parametrize("seed", range(5))
def test_three_wrong_chips_a_word_are_put_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 4096, 5)
    chips = encode(words).reshape(5, 24)
    for word in chips:
        word[rng.choice(24, 3, replace=False)] *= -1
    np.testing.assert_array_equal(decode(chips.ravel()), words)


def test_weak_chips_count_less() -> None:
    chips = encode(np.array([2748]))
    chips[:7] *= -0.1
    assert decode(chips).tolist() == [2748]
