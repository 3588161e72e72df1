"""Silence closes the mouth: a gate on the generated motion where a recording has no sound at all."""

from collections.abc import Callable

import numpy as np

from geneface.units import SAMPLES_PER_FRAME

QUIET = 1e-3
"""Root mean square of a frame's samples under which it is silent: -60 dB of full scale."""
SHORTEST = 6
"""Frames that a silence lasts at least; the closure of a plosive is shorter."""
CLOSING, OPENING = 3, 3
"""Frames in which the mouth closes once the silence has begun, and opens once it has ended."""
CONTEXT = SHORTEST + CLOSING + OPENING


def silence_gate(read: Callable[[int, int], np.ndarray], start: int, stop: int) -> np.ndarray:
    """Share of its motion that the mouth keeps at frames [start, stop).

    Args:
        read: Gives samples [first, last) at 16 kHz, as `AudioSource.read`; zeros outside of the recording.

    Returns:
        float32 [stop - start]: 1 in speech, 0 in silence of a quarter of a second or more.
    """
    first, last = start - CONTEXT, stop + CONTEXT
    samples = read(first * SAMPLES_PER_FRAME, last * SAMPLES_PER_FRAME).reshape(-1, SAMPLES_PER_FRAME)
    quiet = np.sqrt(np.square(samples, dtype=np.float64).mean(1)) < QUIET
    gate = np.ones(len(quiet), np.float32)
    edges = np.flatnonzero(np.diff(quiet.astype(int), prepend=0, append=0))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin >= SHORTEST:
            # A silence that reaches the edge of what was read began long ago.
            age = np.arange(end - begin) + (CLOSING if begin == 0 else 1)
            gate[begin:end] = np.minimum(gate[begin:end], np.clip(1 - age / CLOSING, 0, 1))
            after = np.arange(1, OPENING + 1)[: len(gate) - end] / (OPENING + 1)
            gate[end : end + OPENING] = np.minimum(gate[end : end + OPENING], after)
    return gate[CONTEXT : CONTEXT + stop - start]
