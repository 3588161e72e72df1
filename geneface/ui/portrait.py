"""The portrait on the stage before anybody speaks: a picture, and soon a head that looks where the pointer is."""

import base64
import io
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from geneface.ui.persons import display_name, thumbnail
from geneface.ui.turn import turned_heads

YAWS = (-7.5, -5.0, -2.5, 0.0, 2.5, 5.0, 7.5)
PITCHES = (-4.0, 0.0, 4.0)
SIDE = 512
"""Pixels a side of the preview."""
FOLLOW = """
const state = {x: 0, y: 0, aim: [0, 0], seen: 0, blink: 0, sheet: null, url: ''};
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const clamp = (value) => Math.max(-1, Math.min(1, value));
document.addEventListener('pointermove', (event) => {
  const box = element.getBoundingClientRect();
  if (!box.width) return;
  state.aim = [clamp((event.clientX - box.x - box.width / 2) / (innerWidth / 2)),
               clamp((event.clientY - box.y - box.height / 2) / (innerHeight / 2))];
  state.seen = performance.now();
});
const nearest = (value, count) => Math.round((value + 1) / 2 * (count - 1)) / (count - 1) * 2 - 1;
const draw = (canvas, now) => {
  const columns = +canvas.dataset.columns, rows = +canvas.dataset.rows, side = +canvas.dataset.side;
  if (state.url !== canvas.dataset.sheet) {
    state.url = canvas.dataset.sheet;
    state.sheet = null;
    const sheet = new Image();
    sheet.onload = () => { state.sheet = sheet; };
    sheet.src = state.url;
  }
  if (!state.sheet) return;
  if (!calm && now - state.seen > 2500) {
    state.aim = [0.5 * Math.sin(now / 2100), 0.35 * Math.sin(now / 3300)];
  }
  state.x += (nearest(state.aim[0], columns) - state.x) * (calm ? 0 : 0.07);
  state.y += (nearest(state.aim[1], rows) - state.y) * (calm ? 0 : 0.07);
  if (now > state.blink + 180) state.blink = now + 2000 + 3500 * Math.random();
  const shut = !calm && now > state.blink ? rows : 0;
  const pen = canvas.getContext('2d');
  const column = (state.x + 1) / 2 * (columns - 1), row = (state.y + 1) / 2 * (rows - 1);
  const left = Math.min(Math.floor(column), columns - 2), top = Math.min(Math.floor(row), rows - 2);
  const right = column - left, below = row - top;
  const put = (x, y, share) => {
    if (share < 0.004) return;
    pen.globalAlpha = share;
    pen.drawImage(state.sheet, x * side, (y + shut) * side, side, side, 0, 0, canvas.width, canvas.height);
  };
  put(left, top, 1);
  put(left + 1, top, right);
  put(left, top + 1, below * (1 - right));
  put(left + 1, top + 1, below * right);
  canvas.classList.add('gf-awake');
};
const tick = (now) => {
  const canvas = element.querySelector('canvas');
  if (canvas && canvas.offsetParent) draw(canvas, now);
  requestAnimationFrame(tick);
};
requestAnimationFrame(tick);
"""
"""Draws the head turned to the pointer, between the nearest ones of the sheet, and blinks now and then."""


def portrait_html(picture: Path | None, person: str, note: str = "") -> str:
    """The person's preview as it is; `note` is what went wrong."""
    name = escape(display_name(person))
    failed = f'<div class="gf-status gf-failed" role="alert">{escape(note)}</div>' if note else ""
    return f'<div class="gf-portrait">{_still(picture, name)}<span class="gf-name">{name}</span>{failed}</div>'


def turns_html(studio: Any, picture: Path | None, person: str) -> str:
    """The person, ready to look around: all turns of the head on one sheet, below them the same with closed eyes."""
    sheet, side = studio.kept(("turns", person), lambda: _sheet(studio.pipe(person)))
    name = escape(display_name(person))
    return (
        f'<div class="gf-portrait">{_still(picture, name)}'
        f'<canvas width="{side}" height="{side}" data-columns="{len(YAWS)}" data-rows="{len(PITCHES)}" '
        f'data-side="{side}" data-sheet="{sheet}" aria-hidden="true"></canvas>'
        f'<span class="gf-name">{name}</span></div>'
    )


def _still(picture: Path | None, name: str) -> str:
    if picture is None:
        return f'<p class="gf-nobody">{name}</p>'
    return f'<img src="{thumbnail(picture, picture.stat().st_mtime_ns, SIDE)}" alt="{name}">'


def _sheet(pipe: Any) -> tuple[str, int]:
    """A WebP sheet of turned heads as a data address, and the side of each."""
    from PIL import Image

    angles = [(yaw, pitch) for pitch in PITCHES for yaw in YAWS]
    heads = np.concatenate([turned_heads(pipe, angles, closed_eyes=closed) for closed in (False, True)])
    side = heads.shape[1]
    grid = heads.reshape(2 * len(PITCHES), len(YAWS), side, side, 3)
    buffer = io.BytesIO()
    Image.fromarray(grid.transpose(0, 2, 1, 3, 4).reshape(-1, len(YAWS) * side, 3)).save(buffer, "WEBP", quality=78)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode(), side
