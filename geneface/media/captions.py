"""Subtitles in the pictures: light letters on a dark ground, below the face, at every shape and size."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from geneface.errors import InputError
from geneface.media.mark import overlay
from geneface.media.subtitles import cues
from geneface.speaking.speech import Sentence
from geneface.units import FPS

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

TEXT, SMALLEST_TEXT, MARGIN, WIDEST = 0.044, 9, 0.035, 0.9
"""Height of the letters and distance from the lower edge as parts of the smaller side; widest line, of the width."""
LINE = 1.3
FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
)
"""Of the usual systems; Pillow's own, which has the letters of English alone, is on every machine."""
ABSENT = "\U0010ffff"
"""What no font has."""


class Captions:
    """What to show in frames of one size, and when.

    Raises:
        InputError: if no font of this machine has the letters.
    """

    def __init__(self, sentences: Iterable[Sentence], width: int, height: int) -> None:
        self.width, self.height = width, height
        self.cues = cues(sentences)
        self._starts = [cue.start for cue in self.cues]
        self._font = find_font(self.cues, max(round(TEXT * min(width, height)), SMALLEST_TEXT))
        self._drawn: tuple[int, tuple[slice, slice], np.ndarray] | None = None

    def draw(self, frames: np.ndarray, start: int) -> None:
        """Draw what belongs to consecutive uint8 frames [N, H, W, 3 or 4] in place; `start` is the first's number."""
        shown = [self._cue((start + i + 0.5) / FPS) for i in range(len(frames))]
        for first, index in enumerate(shown):
            if index is not None:
                _, area, picture = self._picture(index)
                overlay(frames[first : first + 1], area, picture)

    def _cue(self, seconds: float) -> int | None:
        index = bisect_right(self._starts, seconds) - 1
        return index if index >= 0 and seconds < self.cues[index].end else None

    def _picture(self, index: int) -> tuple[int, tuple[slice, slice], np.ndarray]:
        if self._drawn is None or self._drawn[0] != index:
            picture = draw_lines(_lines(self.cues[index].text, self._font, round(WIDEST * self.width)), self._font)
            height, width = picture.shape[:2]
            bottom = self.height - round(MARGIN * min(self.width, self.height))
            top, left = max(bottom - height, 0), max((self.width - width) // 2, 0)
            picture = picture[: bottom - top, : self.width - left]
            area = slice(top, top + picture.shape[0]), slice(left, left + picture.shape[1])
            self._drawn = index, area, picture.astype(np.float32) / 255
        return self._drawn


def find_font(sentences: Iterable[Sentence], size: int) -> "FreeTypeFont":
    """A font of this machine that has all letters of the sentences; `InputError` if none has."""
    letters = sorted({letter for each in sentences for letter in each.text if not letter.isspace()})
    lacking = ""
    for name in (*FONTS, ""):
        font = _font(name, size)
        if font is None:
            continue
        absent = _shape(font, ABSENT)
        lacks = [each for each in letters if _shape(font, each) == absent]
        if not lacks:
            return font
        lacking = lacking or "".join(lacks[:5])
    raise InputError(
        f"no font of this machine has {lacking}, which the subtitles need; install one that does, such as Noto Sans, "
        "or have them written beside the video"
    )


@cache
def _font(name: str, size: int) -> "FreeTypeFont | None":
    from PIL import ImageFont

    try:
        return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)  # type: ignore[return-value]
    except OSError:
        return None


def _shape(font: "FreeTypeFont", letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def _lines(text: str, font: "FreeTypeFont", width: int) -> list[str]:
    """The text in as few lines of at most so many pixels as will do, of like length."""
    given = [" ".join(line.split()) for line in text.splitlines()]
    return [line for part in given for line in _wrapped(part, font, width)]


def _wrapped(text: str, font: "FreeTypeFont", width: int) -> list[str]:
    fewest = _filled(text, font, width)
    # Lines of like length are read faster: the narrowest width that needs no line more.
    narrow, wide = width // len(fewest), width
    while wide - narrow > 4:
        middle = (narrow + wide) // 2
        if len(_filled(text, font, middle)) > len(fewest):
            narrow = middle
        else:
            wide = middle
    return _filled(text, font, wide)


def _filled(text: str, font: "FreeTypeFont", width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            lines.append(line)
            longer = word
        while font.getlength(longer) > width and len(longer) > 1:  # A word that is too long for any line.
            fits = max(next(n for n in range(len(longer), 0, -1) if n == 1 or font.getlength(longer[:n]) <= width), 1)
            lines.append(longer[:fits])
            longer = longer[fits:]
        line = longer
    return [*lines, line]


def draw_lines(lines: Sequence[str], font: "FreeTypeFont") -> np.ndarray:
    """uint8 [h, w, 4]: lines below each other, each on its own ground."""
    from PIL import Image, ImageDraw

    step = round(LINE * font.size)
    pad = round(0.35 * font.size)
    widths = [round(font.getlength(line)) + 2 * pad for line in lines]
    picture = Image.new("RGBA", (max(widths), step * len(lines) + pad), (16, 16, 18, 0))
    pen = ImageDraw.Draw(picture)
    for row, width in enumerate(widths):
        left = (picture.width - width) // 2
        pen.rectangle((left, row * step, left + width - 1, row * step + step + pad - 1), fill=(16, 16, 18, 170))
    for row, line in enumerate(lines):
        place = (picture.width / 2, row * step + (step + pad) / 2)
        pen.text(place, line, font=font, fill=(255, 255, 255, 255), anchor="mm")
    return np.asarray(picture)
