"""The overview of a prepared video as a page: its pictures, and what was measured in words with a verdict."""

import base64
import io
from html import escape
from pathlib import Path

import numpy as np

from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.preprocessing import report
from geneface.preprocessing.contact_sheet import cut_sheet

QUALITY = 80
CAPTIONS = (
    ("Landmarks", "The green points should lie on eyes, nose and lips in every picture."),
    ("Face model", "The grey face should turn, open its mouth and shut its eyes like the person."),
    ("Head and shoulders", "The head is tinted orange, the shoulders blue."),
)
PLOT = ("Mouth and voice", "The mouth (orange) should move with the sound (blue), and rest without.")


def sheet_html(path: Path | None, measured: dict[str, float]) -> str:
    """Of a contact sheet, and the figures of a dataset; empty if there is no sheet yet."""
    pixels = picture(path)
    if pixels is None:
        return ""
    rows, plot = cut_sheet(pixels)
    figures = "".join(
        f'<figure><figcaption><b>{name}</b> {words}</figcaption><div class="gf-cells">'
        f"{''.join(_image(cell, f'{name}, picture {number}') for number, cell in enumerate(row, 1))}</div></figure>"
        for (name, words), row in zip(CAPTIONS, rows, strict=False)
    )
    name, words = PLOT if rows else ("Overview", "")
    curve = f"<figure><figcaption><b>{name}</b> {words}</figcaption>{_image(plot, name)}</figure>"
    return f'<div class="gf-sheet">{measured_html(measured)}{figures}{curve}</div>'


def measured_html(measured: dict[str, float]) -> str:
    """What was measured, each with whether it is good."""
    if not measured:
        return ""
    get = measured.get
    rows = [
        ("Face", f"found in {1 - get('lost', 0):.0%} of the pictures", get("lost", 0) <= report.MOST_LOST),
        (
            "Face model",
            f"{get('fit_error', 0):.1f} pixels off the landmarks; up to {report.MOST_MISSED:g} are good",
            get("fit_error", 0) <= report.MOST_MISSED,
        ),
        (
            "Mouth and voice",
            f"move together by r = {get('sound_r', 0):.2f}; from {report.LEAST_IN_STEP:g} on they belong together",
            get("sound_r", 0) >= report.LEAST_IN_STEP,
        ),
        (
            "Head",
            f"turns by up to {get('turned', 0):.0f} degrees, {get('blinks', 0):.0f} blinks",
            get("turned", 0) <= report.MOST_TURNED,
        ),
        (
            "Background",
            f"rests to {get('scene_unrest', 0):.1f} of 255 levels; up to {report.MOST_UNREST:g} are good",
            get("scene_unrest", 0) <= report.MOST_UNREST,
        ),
        (
            "Sound",
            f"{get('loudness', 0):.0f} dB; from {report.LEAST_LOUD:g} on it is loud enough",
            get("loudness", 0) >= report.LEAST_LOUD,
        ),
        (
            "Size of the face",
            f"enlarged {get('enlarged', 1):.1f} times; up to {report.MOST_ENLARGED:g} stay sharp",
            get("enlarged", 1) <= report.MOST_ENLARGED,
        ),
    ]
    items = "".join(
        f'<tr class="gf-{"good" if good else "bad"}"><th scope="row">{name}</th><td>{escape(words)}</td>'
        f"<td>{'good' if good else 'look at it'}</td></tr>"
        for name, words, good in rows
    )
    return f'<table class="gf-measured">{items}</table>'


def _image(pixels: np.ndarray, words: str) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="{escape(words, quote=True)}" loading="lazy">'


def mark(path: Path | None) -> tuple[str, int] | None:
    """Tells one picture from the next."""
    try:
        return (str(path), path.stat().st_mtime_ns) if path else None
    except FileNotFoundError:
        return None


def picture(path: Path | None) -> np.ndarray | None:
    """The picture itself, since a server shows no file of a hidden folder; None while there is none."""
    try:
        return read_image(path) if path else None
    except InputError:
        return None
