"""The figures as a table: a row for each measure, a column for the real videos and each method."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from geneface.evaluation.clips import REFERENCE
from geneface.evaluation.evaluate import Evaluation, Figures
from geneface.evaluation.measures import AS_REAL, GROUPS, HIGHER, LOWER, ONE, Measure
from geneface.metrics import Estimate


@dataclass(frozen=True)
class Cell:
    value: str = ""
    interval: str = ""
    """Its 95% interval; empty if there is none."""
    best: bool = False
    """Of two methods or more."""

    def __str__(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value


@dataclass(frozen=True)
class Row:
    title: str
    good: str
    cells: tuple[Cell, ...]
    missing: str = ""
    """Why all cells are empty."""


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    groups: dict[str, tuple[Row, ...]]


def make_table(evaluation: Evaluation, clip: str | None = None) -> Table:
    """Of all clips together, or of one."""
    if clip is None:
        columns = {name: evaluation.overall(name) for name in evaluation.rows}
    else:
        columns = {name: found[clip].figures for name, found in evaluation.rows.items() if clip in found}
    groups = {
        name: tuple(_row(measure, columns, evaluation.missing.get(measure.key, "")) for measure in measures)
        for name, measures in GROUPS.items()
    }
    return Table(tuple(columns), groups)


def _row(measure: Measure, columns: dict[str, Figures], missing: str) -> Row:
    found = {name: figures[measure.key] for name, figures in columns.items() if measure.key in figures}
    # What is shown as equal is equally good.
    methods = {name: round(value.mean, measure.digits) for name, value in found.items() if name != REFERENCE}
    best = min((_badness(measure, value, found) for value in methods.values()), default=math.nan)
    cells = []
    for name in columns:
        if name not in found:
            cells.append(Cell())
            continue
        leads = name in methods and len(methods) > 1 and _badness(measure, methods[name], found) == best
        value, low, high = (show(number, measure.digits) for number in found[name])
        cells.append(Cell(value, f"{low} to {high}" if low != high else "", leads))
    return Row(measure.title, measure.better, tuple(cells), missing)


def _badness(measure: Measure, value: float, found: dict[str, Estimate]) -> float:
    """Lower is better."""
    if measure.better == HIGHER:
        return -value
    if measure.better == LOWER:
        return value
    if measure.better == AS_REAL:
        return abs(value - round(found[REFERENCE].mean, measure.digits)) if REFERENCE in found else math.nan
    return abs(value - (1.0 if measure.better == ONE else 0.0))


def show(value: float, digits: int) -> str:
    text = "∞" if math.isinf(value) else f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text.replace("∞", "1")) == 0 else text


def as_text(table: Table) -> str:
    """For a terminal."""
    lines = [["", *table.columns]]
    for group, rows in table.groups.items():
        lines.append([group.upper()])
        lines += [[f"  {row.title}", *(str(cell) for cell in row.cells)] for row in rows if not row.missing]
    widths = [max(len(line[column]) for line in lines if len(line) > column) for column in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip() for line in lines]
    text += ["", *(f"{row.title}: {row.missing}" for rows in table.groups.values() for row in rows if row.missing)]
    return "\n".join(text)


def as_markdown(table: Table) -> str:
    lines = [["", "good", *table.columns]]
    for group, rows in table.groups.items():
        lines.append([f"**{group}**", *[""] * (len(table.columns) + 1)])
        for row in rows:
            cells = [
                str(cell).replace(cell.value, f"**{cell.value}**", 1) if cell.best else str(cell) for cell in row.cells
            ]
            if row.missing:
                cells = [row.missing, *[""] * (len(table.columns) - 1)]
            lines.append([row.title, row.good, *cells])
    return markdown_lines(lines)


def markdown_lines(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "| --- " * len(rows[0]) + "|", *lines[1:]])
