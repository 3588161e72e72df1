"""`geneface evaluate`: the paper's measures for generated videos, beside the real ones (Sec. 4, Tables 1, 3 and 5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from geneface import __version__, metrics
from geneface.datasets.in_step import Agreement, agreement_curve, best_offset
from geneface.evaluation.clips import REFERENCE, Plan, plan_clips
from geneface.evaluation.measures import MEASURES, Measure, Series
from geneface.evaluation.pairs import Alignment, align, compare
from geneface.evaluation.tools import Tools, open_tools
from geneface.evaluation.tracks import Progress, Track, own_series, track_video
from geneface.utils.units import FPS

VIEW = 1.5
"""Heights from the brows to the chin that a view of the head is high."""
BLOCK, LEAST_BLOCKS = 50, 5
"""Frames of a block of time; shorter ones in a clip that would not have so many."""
LOST = 0.02
"""Share of frames without a face from which it is said."""
APART = 10.0
"""Per cent of the distance of the eyes by which faces may be apart and still be the same person in the same place."""

Figures = dict[str, metrics.Estimate]
"""By the measures' keys; a measure that could not be had is not in it."""


@dataclass(frozen=True)
class ClipResult:
    """One clip of one method, or of the real videos."""

    path: Path
    frames: int
    figures: Figures
    opening: np.ndarray
    """[frames] of the mouth, over the height of the face"""
    face: tuple[int, int, int]
    """Left, top and side in pixels of a square around the face, as it is most of the time."""
    alignment: Alignment | None = None
    in_step: Agreement | None = None
    """Of its own sound with its lips; None without sound, or without the judge."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Evaluation:
    """What was found, in the order of the report."""

    clips: tuple[str, ...]
    rows: dict[str, dict[str, ClipResult]]
    """The real videos first, as `REFERENCE`, then each method: its clips."""
    missing: dict[str, str]
    """Why a measure has no value anywhere, by its key."""
    notes: list[str]

    @property
    def interval(self) -> str:
        """What the 95% intervals are over."""
        if len(self.clips) > 1:
            return "clips"
        [clip] = self.rows[REFERENCE].values()
        return f"blocks of {round(block_frames(clip.frames) / FPS, 1):g} s of the one clip"

    def overall(self, row: str) -> Figures:
        """Means over a row's clips, weighted by length, with a bootstrap over the clips; of one clip its own."""
        clips = list(self.rows[row].values())
        if len(self.clips) == 1:
            return clips[0].figures
        return {
            measure.key: metrics.weighted_mean(
                [clip.figures[measure.key].mean for clip in found],
                [clip.frames for clip in found],
                [str(clip.path) for clip in found],
            )
            for measure in MEASURES
            if (found := [clip for clip in clips if measure.key in clip.figures])
        }

    def to_json(self) -> dict[str, object]:
        """Everything in plain values; an infinite one is the text "inf"."""
        return {
            "geneface_version": __version__,
            "interval": f"95% bootstrap over {self.interval}",
            "measures": {measure.key: {"title": measure.title, "good": measure.better} for measure in MEASURES},
            "missing": self.missing,
            "overall": {row: _plain(self.overall(row)) for row in self.rows},
            "clips": {
                clip: {row: _clip_json(found[clip]) for row, found in self.rows.items() if clip in found}
                for clip in self.clips
            },
            "notes": self.notes,
        }


def _clip_json(clip: ClipResult) -> dict[str, object]:
    content: dict[str, object] = {"video": str(clip.path), "frames": clip.frames, "figures": _plain(clip.figures)}
    if clip.alignment is not None:
        content["alignment"] = {
            "shift_frames": clip.alignment.shift,
            "sound_offset_seconds": clip.alignment.sound_offset,
            "said": clip.alignment.said,
        }
    if clip.in_step is not None:
        content["sound_and_picture"] = clip.in_step.to_json()
    return {**content, "notes": clip.notes}


def _plain(figures: Figures) -> dict[str, dict[str, float | str]]:
    def number(value: float) -> float | str:
        return "inf" if math.isinf(value) else round(value, 6)

    return {
        key: {"mean": number(found.mean), "low": number(found.low), "high": number(found.high)}
        for key, found in figures.items()
    }


def evaluate(
    reference: str | Path,
    generated: str | Path,
    *,
    assets_folder: str | Path | None = None,
    tools: Tools | None = None,
    progress: Progress = lambda items, name: items,
) -> Evaluation:
    """Compare generated videos with real ones: two videos, or two folders as `clips.plan_clips` takes them.

    Args:
        assets_folder: Where third-party models are.
        tools: What to use instead of them.
        progress: Called with what a step goes through and its name.

    Raises:
        InputError: for videos that cannot be compared, with the reason.
    """
    plan = plan_clips(reference, generated)
    return evaluate_plan(plan, tools or open_tools(assets_folder), progress)


def evaluate_plan(plan: Plan, tools: Tools, progress: Progress) -> Evaluation:
    rows: dict[str, dict[str, ClipResult]] = {REFERENCE: {}, **{method: {} for method in plan.methods}}
    notes = list(plan.notes)
    for clip, path in plan.reference.items():
        real = track_video(path, tools, progress)
        rows[REFERENCE][clip] = _result(real, own_series(real, real.sound, tools, progress), None, tools)
        for method, videos in plan.methods.items():
            if clip in videos:
                made = track_video(videos[clip], tools, progress)
                alignment = align(real, made)
                series = compare(real, made, alignment, tools, progress)
                rows[method][clip] = _result(made, series, alignment, tools)
    for row, found in rows.items():
        for clip, result in found.items():
            notes += [f"{row}, {clip}: {note}" for note in result.notes]
    return Evaluation(tuple(plan.reference), rows, _missing(rows, tools), notes)


def _result(track: Track, series: Series, alignment: Alignment | None, tools: Tools) -> ClipResult:
    frames = alignment.frames if alignment else len(track)
    figures = {
        m.key: estimate for m in MEASURES if (m.own or alignment) and (estimate := _estimate(m, series, frames))
    }
    notes = [f"{track.source}, resampled for this comparison"] if track.source else []
    if (lost := float(1 - track.valid.mean())) > LOST:
        notes.append(f"no face was found in {lost:.0%} of the frames")
    in_step = None
    if tools.judge is not None and track.sound is not None:
        in_step = best_offset(agreement_curve(track.opening, tools.judge.expects(track.sound)))
        if in_step.offset or not in_step.is_sure:
            notes.append(in_step.said)
    if alignment is not None:
        if alignment.noteworthy:
            notes.append(alignment.said)
        if track.sound is None and ("sync" in series or "syncnet" in series):
            notes.append("it has no sound: synchrony is that with the reference's")
        if "nlmd_face" in figures and figures["nlmd_face"].mean > APART:
            notes.append(
                "its face lies elsewhere than the real one: if it shows another person, another crop or other head "
                "motion, image quality, LMD and seam say nothing about it"
            )
        seen = ~np.isnan(series["own_opening"])
        if metrics.is_frozen(series["real_opening"][seen], series["own_opening"][seen]):
            notes.append("the mouth is frozen: it hardly moves")
    opening = series["own_opening"] if alignment else series["opening"]
    return ClipResult(track.path, frames, figures, opening, face_square(track), alignment, in_step, notes)


def face_square(track: Track) -> tuple[int, int, int]:
    """Left, top and side of the head and some of the neck, within the picture."""
    points = np.median(track.landmarks, axis=0)
    low, high = points.min(axis=0), points.max(axis=0)
    side = min(round(VIEW * float(high[1] - low[1])), *track.size)
    corner = np.clip((low + high - side) / 2, 0, np.array(track.size) - side)
    return round(corner[0]), round(corner[1]), side


def _estimate(measure: Measure, series: Series, frames: int) -> metrics.Estimate | None:
    value = measure.of(series, np.arange(frames))
    if math.isnan(value):
        return None
    if measure.whole:
        return metrics.Estimate(value, value, value)
    return metrics.block_estimate(lambda drawn: measure.of(series, drawn), frames, block_frames(frames))


def block_frames(frames: int) -> int:
    """Of a block of time in a clip."""
    return min(BLOCK, max(frames // LEAST_BLOCKS, 1))


def _missing(rows: Mapping[str, Mapping[str, ClipResult]], tools: Tools) -> dict[str, str]:
    """Why a column is empty, by the measure's key."""
    found = {key for clips in rows.values() for clip in clips.values() for key in clip.figures}
    return {m.key: _reason(m, tools) for m in MEASURES if m.key not in found}


def _reason(measure: Measure, tools: Tools) -> str:
    names = ("face", "extractor", "expert") if measure.tool == "expert" else (measure.tool,)
    for name in names:
        if name in tools.missing:
            return tools.missing[name]
    return "needs sound" if measure.tool in ("expert", "syncnet") else "could not be measured on these videos"
