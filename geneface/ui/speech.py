"""What shall be said: a recording, a typed text, or several recordings, each laid out for a visitor to give."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geneface.errors import InputError
from geneface.ui.recording import Written, limits

if TYPE_CHECKING:
    import gradio as gr
    from gradio.components import Component

NO_VOICE = "There is no voice yet: record or upload some speech, or pick an example."
NO_TEXT = "There is no text yet: type what shall be said."
NO_FILES = "There are no recordings yet: choose some files."
NO_SPEAKER = (
    "This machine cannot speak a text yet: run pip install 'geneface[speech]', then start this page again. "
    "Recordings work without it."
)
RECORDING, TEXT, SEVERAL = "recording", "text", "several"
KINDS = (("Recording", RECORDING), ("Text", TEXT), ("Several files", SEVERAL))
MOST_FILES = 24
"""At once; the command takes any number."""
LONGEST_TEXT = 2000
"""Characters, about two minutes."""


@dataclass(frozen=True)
class Speech:
    """The components, in the order of `inputs`."""

    kind: "gr.Radio"
    audio: "gr.Audio"
    text: "gr.Textbox"
    voice: "gr.Dropdown"
    files: "gr.File"

    @property
    def inputs(self) -> "list[Component]":
        return [self.kind, self.audio, self.text, self.voice, self.files]


@dataclass(frozen=True)
class Given:
    """What a visitor gave, as `Speech.inputs` tell it."""

    kind: str = RECORDING
    audio: str | None = None
    text: str = ""
    voice: str = ""
    files: list[str] | None = None

    @property
    def there(self) -> bool:
        """Whether there is something to be said."""
        return bool({TEXT: (self.text or "").strip(), SEVERAL: self.files}.get(self.kind, self.audio))

    def said(self) -> list[str | Written]:
        """Paths of recordings, or texts; raises `InputError` if nothing was given."""
        if self.kind == TEXT and not can_speak():
            raise InputError(NO_SPEAKER)
        if not self.there:
            raise InputError({TEXT: NO_TEXT, SEVERAL: NO_FILES}.get(self.kind, NO_VOICE))
        if self.kind == TEXT:
            return [Written(self.text.strip(), self.voice or "")]
        if self.kind != SEVERAL:
            return [str(self.audio)]
        if len(self.files or ()) > MOST_FILES:
            raise InputError(
                f"these are {len(self.files or ())} files, and {MOST_FILES} are taken at once; choose fewer, "
                "or run geneface generate"
            )
        return [*(self.files or ())]


def can_speak() -> bool:
    """Whether texts can be spoken here."""
    from geneface.speaking.kokoro import is_installed

    return is_installed()


def build_speech(examples: Mapping[str, Path], most_seconds: float) -> Speech:
    """Lay out all three ways, of which one is to be seen, within the current layout.

    Args:
        most_seconds: The longest recording that is taken.
    """
    import gradio as gr

    kind = gr.Radio(
        KINDS, value=RECORDING, label="What is said", show_label=False, container=False, elem_id="speech-kind",
        elem_classes="gf-kinds",
    )  # fmt: skip
    with gr.Column() as recording:
        audio = build_voice(examples, "voice", most_seconds)
    with gr.Column(visible=False) as typing:
        text, voice = _build_text()
    with gr.Column(visible=False) as several:
        files = gr.File(
            file_count="multiple", file_types=["audio", "video"], label="Recordings", height=180, elem_id="files"
        )
        words = f"Up to {MOST_FILES} files, {limits(most_seconds)[0].lower()}{limits(most_seconds)[1:]}"
        gr.HTML(f'<p class="gf-hint">{words}</p>', padding=False)
    kind.change(
        lambda chosen: [gr.update(visible=chosen == each) for each in (RECORDING, TEXT, SEVERAL)],
        kind, [recording, typing, several], api_visibility="private", queue=False, show_progress="hidden",
    )  # fmt: skip
    return Speech(kind, audio, text, voice, files)


def _build_text() -> "tuple[gr.Textbox, gr.Dropdown]":
    import gradio as gr

    there = can_speak()
    if not there:
        gr.HTML(f'<p class="gf-note" id="no-speaker">{NO_SPEAKER}</p>', padding=False)
    text = gr.Textbox(
        "", label="Text", placeholder="Good morning! Type what shall be said, in English.", lines=5, max_lines=12,
        max_length=LONGEST_TEXT, visible=there, elem_id="text",
    )  # fmt: skip
    voice = gr.Dropdown(
        [("The one that suits the person", ""), *voices()], value="", label="Voice", visible=there, elem_id="speaker"
    )
    if there:
        gr.HTML(
            '<p class="gf-hint">English, spoken by a synthetic voice, which the video tells whoever checks it.</p>',
            padding=False,
        )
    return text, voice


def voices() -> list[tuple[str, str]]:
    """What each voice is like, and its name."""
    from geneface.speaking.kokoro import VOICES

    return [(words[0].upper() + words[1:], name) for name, words in VOICES.items()]


def build_voice(examples: Mapping[str, Path], name: str, most_seconds: float) -> "gr.Audio":
    """Lay out the choice of a recording, within the current layout; returns the `gr.Audio` of that element id."""
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
