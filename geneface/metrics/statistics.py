"""Means with their intervals, and times."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A weighted mean with its 95% interval."""

    mean: float
    low: float
    high: float


def weighted_mean(
    values: Sequence[float], weights: Sequence[float], speakers: Sequence[str], draws: int = 2000, seed: int = 0
) -> Estimate:
    """Mean of clip values weighted by seconds, with a 95% bootstrap over speakers."""
    names, index = np.unique(np.asarray(speakers), return_inverse=True)
    weight = np.bincount(index, weights)
    total = np.bincount(index, np.asarray(values, np.float64) * weights)
    drawn = np.random.default_rng(seed).integers(len(names), size=(draws, len(names)))
    means = total[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5], method="nearest")
    return Estimate(float(total.sum() / weight.sum()), float(low), float(high))


def block_estimate(
    statistic: Callable[[np.ndarray], float], frames: int, block: int = 50, draws: int = 1000, seed: int = 0
) -> Estimate:
    """A statistic of the frames 0 .. frames - 1 of one clip, with a 95% bootstrap over blocks of time.

    `statistic` takes frame numbers [n]. Neighbouring frames are alike, so whole blocks are drawn, not frames.
    """
    blocks = np.array_split(np.arange(frames), max(1, round(frames / block)))
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([blocks[index] for index in rng.integers(len(blocks), size=len(blocks))]))
        for _ in range(draws)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5], method="nearest")
    return Estimate(statistic(np.arange(frames)), float(low), float(high))


def median_seconds(run: Callable[[], object], synchronise: Callable[[], None] = lambda: None, runs: int = 5) -> float:
    """Median wall time of `runs` calls after one to warm up; `synchronise` waits for a device."""
    times = []
    for _ in range(runs + 1):
        synchronise()
        started = time.perf_counter()
        run()
        synchronise()
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:]))
