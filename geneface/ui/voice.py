"""Giving a voice: upload, microphone, or one of the examples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geneface.ui.recording import limits

NO_VOICE = "There is no voice yet: record or upload some speech, or pick an example."


def build_voice(examples: Mapping[str, Path], name: str, most_seconds: float) -> Any:
    """Lay out the choice of a recording, within the current layout; returns the `gr.Audio` of that element id.

    Args:
        most_seconds: The longest recording that is taken.
    """
    import gradio as gr

    audio = gr.Audio(
        sources=["upload", "microphone"], type="filepath", label="Voice", buttons=[], elem_id=name,
        elem_classes="gf-voice",
    )  # fmt: skip
    gr.HTML(f'<p class="gf-hint">{limits(most_seconds)}</p>', padding=False)
    if examples:
        gr.Examples(
            [[str(path)] for path in examples.values()],
            inputs=[audio],
            example_labels=list(examples),
            label="or try one of these",
            api_visibility="private",
        )
    return audio
