"""The mouth opening of the real and the generated video over time, as SVG."""

from itertools import groupby

import numpy as np

from geneface.utils.units import FPS

WIDTH, HEIGHT, TOP, BOTTOM = 960, 150, 8, 126
REAL, MADE, QUIET = "#a8a29e", "#e0487e", "#78716c"
STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


def opening_plot(real: np.ndarray, made: np.ndarray, top: float) -> str:
    """Curves [T] of the opening over the face's height, the real one as an area; `top` is the highest value."""
    frames = len(real)
    seconds = frames / FPS
    step = next((step for step in STEPS if seconds / step <= 12), 1200)
    marks = np.arange(0, seconds, step)
    ticks = "".join(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}" stroke="#e7e5e4"/>'
        f'<text x="{x + 3:.1f}" y="{HEIGHT - 8}" font-size="12" fill="{QUIET}">{mark:g} s</text>'
        for mark, x in zip(marks, marks / seconds * WIDTH, strict=True)
    )
    areas = "".join(
        f'<polygon fill="{REAL}" fill-opacity="0.45" '
        f'points="{part[0][0]},{BOTTOM} {_text(part)} {part[-1][0]},{BOTTOM}"/>'
        for part in _parts(real, top)
    )
    lines = "".join(
        f'<polyline fill="none" stroke="{MADE}" stroke-width="1.6" stroke-linejoin="round" points="{_text(part)}"/>'
        for part in _parts(made, top)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" '
        f'role="img" aria-label="Mouth opening over {seconds:.1f} seconds, real and generated">'
        f"{ticks}{areas}{lines}</svg>"
    )


def _parts(curve: np.ndarray, top: float) -> list[list[tuple[float, float]]]:
    """Points in the plot, in stretches in which the face was found."""
    x = np.round((np.arange(len(curve)) + 0.5) / len(curve) * WIDTH, 1)
    y = np.round(BOTTOM - np.clip(curve / top, 0, 1) * (BOTTOM - TOP), 1)
    parts = groupby(zip(x.tolist(), y.tolist(), strict=True), key=lambda point: point[1] == point[1])
    return [list(points) for seen, points in parts if seen]


def _text(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
