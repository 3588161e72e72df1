"""The columns of the report: what is measured, from which figures of each frame."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geneface import metrics
from geneface.utils.units import FPS

Series = dict[str, np.ndarray]
"""Figures of each frame of a clip, [T] or [T, n]; NaN in frames that have none."""


@dataclass(frozen=True)
class Measure:
    """One column."""

    key: str
    title: str
    better: str
    """Which values are good, in a word or two."""
    digits: int
    series: tuple[str, ...]
    """What it is made of."""
    value: Callable[..., float]
    """From these series, of some of the frames."""
    tool: str = ""
    """Of `tools.Tools`, without which it cannot be had."""
    own: bool = False
    """Whether a video has it without a reference, so that the real one has it, too."""
    whole: bool = False
    """Whether it belongs to a whole clip, so that one clip gives no interval."""

    def of(self, series: Series, frames: np.ndarray) -> float:
        """NaN where the clip has not what it is made of."""
        if not self.series or any(name not in series for name in self.series):
            return float("nan")
        return self.value(*(series[name][frames] for name in self.series))


def mean(values: np.ndarray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def mean_psnr(squared_errors: np.ndarray) -> float:
    """PSNR of the mean squared error over all frames (docs/measures.md, Images)."""
    return metrics.error_to_psnr(mean(squared_errors))


def share(numerator: np.ndarray, denominator: np.ndarray) -> float:
    return mean(numerator) / mean(denominator)


def excess(real: np.ndarray, own: np.ndarray) -> float:
    return mean(own) - mean(real)


def normalised(distance: np.ndarray, eyes: np.ndarray) -> float:
    """Mean distance in per cent of the mean distance of the eyes."""
    return 100 * share(distance, np.where(np.isnan(distance), np.nan, eyes))


def r(real: np.ndarray, opening: np.ndarray) -> float:
    kept = ~np.isnan(real) & ~np.isnan(opening)
    return metrics.pearson(real[kept], opening[kept])


def spread(real: np.ndarray, opening: np.ndarray) -> float:
    kept = ~np.isnan(real) & ~np.isnan(opening)
    return metrics.spread(real[kept], opening[kept]) if np.ptp(real[kept]) > 0 else float("nan")


def fid(real: np.ndarray, made: np.ndarray) -> float:
    kept = ~np.isnan(real[:, 0])
    return metrics.frechet_distance(real[kept], made[kept]) if kept.sum() > 1 else float("nan")


def upper(values: np.ndarray) -> float:
    return float(np.nanpercentile(values, 95))


def similarity(table: np.ndarray) -> metrics.SyncScore:
    kept = table[~np.isnan(table).all(axis=1)]
    return metrics.sync_score(np.nanmean(kept, axis=0)) if len(kept) else metrics.SyncScore(float("nan"), 0)


HIGHER, LOWER, AS_REAL, ONE, ZERO = "higher", "lower", "as the real one", "1", "0"

IMAGE = (
    *(
        Measure(f"{key}_{region}", f"{title}, {region}", HIGHER, digits, (f"{source}_{region}",), value, tool)
        for key, title, digits, source, value in (
            ("psnr", "PSNR", 2, "error", mean_psnr),
            ("ssim", "SSIM", 4, "ssim", mean),
            ("ms_ssim", "MS-SSIM", 4, "ms_ssim", mean),
        )
        for region, tool in (("frame", ""), ("head", "parser"), ("mouth", ""))
    ),
    Measure("lpips", "LPIPS", LOWER, 4, ("lpips",), mean, "lpips"),
    Measure("fid", "FID", LOWER, 2, ("real_inception", "inception"), fid, "inception", whole=True),
)


def synchrony(key: str, title: str, curve: str, tool: str) -> tuple[Measure, Measure]:
    """How sure a judge of voice and lips is, and by how much they are apart, of each video with its own sound."""

    def confidence(table: np.ndarray) -> float:
        return similarity(table).confidence

    def offset(table: np.ndarray) -> float:
        return float(similarity(table).offset)

    return (
        Measure(f"{key}_confidence", f"{title}, confidence", HIGHER, 3, (curve,), confidence, tool, own=True),
        Measure(f"{key}_offset", f"{title}, offset (frames)", ZERO, 0, (curve,), offset, tool, own=True, whole=True),
    )


LIPS = (
    Measure("lmd_lips", "LMD, lips (px)", LOWER, 2, ("lips",), mean),
    Measure("lmd_face", "LMD, face (px)", LOWER, 2, ("face",), mean),
    Measure("nlmd_lips", "LMD, lips (% of eyes)", LOWER, 2, ("lips", "eyes"), normalised),
    Measure("nlmd_face", "LMD, face (% of eyes)", LOWER, 2, ("face", "eyes"), normalised),
    Measure("opening_r", "mouth opening r", HIGHER, 3, ("real_opening", "near_opening"), r),
    Measure("opening_lag", "its lag (frames)", ZERO, 0, ("lag",), mean, whole=True),
    Measure("lm3d_error", "LM3D L2 (mm)", LOWER, 2, ("lm3d_error",), mean, "face"),
    *synchrony("sync_expert", "GeneFace sync-expert", "sync", "expert"),
    *synchrony("syncnet", "SyncNet", "syncnet", "syncnet"),
)
MOTION = (
    Measure("opening_spread", "mouth opening, spread against real", ONE, 2, ("real_opening", "own_opening"), spread),
    Measure("jitter", "jitter (mm)", AS_REAL, 3, ("jitter",), mean, "face", own=True),
    Measure("blink_rate", "blinks a minute", AS_REAL, 1, ("blink",), lambda b: 60 * FPS * mean(b), own=True),
    Measure("head_turn", "head turn, 95% within (deg)", AS_REAL, 2, ("turn",), upper, "face", own=True),
    Measure("flicker", "flicker beyond the real one (grey levels)", ZERO, 2, ("real_change", "change"), excess),
    Measure("seam", "seam of head and torso against real", ONE, 2, ("seam", "real_seam"), share, "parser"),
)
GROUPS = {"Image quality": IMAGE, "Lip synchrony": LIPS, "Motion": MOTION}
MEASURES = tuple(measure for group in GROUPS.values() for measure in group)
