"""Several takes of one recording in one video: portraits side by side, and the landmarks that drive them."""

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geneface.errors import InputError
from geneface.face.ibug68 import LINES, LIPS, LOOPS, NOSE
from geneface.media.audio import AudioInput, AudioSource, open_audio
from geneface.media.mark import Mark
from geneface.media.provenance import NOTICE, prepare_seal
from geneface.media.video import VideoWriter, check_output
from geneface.media.watermark import Watermark, video_number
from geneface.options import GenerationOptions
from geneface.pipelines.generate import GeneratedVideo
from geneface.utils.stopping import Stopped, StopToken

if TYPE_CHECKING:
    from geneface.pipelines.pipeline import GeneFacePipeline

SIDE, BAND = 512, 44
"""Pixels a side of each picture, and of the band with its name below."""
MOST = 4
DARK, PALE, ROSE = (28, 25, 23), (245, 245, 244), (244, 114, 98)
SCALE = 24.0
"""Pixels a centimetre in the drawing of landmarks."""


@dataclass(frozen=True)
class Take:
    """One way to say it.

    Args:
        label: Written below the picture.
        options: Of `GeneFacePipeline.stream`; the size is that of the pictures here.
    """

    pipe: "GeneFacePipeline"
    label: str
    options: GenerationOptions = field(default_factory=GenerationOptions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", GenerationOptions.of(self.options, size=SIDE).seeded())


def compare_video(
    takes: Sequence[Take],
    audio: AudioInput,
    output: str | os.PathLike,
    *,
    landmarks: bool = False,
    mark: bool = True,
    on_frame: Callable[[int, int], None] | None = None,
    stop: StopToken | None = None,
) -> GeneratedVideo:
    """All `takes` of `audio` in step, in one mp4, in constant memory.

    With `landmarks`, each take's 68 landmarks are drawn too: beside a single portrait, else below each. It is marked
    and signed as `generate_video` does.
    Raises `InputError` and `Stopped` as `generate_video` does.
    """
    if not 1 <= len(takes) <= MOST:
        raise InputError(f"{len(takes)} takes cannot be shown side by side; give 1 to {MOST}")
    output = check_output(output, inputs=[audio, *(take.options.background for take in takes)])
    start = time.perf_counter()
    beside = landmarks and len(takes) == 1
    columns, rows = len(takes) + beside, 1 + (landmarks and not beside)
    bands = [band(take.label) for take in takes] + [band("its landmarks")] * beside
    persons = ", ".join(dict.fromkeys(take.pipe.name for take in takes))
    settings = {"takes": len(takes), "visible_mark": mark}
    seal, unsigned = prepare_seal(output, persons, takes[0].options.changed() | settings)
    label = Mark(SIDE, SIDE) if mark else None
    with ExitStack() as stack:
        source = stack.enter_context(open_audio(audio))
        size = (columns * SIDE, rows * SIDE + BAND)
        metadata = {"title": "Talking portraits", "comment": f"{NOTICE}; person={persons}"}
        watermark = Watermark(*size, video_number(persons, takes[0].options.seed or 0))
        writer = stack.enter_context(VideoWriter(output, size, source, metadata=metadata, seal=seal))
        streams = [stack.enter_context(closing(_pictures(take, source, landmarks))) for take in takes]
        foot = np.concatenate(bands, axis=1)
        for done, pictures in enumerate(zip(*streams, strict=True), 1):
            if stop is not None:
                stop.check()
            grid = [np.concatenate([portrait for portrait, _ in pictures], axis=1)]
            if landmarks:
                grid.append(np.concatenate([drawing for _, drawing in pictures], axis=1))
            frame = np.concatenate([np.concatenate(grid, axis=1 if beside else 0), foot])[None]
            watermark.draw(frame)
            if label is not None:
                label.draw(frame)
            writer.write(frame)
            if on_frame is not None:
                on_frame(done, source.frames)
        if writer.frames < source.frames:
            raise Stopped
    return GeneratedVideo(output, writer.frames, time.perf_counter() - start, takes[0].options.seed or 0, unsigned)


def _pictures(take: Take, source: AudioSource, landmarks: bool) -> Generator[tuple[np.ndarray, np.ndarray | None]]:
    """Each frame of a take, with the drawing of its landmarks."""
    person = take.pipe.person
    with closing(take.pipe.stream(source, options=take.options)) as chunks:
        for chunk in chunks:
            for frame, lm3d in zip(chunk.frames, chunk.landmarks, strict=True):
                yield frame, draw_landmarks(person.points(lm3d)) if landmarks else None


def draw_landmarks(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """uint8 [side, side, 3]: 68 points [68, 3] in cm (x to the person's left, y up) as seen from the front."""
    from PIL import Image, ImageDraw

    twice = 2 * side
    scale = SCALE * twice / SIDE
    picture = Image.new("RGB", (twice, twice), DARK)
    pen = ImageDraw.Draw(picture)
    middle = points[NOSE, :2].mean(0)
    places = (points[:, :2] - middle) * (scale, -scale) + (twice / 2, twice * 0.47)
    xy = [tuple(place) for place in places.tolist()]
    for parts, closed in ((LINES, False), (LOOPS, True)):
        for part in parts:
            line = xy[part] + xy[part.start : part.start + 1] * closed
            pen.line(
                line, fill=ROSE if part.start >= LIPS.start else (120, 113, 108), width=twice // 256, joint="curve"
            )
    radius = twice / 220
    for index, (x, y) in enumerate(xy):
        fill = (255, 196, 180) if index >= LIPS.start else PALE
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX))


def band(text: str) -> np.ndarray:
    """uint8 [BAND, SIDE, 3] with a text in its middle."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (SIDE, BAND), DARK)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(20)
    while text and pen.textlength(text, font) > SIDE - 24:
        text = text[:-2].rstrip() + "…"
    pen.text((SIDE / 2, BAND / 2), text, fill=PALE, font=font, anchor="mm")
    return np.asarray(picture)
