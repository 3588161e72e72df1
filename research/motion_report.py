"""The motion's figures as a table to read and a curve to look at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LEFT, TOP, WIDTH, HEIGHT = 70, 50, 800, 360


def table(found: dict[str, Any]) -> str:
    """Markdown: the figures that issue 4 asks for, and phoneme error rates by language."""
    corpus = found["corpus"]
    cold, warm = corpus["temperature_0"], corpus["temperature_1"]
    rows: list[tuple[str, ...]] = [
        ("figure", "temperature 0", "temperature 1"),
        ("r of the mouth opening (95% over speakers)", _interval(cold), _interval(warm)),
        ("chance: other speakers' motion", _number(cold["r_chance"]), _number(warm["r_chance"])),
        ("r of the regression on the same features", _interval(corpus["judge"]), ""),
        ("r of a log-mel regression", _interval(corpus["log_mel"]), ""),
        ("spread, generated / real", f"{cold['spread']:.2f}", f"{warm['spread']:.2f}"),
        ("r of the mouth's width", f"{cold['r_width']:.3f}", f"{warm['r_width']:.3f}"),
        ("spread of the width", f"{cold['spread_width']:.2f}", f"{warm['spread_width']:.2f}"),
        ("LM3D error", f"{cold['lm3d_error_mm']:.2f} mm", ""),
        ("energy score of 10 seeds", "", f"{warm['energy_score_mm']:.2f} mm"),
        ("largest opening in silence, mean (worst)", _silence(cold), _silence(warm)),
        ("jitter in silence", f"{cold['silence_jitter_mm']:.4f} mm", f"{warm['silence_jitter_mm']:.4f} mm"),
    ]
    lines = [
        f"Split `{found['split']}`: {corpus['clips']} clips, {corpus['seconds']:.0f} s, {corpus['speakers']} speakers."
    ]
    if person := found.get("person"):
        cold, warm = person["temperature_0"], person["temperature_1"]
        name = f"{person['name']} ({person['seconds']:.0f} s)"
        rows += [
            (f"r on {name}", f"{cold['r']:.3f}", f"{warm['r']:.3f}"),
            (f"chance on {name}", f"{cold['r_chance']:.2f}", f"{warm['r_chance']:.2f}"),
            (f"r of the log-mel regression on {name}", f"{person['log_mel']['r']:.3f}", ""),
            (f"spread on {name}", f"{cold['spread']:.2f}", f"{warm['spread']:.2f}"),
        ]
    if speech := found.get("speech"):
        closures = speech["closures"]
        for phones in ("p, b, m", "open vowels"):
            count = closures["temperature_0"][f"{phones}, count"]
            shares = (f"{closures[f'temperature_{t}'][phones]:.0%}" for t in (0, 1))
            rows.append((f"lips close in {count:.0f} {phones} of real speech", *shares))
    sync = corpus["sync_expert"]
    rows.append(("sync-expert's accuracy", f"{sync['accuracy']:.1%}", ""))
    speed = found["speed"]
    rows.append(
        (
            "times real time on 2 cores",
            f"{speed['both']:.0f} (features {speed['features']:.0f}, motion {speed['motion']:.0f})",
            "",
        )
    )
    lines += ["", *_markdown(rows)]
    curve = corpus["sync_curve"]
    lines += ["", "Sync-expert by offset in frames:", "", *_markdown([("", *curve), *_curve_rows(curve)])]
    if speech:
        for split, rates in speech["phonemes"].items():
            title = "held-out speakers" if split == "test" else "held-out languages"
            cells = [
                (name, f"{rate['phoneme_error_rate']:.0%}", f"{rate['minutes']:.1f}") for name, rate in rates.items()
            ]
            lines += ["", f"Phoneme error rate, {title}:", "", *_markdown([("language", "rate", "minutes"), *cells])]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _interval(part: dict[str, Any]) -> str:
    low, high = part["r_interval"]
    return f"{part['r']:.3f} ({low:.2f} to {high:.2f})"


def _silence(part: dict[str, Any]) -> str:
    return f"{part['silence_opening']:.1%} ({part['silence_opening_worst']:.1%})"


def _curve_rows(curve: dict[str, dict[str, float]]) -> list[tuple[str, ...]]:
    return [
        ("judged rightly", *(f"{point['accuracy']:.0%}" for point in curve.values())),
        ("cosine", *(f"{point['cosine']:.2f}" for point in curve.values())),
    ]


def _markdown(rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]


def draw_curve(curve: dict[str, dict[str, float]], path: Path) -> None:
    """A picture of accuracy and mean cosine by offset."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (LEFT + WIDTH + 40, TOP + HEIGHT + 80), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    right, bottom = LEFT + WIDTH, TOP + HEIGHT
    for share in np.linspace(0, 1, 5):
        y = bottom - share * HEIGHT
        draw.line((LEFT, y, right, y), fill="#dddddd")
        draw.text((LEFT - 12, y), f"{share:.2f}", fill="#333333", font=font, anchor="rm")
    places = np.linspace(LEFT, right, len(curve))
    for index, (x, offset) in enumerate(zip(places, curve, strict=True)):
        if index % 2 == 0:
            draw.text((x, bottom + 10), offset, fill="#333333", font=font, anchor="mt")
    draw.text(((LEFT + right) / 2, bottom + 40), "offset of the audio, frames", fill="#333333", font=font, anchor="mt")
    kinds = (("accuracy", "#1f5fbf", "windows judged rightly"), ("cosine", "#c2571a", "mean cosine"))
    for number, (name, colour, legend) in enumerate(kinds):
        points = [(x, bottom - point[name] * HEIGHT) for x, point in zip(places, curve.values(), strict=True)]
        draw.line(points, fill=colour, width=3, joint="curve")
        for x, y in points:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)
        start = LEFT + 260 * number
        draw.line((start, 24, start + 30, 24), fill=colour, width=3)
        draw.text((start + 40, 24), legend, fill="#333333", font=font, anchor="lm")
    picture.save(path)
