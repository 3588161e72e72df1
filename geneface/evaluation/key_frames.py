"""Frames of a clip worth a look, as in Fig. 5: at phonemes, if their times are known, else at open and shut mouths."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from geneface.errors import InputError
from geneface.face.phonemes import SILENCE
from geneface.utils.units import FPS

COUNT = 8
SIDECAR = ".phones.json"


class KeyFrame(NamedTuple):
    frame: int
    """Of the reference."""
    label: str


def key_frames(video: Path, opening: np.ndarray) -> list[KeyFrame]:
    """At most eight, one in each stretch of the clip, whose mouth opening is [T].

    Beside the reference `NAME.mp4` may lie `NAME.phones.json`: a list of [symbol, start, end] in seconds.
    """
    phones = read_phones(video.with_name(video.stem + SIDECAR))
    found = []
    for index, stretch in enumerate(np.array_split(np.arange(len(opening)), min(COUNT, len(opening)))):
        if phones is None:
            values = opening[stretch]
            if np.isnan(values).all():
                continue
            shut = index % 2
            frame = int(stretch[np.nanargmin(values) if shut else np.nanargmax(values)])
            found.append(KeyFrame(frame, "shut" if shut else "open"))
            continue
        said = [
            (end - start, (start + end) / 2, symbol)
            for symbol, start, end in phones
            if symbol != SILENCE and stretch[0] <= int((start + end) / 2 * FPS) <= stretch[-1]
        ]
        if said:
            _, middle, symbol = max(said)
            found.append(KeyFrame(int(middle * FPS), f"/{symbol}/"))
    return found


def read_phones(path: Path) -> list[tuple[str, float, float]] | None:
    """None if there is no such file."""
    if not path.is_file():
        return None
    try:
        return [(str(symbol), float(start), float(end)) for symbol, start, end in json.loads(path.read_text("utf-8"))]
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is not a list of [symbol, start, end] in seconds ({error}); mend or remove it"
        ) from None
