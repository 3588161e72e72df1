"""The portrait on the stage before anybody speaks: a picture, and soon a head that looks where the pointer is."""

import base64
import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geneface.resources import web
from geneface.ui.persons import display_name, shown
from geneface.ui.turn import turned_heads

if TYPE_CHECKING:
    from geneface.pipelines.pipeline import GeneFacePipeline
    from geneface.ui.studio import Studio

YAWS = (-7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5)
PITCHES = (-4.0, 0.0, 4.0)
SIDE = 512
"""Pixels a side of the preview."""
PAD = 8
"""Pixels around each head of the sheet, which repeat its border: what is compressed bleeds into its neighbours."""
QUALITY = 88
FOLLOW = web("portrait.js")
"""Draws the head turned to the pointer, between the nearest ones of the sheet, and blinks now and then."""


def portrait_html(picture: Path | None, person: str, note: str = "") -> str:
    """The person's preview as it is; `note` is what went wrong."""
    name = escape(display_name(person))
    failed = f'<div class="gf-status gf-failed" role="alert">{escape(note)}</div>' if note else ""
    return f'<div class="gf-portrait">{_still(picture, name)}<span class="gf-name">{name}</span>{failed}</div>'


def turns_html(studio: "Studio", picture: Path | None, person: str) -> str:
    """The person, ready to look around: all turns of the head on one sheet, below them the same with closed eyes."""
    sheet, side = studio.kept(("turns", person), lambda: _sheet(studio.pipe(person)))
    name = escape(display_name(person))
    return (
        f'<div class="gf-portrait">{_still(picture, name)}'
        f'<canvas width="{side}" height="{side}" data-columns="{len(YAWS)}" data-rows="{len(PITCHES)}" '
        f'data-side="{side}" data-pad="{PAD}" data-sheet="{sheet}" aria-hidden="true"></canvas>'
        f'<span class="gf-name">{name}</span></div>'
    )


def _still(picture: Path | None, name: str) -> str:
    if picture is None:
        return f'<p class="gf-nobody">{name}</p>'
    source = shown(picture, SIDE)
    return f'<img src="{source}" alt="{name}">' if source else f'<p class="gf-nobody">{name}</p>'


def _sheet(pipe: "GeneFacePipeline") -> tuple[str, int]:
    """A WebP sheet of turned heads as a data address, and the side of each."""
    from PIL import Image

    angles = [(yaw, pitch) for pitch in PITCHES for yaw in YAWS]
    heads = np.concatenate([turned_heads(pipe, angles, closed_eyes=closed) for closed in (False, True)])
    side = heads.shape[1]
    heads = np.pad(heads, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)), mode="edge")
    tile = side + 2 * PAD
    grid = heads.reshape(2 * len(PITCHES), len(YAWS), tile, tile, 3)
    buffer = io.BytesIO()
    sheet = Image.fromarray(grid.transpose(0, 2, 1, 3, 4).reshape(-1, len(YAWS) * tile, 3))
    sheet.save(buffer, "WEBP", quality=QUALITY)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode(), side
