"""The real and the generated videos of a clip side by side in one file, and pictures of some of their frames."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from geneface.evaluation.clips import REFERENCE
from geneface.evaluation.evaluate import ClipResult
from geneface.evaluation.tracks import SIDE, Progress, pictures, read_sound
from geneface.media.audio import open_audio
from geneface.media.image import write_image
from geneface.media.resample import SteadyVideo
from geneface.media.video import VideoWriter
from geneface.pipelines.compare import band
from geneface.utils.units import SAMPLING_RATE

COLUMNS = 4
CELL = (384, 416)
"""Width and height, its name included."""
PICTURE = 256


def write_side_by_side(
    videos: dict[str, ClipResult],
    target: Path,
    wanted: Sequence[int],
    picture: Path,
    progress: Progress = lambda items, name: items,
) -> list[list[str]]:
    """Write the mp4 `target` of a clip's rows, its first frame beside it, and `picture`-ROW-N.webp of each face.

    `wanted` are the frames N of the reference that are shown.
    Returns the names of each row's pictures; empty where a video has no such frame.
    """
    from PIL import Image

    rows = -(-len(videos) // COLUMNS)
    columns = min(len(videos), COLUMNS)
    size = columns * CELL[0], rows * CELL[1]
    names = {(row, frame): "" for row in range(len(videos)) for frame in wanted}
    faces = [video.face for video in videos.values()]
    titles = [band(name if name == REFERENCE else f"{name} (generated)") for name in videos]
    with ExitStack() as stack:
        real = next(iter(videos.values()))
        streams = [
            _aligned(stack.enter_context(SteadyVideo(video.path)), video, real.frames) for video in videos.values()
        ]
        with SteadyVideo(real.path) as reference:
            sound = read_sound(real.path, reference.start, real.frames)
        source = None if sound is None else stack.enter_context(open_audio(sound, SAMPLING_RATE))
        metadata = {"title": target.stem, "comment": "real and AI-generated videos side by side, by geneface evaluate"}
        writer = stack.enter_context(VideoWriter(target, size, source, metadata=metadata))
        for frame, shown in enumerate(progress(zip(*streams, strict=True), f"writing {target.name}")):
            grid = np.zeros((size[1], size[0], 3), np.uint8)
            for row, (pixels, title) in enumerate(zip(shown, titles, strict=True)):
                cell = Image.fromarray(np.concatenate([title, _squared(pixels)]))
                small = np.asarray(cell.resize(CELL, Image.Resampling.BILINEAR))
                top, left = row // COLUMNS * CELL[1], row % COLUMNS * CELL[0]
                grid[top : top + CELL[1], left : left + CELL[0]] = small
                if frame in wanted and pixels is not None:
                    name = f"{picture.name}-{row}-{frame}.webp"
                    left, top, side = faces[row]
                    still = Image.fromarray(pixels[top : top + side, left : left + side])
                    still = still.resize((PICTURE, PICTURE), Image.Resampling.LANCZOS)
                    write_image(picture.with_name(name), np.asarray(still))
                    names[row, frame] = name
            if frame == 0:
                write_image(target.with_suffix(".webp"), grid)
            writer.write(grid[None])
    return [[names[row, frame] for frame in wanted] for row in range(len(videos))]


def _aligned(video: SteadyVideo, result: ClipResult, frames: int) -> Iterator[np.ndarray | None]:
    """A picture for each of the reference's frames; None where the video has not begun, or has ended."""
    shift = result.alignment.shift if result.alignment else 0
    shown = iter(pictures(video))
    for _ in range(max(0, -shift)):
        next(shown, None)
    for frame in range(frames):
        yield next(shown, None) if frame >= shift else None


def _squared(picture: np.ndarray | None) -> np.ndarray:
    """uint8 [512, 512, 3] with the picture in its middle."""
    square = np.full((SIDE, SIDE, 3), 28, np.uint8)
    if picture is not None:
        top, left = (SIDE - picture.shape[0]) // 2, (SIDE - picture.shape[1]) // 2
        square[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return square
