"""Several takes of one recording in one video: portraits side by side, and the landmarks that drive them."""

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geneface.errors import InputError
from geneface.generate import GeneratedVideo, Interrupted, new_seed
from geneface.media.audio import AudioInput, open_audio
from geneface.media.mark import Mark
from geneface.media.provenance import NOTICE, prepare_seal
from geneface.media.video import VideoWriter, check_output

SIDE, BAND = 512, 44
"""Pixels a side of each picture, and of the band with its name below."""
MOST = 4
DARK, PALE, ROSE = (28, 25, 23), (245, 245, 244), (244, 114, 98)
SCALE = 24.0
"""Pixels a centimetre in the drawing of landmarks."""
LINES = ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36))
LOOPS = ((36, 42), (42, 48), (48, 60), (60, 68))
"""The iBUG points that belong together: jaw, brows and nose; eyes and lips."""


@dataclass(frozen=True)
class Take:
    """One way to say it.

    Args:
        pipe: A `GeneFacePipeline`.
        label: Written below the picture.
        options: `temperature`, `pose`, `blink`, `background` of `GeneFacePipeline.stream`.
    """

    pipe: Any
    label: str
    seed: int = field(default_factory=new_seed)
    options: dict[str, Any] = field(default_factory=dict)


def compare_video(
    takes: Sequence[Take],
    audio: AudioInput,
    output: str | os.PathLike,
    *,
    landmarks: bool = False,
    mark: bool = True,
    on_frame: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> GeneratedVideo:
    """All `takes` of `audio` in step, in one mp4, in constant memory.

    With `landmarks`, each take's 68 landmarks are drawn too: beside a single portrait, else below each. It is marked
    and signed as `generate_video` does.
    Raises `InputError` as `generate_video` does, `Interrupted` if `should_stop` says so.
    """
    if not 1 <= len(takes) <= MOST:
        raise InputError(f"{len(takes)} takes cannot be shown side by side; give 1 to {MOST}")
    output = check_output(output, inputs=[audio, *(take.options.get("background") for take in takes)])
    start = time.perf_counter()
    beside = landmarks and len(takes) == 1
    columns, rows = len(takes) + beside, 1 + (landmarks and not beside)
    bands = [band(take.label) for take in takes] + [band("its landmarks")] * beside
    persons = ", ".join(dict.fromkeys(take.pipe.name for take in takes))
    settings = {"takes": len(takes), "visible_mark": mark}
    seal, unsigned = prepare_seal(output, persons, takes[0].options | {"seed": takes[0].seed} | settings)
    label = Mark(SIDE, SIDE) if mark else None
    with ExitStack() as stack:
        source = stack.enter_context(open_audio(audio))
        size = (columns * SIDE, rows * SIDE + BAND)
        metadata = {"title": "Talking portraits", "comment": f"{NOTICE}; person={persons}"}
        writer = stack.enter_context(VideoWriter(output, size, source, metadata=metadata, seal=seal))
        streams = [stack.enter_context(closing(_pictures(take, source, landmarks))) for take in takes]
        foot = np.concatenate(bands, axis=1)
        for done, pictures in enumerate(zip(*streams, strict=True), 1):
            if should_stop is not None and should_stop():
                raise Interrupted
            grid = [np.concatenate([portrait for portrait, _ in pictures], axis=1)]
            if landmarks:
                grid.append(np.concatenate([drawing for _, drawing in pictures], axis=1))
            frame = np.concatenate([np.concatenate(grid, axis=1 if beside else 0), foot])[None]
            if label is not None:
                label.draw(frame)
            writer.write(frame)
            if on_frame is not None:
                on_frame(done, source.frames)
        if writer.frames < source.frames:
            raise Interrupted
    return GeneratedVideo(output, writer.frames, time.perf_counter() - start, takes[0].seed, unsigned)


def _pictures(take: Take, source: Any, landmarks: bool) -> Generator[tuple[np.ndarray, Any]]:
    """Each frame of a take, with the drawing of its landmarks."""
    import torch

    mean = take.pipe.motion_generator.mean_landmarks.float().cpu().numpy() if landmarks else None
    generator = torch.Generator("cpu").manual_seed(take.seed)
    with closing(take.pipe.stream(source, generator=generator, size=SIDE, **take.options)) as chunks:
        for chunk in chunks:
            for frame, lm3d in zip(chunk.frames, chunk.landmarks, strict=True):
                yield frame, None if mean is None else draw_landmarks(mean + lm3d)


def draw_landmarks(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """uint8 [side, side, 3]: 68 points [68, 3] in cm (x to the person's left, y up) as seen from the front."""
    from PIL import Image, ImageDraw

    twice = 2 * side
    scale = SCALE * twice / SIDE
    picture = Image.new("RGB", (twice, twice), DARK)
    pen = ImageDraw.Draw(picture)
    middle = points[27:36, :2].mean(0)
    places = (points[:, :2] - middle) * (scale, -scale) + (twice / 2, twice * 0.47)
    xy = [tuple(place) for place in places.tolist()]
    for parts, closed in ((LINES, False), (LOOPS, True)):
        for first, last in parts:
            line = xy[first:last] + xy[first : first + 1] * closed
            pen.line(line, fill=ROSE if first >= 48 else (120, 113, 108), width=twice // 256, joint="curve")
    radius = twice / 220
    for index, (x, y) in enumerate(xy):
        fill = (255, 196, 180) if index >= 48 else PALE
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
