"""Talk: a person, a voice, a button, a talking portrait."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from geneface.resources import web
from geneface.ui.gallery import QUIET, Gallery, build_gallery
from geneface.ui.live import Preparing, Segment, Step, can_stream
from geneface.ui.options import build_options, described, generation_options, page_defaults
from geneface.ui.persons import Persons, display_name
from geneface.ui.plot import SCRIPT, Voice, draw
from geneface.ui.portrait import FOLLOW, portrait_html, turns_html
from geneface.ui.status import as_gradio, explain, progress, status
from geneface.ui.studio import QUEUE, Finished, Studio, with_pulse
from geneface.ui.voice import NO_VOICE, build_voice

SHOW_STAGE = web("show_stage.js")
PLAY_ON = web("play_on.js")
"""The finished file goes on where the growing one was."""
READY = "Pick a voice, then make {} talk."
FIRST_PLOT = '<div class="gf-plot gf-empty">The voice and the motion of the mouth appear here.</div>'


@dataclass(frozen=True)
class Stage:
    """What is to be seen of a piece of work."""

    portrait: Any
    live: Any
    video: Any
    said: Any
    plot: Any
    seed: Any
    go: Any
    cancel: Any


@dataclass(frozen=True)
class Talk:
    """What the page connects to."""

    gallery: Gallery
    stage: Stage
    awake: Callable[[str], str]
    """The person's portrait that looks where the pointer is."""
    uploads: list[Any]
    """Components that take a visitor's files."""


def build_talk(studio: Studio, persons: Persons, examples: Mapping[str, Path]) -> Talk:
    """Lay out the tab and connect its parts, within the current `gr.Tab`."""
    import gradio as gr

    first = persons.names[0]
    with gr.Row(elem_classes="gf-columns", equal_height=False):
        with gr.Column(scale=5, min_width=300):
            gallery = build_gallery(persons)
            audio = build_voice(examples, "voice")
            go = gr.Button("Make it talk", variant="primary", size="lg", elem_classes="gf-go", elem_id="go")
            cancel = gr.Button("Cancel", variant="stop", size="lg", visible=False, elem_id="cancel")
            fields = build_options()
        with gr.Column(scale=6, min_width=300, elem_classes="gf-stage"):
            portrait = gr.HTML(
                portrait_html(persons.preview(first), first), padding=False, elem_id="portrait", js_on_load=FOLLOW
            )
            live = gr.Video(
                visible=False, streaming=True, autoplay=True, show_label=False, interactive=False, buttons=[],
                elem_id="live",
            )  # fmt: skip
            video = gr.Video(visible=False, show_label=False, interactive=False, buttons=["download"], elem_id="video")
            said = gr.HTML(status(READY.format(display_name(first))), padding=False, elem_id="talk-status")
            plot = gr.HTML(FIRST_PLOT, padding=False, elem_id="plot", js_on_load=SCRIPT)
    stage = Stage(portrait, live, video, said, plot, fields["seed"], go, cancel)

    def awake(person: str) -> str:
        try:
            return turns_html(studio, persons.preview(person), person)
        except Exception as error:
            return portrait_html(persons.preview(person), person, explain(error))

    talk = Talk(gallery, stage, awake, [audio, fields["driving"], fields["picture"]])
    _connect(studio, persons, talk, [gallery.person, audio, *fields.values()])
    return talk


def _connect(studio: Studio, persons: Persons, talk: Talk, inputs: list[Any]) -> None:
    import gradio as gr

    gallery, stage = talk.gallery, talk.stage

    def choose(person: str) -> list[Any]:
        """Another portrait on the stage."""
        return [
            gr.update(value=portrait_html(persons.preview(person), person), visible=True),
            gr.update(visible=False),
            gr.update(visible=False),
            status(READY.format(display_name(person))),
            FIRST_PLOT,
        ]

    async def perform(person: str, audio: str | None, *values: Any) -> AsyncIterator[dict[Any, Any]]:
        async for updates in _perform(studio, stage, person, audio, values):
            yield updates

    def stop() -> dict[Any, Any]:
        return {**_at_rest(stage), stage.portrait: gr.update(visible=True), stage.said: status("Stopped.")}

    everything = list(vars(stage).values())
    chosen = gallery.person.change(
        choose, gallery.person, [stage.portrait, stage.live, stage.video, stage.said, stage.plot], **QUIET
    )
    chosen.then(talk.awake, gallery.person, stage.portrait, api_visibility="private", show_progress="hidden")
    started = stage.go.click(lambda: _busy(stage), None, everything, js=SHOW_STAGE, **QUIET)
    running = started.then(
        perform,
        inputs,
        everything,
        api_visibility="private",
        concurrency_limit=1,
        concurrency_id=QUEUE,
        show_progress="hidden",
    )
    running.then(None, None, None, js=PLAY_ON, **QUIET)
    stage.cancel.click(stop, None, everything, cancels=[running], **QUIET)

    with gr.Row(visible=False):
        by_api, made, used = gr.Button(), gr.Video(label="video"), gr.Number(label="seed", precision=0)
    by_api.click(
        _generate(studio), inputs, [made, used], api_name="generate", concurrency_limit=1, concurrency_id=QUEUE
    )


def _busy(stage: Stage) -> dict[Any, Any]:
    import gradio as gr

    return {
        stage.portrait: gr.update(visible=True),
        stage.live: gr.update(visible=False),
        stage.video: gr.update(visible=False, value=None),
        stage.said: status("Waiting for its turn …", "busy"),
        stage.plot: FIRST_PLOT,
        stage.go: gr.update(visible=False),
        stage.cancel: gr.update(visible=True),
    }


def _at_rest(stage: Stage) -> dict[Any, Any]:
    import gradio as gr

    return {
        stage.live: gr.update(visible=False),
        stage.go: gr.update(visible=True),
        stage.cancel: gr.update(visible=False),
    }


async def _perform(
    studio: Studio, stage: Stage, person: str, audio: str | None, values: tuple[Any, ...]
) -> AsyncIterator[dict[Any, Any]]:
    """What happens on the page while a video is made."""
    import gradio as gr

    given = dict(zip(page_defaults(), values, strict=True))
    files = [audio, given["driving"], given["picture"]]
    playing = False
    try:
        if not audio:
            yield {**_at_rest(stage), stage.said: status(NO_VOICE, "failed")}
            return
        options, driving = generation_options(given)
        steps = studio.talk(person, audio, options, driving=driving, live=can_stream())
        async with aclosing(steps):  # type: ignore[type-var]
            async for step in steps:
                if isinstance(step, Preparing | Step):
                    yield {stage.said: progress(step)}
                elif isinstance(step, Voice):
                    yield {stage.plot: draw(step)}
                elif isinstance(step, Segment):
                    if not playing:
                        playing = True
                        yield {stage.live: gr.update(visible=True), stage.portrait: gr.update(visible=False)}
                    yield {stage.live: str(step.path)}
                elif isinstance(step, Finished):
                    made = step.result
                    clear = made.path.suffix == ".webm"
                    yield {
                        **_at_rest(stage),
                        stage.portrait: gr.update(visible=False),
                        stage.video: gr.update(
                            value=str(made.path), visible=True, elem_classes="gf-clear" if clear else ""
                        ),
                        stage.seed: made.seed,
                        stage.said: status(
                            f"{made.seconds:.1f} s of video in {made.elapsed:.1f} s, seed {made.seed}.", "done"
                        ),
                    }
    except Exception as error:
        yield {
            **_at_rest(stage),
            stage.portrait: gr.update(visible=True),
            stage.said: status(explain(error, files), "failed"),
        }


def _generate(studio: Studio) -> Any:
    """The same for those who call by the API: one answer, with progress.

    Before it come empty ones, because only between answers is it noticed that who asked has gone.
    """
    import gradio as gr

    async def generate(*values: Any) -> AsyncIterator[tuple[str | None, int | None]]:
        person, audio, *chosen, progress = values
        given = dict(zip(page_defaults(), chosen, strict=True))
        try:
            if not audio:
                raise gr.Error(NO_VOICE, print_exception=False)
            options, driving = generation_options(given)
            steps = studio.talk(person, audio, options, driving=driving)
            async with aclosing(steps), aclosing(with_pulse(steps)) as pulse:  # type: ignore[type-var]
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
        except gr.Error:
            raise
        except Exception as error:
            raise as_gradio(error, [audio, given["driving"], given["picture"]]) from None
        raise gr.Error("Stopped.", print_exception=False)

    return _shown(generate, gr.Progress())


def _shown(generate: Any, progress: Any) -> Any:
    """Give the function the names, defaults and words that the API shows."""
    asked = {"person": Parameter.empty, "audio": Parameter.empty, **page_defaults(), "progress": progress}
    words = {"person": "Name of the person who shall speak.", "audio": "The speech, as an audio file.", **described()}
    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=given) for name, given in asked.items()]
    generate.__signature__ = Signature(parameters)
    lines = "\n".join(f"    {name}: {text}" for name, text in words.items())
    generate.__doc__ = (
        f"Make a talking portrait video from speech.\n\nArgs:\n{lines}\n\n"
        "Returns:\n    The video (mp4, or webm if transparent) and the seed that was used."
    )
    return generate
