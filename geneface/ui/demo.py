"""The web demo: what it is built of, and how it is served."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geneface.errors import InputError
from geneface.ui.studio import Load, Studio
from geneface.ui.talk import build_talk
from geneface.ui.theme import CSS, HEADER, NOTICE, build_theme

EXAMPLES_DIR = Path(__file__).resolve().parents[2] / "examples" / "audio"
SOUND_FILES = {".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}
CACHE_CHECK_SECONDS, CACHE_AGE_SECONDS = 600, 3600


def build_demo(load: Load | Any, persons: Mapping[str, Path], examples: Mapping[str, Path]) -> Any:
    """The page as a `gr.Blocks`.

    Args:
        load: from a person's name to a pipeline, or one pipeline for all of them.
        persons: bundle folders by name; the first is chosen at the start.
        examples: recordings by the label under which they are offered.
    """
    import gradio as gr

    if not persons:
        raise InputError("there is no person to show: examples/persons is empty; get the repository again")
    studio = Studio(load if not hasattr(load, "stream") else lambda _: load)
    with gr.Blocks(
        title="GeneFace", analytics_enabled=False, delete_cache=(CACHE_CHECK_SECONDS, CACHE_AGE_SECONDS)
    ) as demo:
        gr.HTML(HEADER)
        build_talk(studio, persons, examples)
        gr.HTML(NOTICE)
    return demo


def launch_options() -> dict[str, Any]:
    """What `launch` of the page needs, whoever launches it."""
    return {
        "theme": build_theme(),
        "css": CSS,
        "max_file_size": "200mb",
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": ["api"],
    }


def serve(*, host: str, port: int | None, share: bool, device: str | None) -> None:
    """Build the page with the embedded persons and serve it until interrupted."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

    def load(person: str) -> Any:
        from geneface.pipeline import GeneFacePipeline

        return GeneFacePipeline.from_pretrained(persons[person], device=device)

    persons = find_persons()
    demo = build_demo(load, persons, find_examples())
    demo.launch(server_name=host, server_port=port, share=share, **launch_options())


def find_persons() -> dict[str, Path]:
    """The embedded persons, the default one first."""
    from geneface.hub import DEFAULT_PERSON, PERSONS_DIR, list_persons

    names = sorted(list_persons(), key=lambda name: name != DEFAULT_PERSON)
    return {name: PERSONS_DIR / name for name in names}


def find_examples(folder: Path = EXAMPLES_DIR) -> dict[str, Path]:
    """Recordings by label: `good_morning.ogg` is offered as "Good morning"."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUND_FILES)
    return {path.stem.replace("_", " ").replace("-", " ").capitalize(): path for path in files}
