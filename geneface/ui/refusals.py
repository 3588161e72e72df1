"""What a visitor asked for and cannot have, said where it was asked for."""

from collections.abc import Callable

import gradio as gr

from geneface.errors import InputError
from geneface.ui import train_view as view
from geneface.utils.words import sentence


def told(sentences: list[str]) -> dict[str, object]:
    return gr.update(value=view.refused(sentences), visible=bool(sentences))


def asked(act: Callable[[str], None]) -> Callable[[str], dict[str, object]]:
    """Does it, and says what is wrong, if anything is."""

    def acted(of: str) -> dict[str, object]:
        try:
            act(of)
        except InputError as error:
            return told([sentence(str(error))])
        return told([])

    return acted
