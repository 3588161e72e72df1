"""The Talk tab for those who call by the API."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, TypeAlias

from geneface.errors import InputError
from geneface.ui.live import Preparing, Step
from geneface.ui.making import with_pulse
from geneface.ui.options import asked_subtitles, described, generation_options, page_defaults
from geneface.ui.recording import Written
from geneface.ui.speech import NO_SPEAKER, NO_VOICE, Speech, can_speak
from geneface.ui.status import as_gradio, tool
from geneface.ui.studio import QUEUE, Finished, Studio

if TYPE_CHECKING:
    import gradio as gr
    from gradio.components import Component

Generate: TypeAlias = Callable[..., AsyncIterator[tuple[str | None, int | None]]]
WORDS = {
    "person": "Name of the person who shall speak.",
    "audio": "The speech, as an audio file.",
    "text": "What shall be said, in English, instead of a recording.",
    "voice": "Name of the voice that speaks the text; that which suits the person if empty.",
}


def offer_generate(studio: Studio, person: "gr.Radio", speech: Speech, fields: "list[Component]") -> None:
    """The endpoint /generate, which takes a recording or a text; within the current layout."""
    import gradio as gr

    with gr.Row(visible=False):
        by_api, made, used = gr.Button(), gr.Video(label="video"), gr.Number(label="seed", precision=0)
        audio = gr.Audio(type="filepath", label="audio")
    inputs = [person, audio, *fields, speech.text, speech.voice]
    by_api.click(
        _generate(studio), inputs, [made, used], api_name="generate", concurrency_limit=1, concurrency_id=QUEUE
    )


def _said(audio: str | None, text: str, voice: str) -> str | Written:
    text = (text or "").strip()
    if audio and text:
        raise InputError("there are a recording and a text; give one of both")
    if text and not can_speak():
        raise InputError(NO_SPEAKER)
    if not audio and not text:
        raise InputError(NO_VOICE)
    return audio or Written(text, voice or "")


def _generate(studio: Studio) -> "Generate":
    """One answer, with progress.

    Before it come empty ones, because only between answers is it noticed that who asked has gone.
    """
    import gradio as gr

    @tool
    async def generate(*values: Any) -> AsyncIterator[tuple[str | None, int | None]]:
        person, audio, *chosen, text, voice, progress = values
        given = dict(zip(page_defaults(), chosen, strict=True))
        try:
            options, driving = generation_options(given)
            said, subtitles = _said(audio, text, voice), asked_subtitles(given)
            if subtitles[0] not in (None, "burn"):
                raise InputError("by the API subtitles are burnt into the picture; ask for burn, or none")
            steps = studio.talk(person, said, options, driving=driving, subtitles=subtitles)
            async with aclosing(steps), aclosing(with_pulse(steps)) as pulse:
                async for step in pulse:
                    if step is None or isinstance(step, Step):
                        yield None, None
                    if isinstance(step, Preparing):
                        progress(0.0, desc=step.text)
                    elif isinstance(step, Step):
                        progress((step.done, step.total), desc="Speaking", unit="frames")
                    elif isinstance(step, Finished):
                        yield str(step.result.path), step.result.seed
                        return
        except Exception as error:
            raise as_gradio(error, [audio, given["driving"], given["picture"]]) from None
        raise gr.Error("Stopped.", print_exception=False)

    return _shown(generate, gr.Progress())


def _shown(generate: Any, progress: "gr.Progress") -> "Generate":
    """Give the function the names, defaults and words that the API shows."""
    asked = {
        "person": Parameter.empty,
        "audio": None,
        **page_defaults(),
        "text": "",
        "voice": "",
        "progress": progress,
    }
    words = {**WORDS, **described()}
    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=given) for name, given in asked.items()]
    generate.__signature__ = Signature(parameters)
    lines = "\n".join(f"    {name}: {text}" for name, text in words.items())
    generate.__doc__ = (
        f"Make a talking portrait video from speech.\n\nArgs:\n{lines}\n\n"
        "Returns:\n    The video (mp4, or webm if transparent) and the seed that was used."
    )
    return generate
