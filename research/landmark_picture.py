"""The picture of a landmark map: points of four sets, told apart by colour and by shape."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw as Pen

SIDE, MARGIN, LINE = 900, 28, 26
SCALE = 2
"""Drawn so much larger, and then made smaller, for smooth edges."""
PAPER, INK, FAINT, FRAME = (255, 255, 255), (28, 25, 23), (110, 105, 100), (214, 211, 209)
COLOURS = ((0, 158, 115), (0, 114, 178), (213, 94, 0), (240, 190, 20))
"""Okabe and Ito's, which the colour-blind can tell apart: green, blue, vermilion, yellow, as in the paper."""
RADIUS = 4.0


def draw_map(places: dict[str, np.ndarray], shares: dict[str, float], seed: int) -> np.ndarray:
    """uint8 [H, W, 3].

    Args:
        places: [N, 2] of each of four sets.
        shares: of each set, of the frames whose nearest real neighbour is the person's.
        seed: of the order in which points are drawn, so that no set hides another.
    """
    from PIL import Image, ImageDraw, ImageFont

    top = MARGIN + 40 + LINE * (len(places) + 1) + 12
    width, height = SIDE + 2 * MARGIN, top + SIDE + MARGIN
    page = Image.new("RGB", (width * SCALE, height * SCALE), PAPER)
    pen = ImageDraw.Draw(page)

    def write(
        x: float, y: float, text: str, size: int, colour: tuple[int, int, int] = INK, anchor: str = "lm"
    ) -> None:
        pen.text((x * SCALE, y * SCALE), text, colour, ImageFont.load_default(size * SCALE), anchor=anchor)

    write(MARGIN, MARGIN + 8, "3D landmarks of both domains (t-SNE)", 22)
    right = width - MARGIN
    head = MARGIN + 40 + LINE / 2
    write(right, head, "nearest real frame is the person's", 15, FAINT, "rm")
    for row, (name, points) in enumerate(places.items()):
        y = head + LINE * (row + 1)
        _mark(pen, MARGIN + 8, y, row, 1.6 * RADIUS)
        write(MARGIN + 26, y, f"{name}: {len(points)} frames", 17)
        write(right, y, f"{100 * shares[name]:.0f}%", 17, anchor="rm")
    box = [MARGIN * SCALE, top * SCALE, right * SCALE, (top + SIDE) * SCALE]
    pen.rectangle(box, outline=FRAME, width=SCALE)

    every = np.concatenate(list(places.values()))
    low, span = every.min(0), float((every.max(0) - every.min(0)).max()) or 1.0
    inner = SIDE - 8 * RADIUS
    # One unit is equally long in both directions, and the picture is in the middle.
    offset = (inner - inner * (every.max(0) - low) / span) / 2 + 4 * RADIUS
    kinds = np.repeat(np.arange(len(places)), [len(points) for points in places.values()])
    for index in np.random.default_rng(seed).permutation(len(every)):
        x, y = (every[index] - low) / span * inner + offset
        _mark(pen, MARGIN + x, top + y, int(kinds[index]), RADIUS)
    return np.asarray(page.resize((width, height), Image.Resampling.LANCZOS))


def _mark(pen: "Pen", x: float, y: float, kind: int, radius: float) -> None:
    """A circle, a square, a triangle or a diamond."""
    shapes = (
        None,
        ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
        ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
        ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    )
    colour, edge = COLOURS[kind], tuple(int(0.65 * value) for value in COLOURS[kind])
    shape, x, y, radius = shapes[kind], x * SCALE, y * SCALE, radius * SCALE
    if shape is None:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour, edge)
    else:
        pen.polygon([(x + radius * dx, y + radius * dy) for dx, dy in shape], colour, edge)
