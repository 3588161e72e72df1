"""A folder to look at: `index.html`, `report.md`, `report.json`, the videos side by side, plots and key frames."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geneface.errors import InputError
from geneface.evaluation import published
from geneface.evaluation.clips import REFERENCE
from geneface.evaluation.evaluate import ClipResult, Evaluation
from geneface.evaluation.key_frames import SIDECAR, key_frames, read_phones
from geneface.evaluation.page import ClipPage, html_page
from geneface.evaluation.plots import opening_plot
from geneface.evaluation.side_by_side import write_side_by_side
from geneface.evaluation.table import Table, as_markdown, make_table, markdown_lines
from geneface.evaluation.tracks import Progress
from geneface.utils.files import atomic_folder
from geneface.utils.units import FPS

TITLE = "Generated videos against real ones"
JSON_NAME = "report.json"
BY_PHONE = f"In the middle of the phones that the file NAME{SIDECAR} beside the reference gives."
BY_OPENING = (
    "Where the real mouth is widest open or shut, each the extreme of a stretch of the clip; the times of phonemes "
    f"are not known (a file NAME{SIDECAR} beside the reference would give them)."
)


def check_report(folder: str | Path) -> Path:
    """Where a report can be written: a new or empty folder, or one that holds a report; else `InputError`."""
    folder = Path(folder)
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not empty and not (folder / JSON_NAME).is_file():
        raise InputError(f"{folder} exists and is no report; choose another name for the report")
    return folder


def write_report(evaluation: Evaluation, folder: str | Path, progress: Progress = lambda items, name: items) -> Path:
    """Write the whole report, or nothing; an earlier report of that name is replaced."""
    target = check_report(folder)
    with atomic_folder(target) as work:
        for name in ("videos", "pictures"):
            (work / name).mkdir()
        table = make_table(evaluation)
        clips = [_clip_page(evaluation, clip, index, work, progress) for index, clip in enumerate(evaluation.clips)]
        lead, notes = _lead(evaluation), evaluation.notes
        (work / JSON_NAME).write_text(as_json(evaluation) + "\n", encoding="utf-8")
        (work / "index.html").write_text(html_page(TITLE, lead, table, clips, notes), encoding="utf-8")
        (work / "report.md").write_text(_markdown(lead, table, clips, notes), encoding="utf-8")
    return target


def as_json(evaluation: Evaluation) -> str:
    return json.dumps(evaluation.to_json(), indent=2, ensure_ascii=False, allow_nan=False)


def _lead(evaluation: Evaluation) -> list[str]:
    frames = sum(clip.frames for clip in evaluation.rows[REFERENCE].values())
    count = len(evaluation.clips)
    methods = [name for name in evaluation.rows if name != REFERENCE]
    return [
        f"{', '.join(methods)}; {count} clip{'s' * (count != 1)}, {frames / FPS:.0f} s. Pictures at 512 pixels and "
        f"25 frames a second; intervals are 95% bootstraps over {evaluation.interval}.",
        "Head: the head of the real picture. Mouth: a box around the real mouth. LMD: distance of MediaPipe's points "
        "from the real ones, in pixels and in per cent of the distance of the outer eye corners. Lag and offset: how "
        "many frames the picture is late. Sync-expert: GeneFace's own, on tracked 3D landmarks; it is not SyncNet.",
    ]


def _clip_page(evaluation: Evaluation, clip: str, index: int, work: Path, progress: Progress) -> ClipPage:
    videos = {name: found[clip] for name, found in evaluation.rows.items() if clip in found}
    real = videos[REFERENCE]
    chosen = key_frames(real.path, real.opening)
    target = work / "videos" / f"{index}.mp4"
    stem = work / "pictures" / f"{index}"
    names = write_side_by_side(videos, target, [key.frame for key in chosen], stem, progress)
    plots = {}
    for number, (name, made) in enumerate(videos.items()):
        if made.alignment is not None:
            plots[name] = _plot(real, made)
            (work / _plot_path(index, number)).write_text(plots[name], encoding="utf-8")
    phones = read_phones(real.path.with_name(real.path.stem + SIDECAR))
    return ClipPage(
        clip,
        tuple(videos),
        f"videos/{index}.mp4",
        f"videos/{index}.webp",
        plots,
        chosen,
        [[f"pictures/{name}" if name else "" for name in row] for row in names],
        make_table(evaluation, clip) if len(evaluation.clips) > 1 else None,
        BY_OPENING if phones is None else BY_PHONE,
    )


def _plot_path(clip: int, row: int) -> str:
    return f"pictures/{clip}-{row}-opening.svg"


def _plot(real: ClipResult, made: ClipResult) -> str:
    assert made.alignment is not None
    curve = real.opening[made.alignment.reference]
    return opening_plot(curve, made.opening, 1.05 * float(np.nanmax([curve, made.opening])))


def _markdown(lead: Sequence[str], table: Table, clips: Sequence[ClipPage], notes: Sequence[str]) -> str:
    parts = [f"# {TITLE}", *lead, as_markdown(table)]
    parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
    for index, clip in enumerate(clips):
        parts += [f"## {clip.name}", f"[Side by side]({clip.video})"]
        parts += [
            f"![Mouth opening, real (grey) and {row}]({_plot_path(index, number)})"
            for number, row in enumerate(clip.rows)
            if row in clip.plots
        ]
        if clip.key_frames:
            rows = [["", *(f"{key.label} {key.frame / FPS:.2f} s" for key in clip.key_frames)]]
            for row, pictures in zip(clip.rows, clip.pictures, strict=True):
                rows.append([row, *(f"![{row}]({name})" if name else "" for name in pictures)])
            parts += [f"Key frames. {clip.note}", markdown_lines(rows)]
        parts += [as_markdown(clip.table)] if clip.table is not None else []
    rows = [["", *published.COLUMNS], *([method, *values] for method, values in published.TABLE_1.items())]
    parts += ["## Published figures", published.SAID, markdown_lines(rows)]
    return "\n\n".join(parts) + "\n"
