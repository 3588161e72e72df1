"""The report as a static page: HTML and CSS alone, nothing fetched from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from geneface.evaluation import published
from geneface.evaluation.key_frames import KeyFrame
from geneface.evaluation.plots import MADE, REAL
from geneface.evaluation.table import Row, Table
from geneface.resources import web
from geneface.utils.units import FPS

CSS = web("report.css")
FRAME = web("report.html")


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
