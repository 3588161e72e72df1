"""The report as a static page: HTML and CSS alone, nothing fetched from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from geneface.evaluation import published
from geneface.evaluation.key_frames import KeyFrame
from geneface.evaluation.plots import MADE, REAL
from geneface.evaluation.table import Row, Table
from geneface.units import FPS

CSS = """
:root { color-scheme: light; --ink: #1c1917; --quiet: #6b645e; --line: #e7e5e4; --accent: #c0306a; }
* { box-sizing: border-box; }
body { margin: 0; background: #fafaf9; color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 1.9rem; letter-spacing: -0.02em; margin: 0 0 4px; }
h2 { font-size: 1.3rem; margin: 44px 0 12px; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 28px 0 8px; }
p { margin: 0 0 10px; max-width: 85ch; }
.quiet, figcaption { color: var(--quiet); font-size: 0.9rem; }
.scroll { overflow-x: auto; background: #fff; border: 1px solid var(--line); border-radius: 14px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 14px; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: none; font-size: 0.95rem; overflow-wrap: anywhere; }
tbody th { font-weight: 500; }
tr.group th { background: #f5f5f4; font-weight: 650; }
td small { display: block; color: var(--quiet); font-size: 0.8rem; white-space: nowrap; }
td.best b { color: var(--accent); }
td.missing, td.good { color: var(--quiet); font-size: 0.88rem; }
video { display: block; max-width: 100%; margin: 0 auto; border-radius: 14px; background: #1c1917; }
figure { margin: 0 0 14px; padding: 10px 14px; background: #fff; border: 1px solid var(--line); border-radius: 14px; }
figure svg { display: block; width: 100%; height: auto; }
.key::before { content: ''; display: inline-block; width: 10px; height: 10px; border-radius: 3px;
  margin: 0 6px 0 14px; background: var(--key); }
.frames { display: grid; gap: 6px; align-items: center; }
.frames img { display: block; width: 100%; border-radius: 8px; }
.frames span { font-size: 0.85rem; text-align: center; overflow-wrap: anywhere; }
.frames b { font-size: 0.85rem; overflow-wrap: anywhere; }
.frames small { display: block; color: var(--quiet); }
details { margin-top: 16px; }
summary { cursor: pointer; font-weight: 600; margin-bottom: 8px; }
ul { padding-left: 20px; margin: 0; }
@media (max-width: 640px) { main { padding: 20px 12px 48px; } th, td { padding: 6px 8px; } }
"""
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{css}</style></head><body><main>
{body}
</main></body></html>
"""


@dataclass(frozen=True)
class ClipPage:
    """What the report shows of one clip; paths are relative to it."""

    name: str
    rows: Sequence[str]
    """The reference first."""
    video: str
    poster: str
    """Its first frame."""
    plots: dict[str, str]
    """SVG of each method."""
    key_frames: Sequence[KeyFrame]
    pictures: Sequence[Sequence[str]]
    """Of each row, of each key frame; empty where there is none."""
    table: Table | None
    """Its own figures, if there are several clips."""
    note: str


def html_page(title: str, lead: Sequence[str], table: Table, clips: Sequence[ClipPage], notes: Sequence[str]) -> str:
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p class='quiet'>{escape(text)}</p>" for text in lead)]
    parts += ["<h2>Figures</h2>", html_table(table)]
    if notes:
        parts += ["<h3>Notes</h3><ul class='quiet'>", *(f"<li>{escape(note)}</li>" for note in notes), "</ul>"]
    parts += [_clip(clip) for clip in clips]
    parts += ["<h2>Published figures</h2>", f"<p class='quiet'>{escape(published.SAID)}</p>", _published()]
    return FRAME.format(title=escape(title), css=CSS, body="\n".join(parts))


def html_table(table: Table) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in ("", "good", *table.columns))
    lines = []
    for group, rows in table.groups.items():
        lines.append(f"<tr class='group'><th colspan='{len(table.columns) + 2}'>{escape(group)}</th></tr>")
        lines += [_row(row) for row in rows]
    return _table(head, lines)


def _table(head: str, lines: Sequence[str]) -> str:
    body = "\n".join(lines)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _row(row: Row) -> str:
    cells = [f"<th scope='row'>{escape(row.title)}</th><td class='good'>{escape(row.good)}</td>"]
    if row.missing:
        return f"<tr>{cells[0]}<td class='missing' colspan='{len(row.cells)}'>{escape(row.missing)}</td></tr>"
    for cell in row.cells:
        value = f"<b>{cell.value}</b>" if cell.best else cell.value
        interval = f"<small>{cell.interval}</small>" if cell.interval else ""
        cells.append(f"<td{' class=best' if cell.best else ''}>{value}{interval}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _clip(clip: ClipPage) -> str:
    parts = [
        f"<h2>{escape(clip.name)}</h2>",
        f"<video controls preload='metadata' poster='{escape(clip.poster)}' src='{escape(clip.video)}'></video>",
        "<h3>Mouth opening</h3>",
    ]
    for method, plot in clip.plots.items():
        colours = {"real": REAL, "generated": MADE}
        keys = "".join(f"<span class='key' style='--key: {hue}'>{name}</span>" for name, hue in colours.items())
        parts.append(f"<figure><figcaption><b>{escape(method)}</b>{keys}</figcaption>{plot}</figure>")
    if clip.key_frames:
        parts += ["<h3>Key frames</h3>", f"<p class='quiet'>{escape(clip.note)}</p>", _frames(clip)]
    if clip.table is not None:
        parts.append(f"<details><summary>Figures of this clip</summary>{html_table(clip.table)}</details>")
    return "\n".join(parts)


def _frames(clip: ClipPage) -> str:
    cells = ["<span></span>"]
    cells += [f"<span>{escape(key.label)}<small>{key.frame / FPS:.2f} s</small></span>" for key in clip.key_frames]
    for row, pictures in zip(clip.rows, clip.pictures, strict=True):
        cells.append(f"<b>{escape(row)}</b>")
        for key, name in zip(clip.key_frames, pictures, strict=True):
            alt = escape(f"{row} at {key.frame / FPS:.2f} s")
            cells.append(f"<img src='{escape(name)}' alt='{alt}' loading='lazy'>" if name else "<span></span>")
    columns = f"110px repeat({len(clip.key_frames)}, 1fr)"
    return f"<div class='frames' style='grid-template-columns: {columns}'>{''.join(cells)}</div>"


def _published() -> str:
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("", *published.COLUMNS))
    lines = [
        f"<tr><th scope='row'>{method}</th>{''.join(f'<td>{value}</td>' for value in values)}</tr>"
        for method, values in published.TABLE_1.items()
    ]
    return _table(head, lines)
