"""The extended Golay code (24, 12): words of 12 bits as 24 chips, of which any two words differ in at least 8."""

from functools import cache

import numpy as np

BITS, CHIPS = 12, 24
GENERATOR = 0b110001110101
"""x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1, a factor of x^23 + 1."""


@cache
def codebook() -> np.ndarray:
    """float32 [4096, 24] of 1 and -1: row n holds the chips of the word n."""
    words = np.arange(1 << BITS)
    shift = CHIPS - 1 - BITS
    remainder = words << shift
    for bit in range(BITS - 1, -1, -1):
        remainder = np.where(remainder >> bit + shift & 1, remainder ^ GENERATOR << bit, remainder)
    bits = (words << shift | remainder)[:, None] >> np.arange(CHIPS - 1) & 1
    parity = bits.sum(1, keepdims=True) & 1
    return (1 - 2 * np.concatenate([bits, parity], axis=1)).astype(np.float32)


def encode(words: np.ndarray) -> np.ndarray:
    """Chips float32 [24 * N] of words [N], each below 4096."""
    return codebook()[words].reshape(-1)


def decode(chips: np.ndarray) -> np.ndarray:
    """The most likely words [N] of chips [24 * N], real numbers that may be noisy."""
    return (chips.reshape(-1, CHIPS) @ codebook().T).argmax(1)
