"""The takes of this visit: each with a picture, to be played and downloaded again, gone when the visitor leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geneface.pipelines.generate import GeneratedVideo
from geneface.ui.persons import display_name

MOST = 12
"""Takes that are kept; older ones give way."""
PICTURE = 160
"""Pixels a side of a take's picture."""


@dataclass(frozen=True)
class Take:
    """A finished video in the server's cache, which serves it."""

    video: str
    picture: str
    title: str
    said: str
    """What was said of it when it was done."""


def keep(made: GeneratedVideo, person: str, audio: str, said: str, cache: str) -> Take:
    """Put a finished video and a picture of it into the folder `cache`."""
    from gradio.processing_utils import save_file_to_cache
    from PIL import Image

    from geneface.media.video import VideoReader

    with VideoReader(made.path) as frames:
        picture = made.path.with_suffix(".jpg")
        Image.fromarray(next(iter(frames))).resize((PICTURE, PICTURE)).save(picture, quality=88)
    title = f"{display_name(person)}, {Path(audio).stem.replace('_', ' ')}"
    return Take(save_file_to_cache(made.path, cache), save_file_to_cache(picture, cache), title, said)


def build_takes() -> tuple[Any, Any]:
    """Lay out the strip, within the current layout: the visit's `Take`s, newest first, and their pictures."""
    import gradio as gr

    strip = gr.Gallery(
        visible=False,
        show_label=False,
        allow_preview=False,
        interactive=False,
        object_fit="cover",
        buttons=[],
        elem_id="takes",
    )
    return gr.State([]), strip


def pictures(takes: Sequence[Take]) -> Any:
    """The strip of these takes."""
    import gradio as gr

    return gr.update(value=[(take.picture, take.title) for take in takes], visible=bool(takes), selected_index=None)
