"""The takes of this visit: each with a picture, to be played and downloaded again, gone when the visitor leaves."""

import secrets
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geneface.pipelines.generate import GeneratedVideo
from geneface.ui.persons import display_name

if TYPE_CHECKING:
    import gradio as gr

MOST = 24
"""Takes that are kept; older ones give way."""
PICTURE = 160
"""Pixels a side of a take's picture."""


@dataclass(frozen=True)
class Take:
    """A finished video in the server's cache, which serves it."""

    key: str
    video: str
    picture: str
    title: str
    said: str
    """What is said of it."""
    small: str
    """How it was made."""
    seed: int
    subtitles: str
    """The file of them; empty if there is none."""
    asked: tuple[object, ...]
    """The form's values that it was made with."""

    @property
    def files(self) -> set[Path]:
        return {Path(file) for file in (self.video, self.picture, self.subtitles) if file}


def keep(
    made: GeneratedVideo,
    person: str,
    title: str,
    notes: Sequence[str],
    subtitles: Path | None,
    asked: tuple[object, ...],
    cache: str,
) -> Take:
    """Put a finished video, its subtitles and a picture of it into the folder `cache`."""
    from gradio.processing_utils import save_file_to_cache
    from PIL import Image

    from geneface.media.video import VideoReader

    with VideoReader(made.path) as frames:
        picture = made.path.with_suffix(".jpg")
        first = Image.fromarray(next(iter(frames)))
        side = min(first.size)
        left, top = (first.width - side) // 2, (first.height - side) // 2
        first.crop((left, top, left + side, top + side)).resize((PICTURE, PICTURE)).save(picture, quality=88)
    return Take(
        secrets.token_hex(8),
        save_file_to_cache(made.path, cache),
        save_file_to_cache(picture, cache),
        f"{display_name(person)}, {title}",
        " ".join([f"Done: {made.seconds:.1f} s of video.", *notes]),
        f"Made in {made.elapsed:.1f} s with seed {made.seed}.",
        made.seed,
        save_file_to_cache(subtitles, cache) if subtitles else "",
        asked,
    )


def zipped(takes: Sequence[Take], cache: str) -> str:
    """One file of all videos, in the folder `cache`."""
    from gradio.processing_utils import save_file_to_cache

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"geneface-{len(takes)}-videos.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
            for number, take in enumerate(takes, 1):
                for each in filter(None, (take.video, take.subtitles)):
                    file.write(each, f"{number:02d}-{Path(each).name}")
        return save_file_to_cache(path, cache)


def build_strip() -> "gr.Gallery":
    """Lay out the strip, within the current layout."""
    import gradio as gr

    return gr.Gallery(
        visible=False,
        show_label=False,
        allow_preview=False,
        interactive=False,
        object_fit="cover",
        buttons=[],
        elem_id="takes",
    )


def pictures(takes: Sequence[Take]) -> dict[str, object]:
    """The strip of these takes."""
    import gradio as gr

    return gr.update(value=[(take.picture, take.title) for take in takes], visible=bool(takes), selected_index=None)
