"""Talk: a person, a voice, a button, a talking portrait."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from geneface.ui.gallery import QUIET, Gallery, build_gallery
from geneface.ui.live import Preparing, Segment, Step, Waiting, can_stream
from geneface.ui.options import build_options, described, generation_options, page_defaults
from geneface.ui.persons import Persons, display_name
from geneface.ui.plot import Voice, draw
from geneface.ui.portrait import portrait_html, turns_html
from geneface.ui.stage import FROM_START, GO, HEARD, PLAY_ON, READY, SHOW_STAGE, Stage, build_stage
from geneface.ui.status import as_gradio, explain, progress, status
from geneface.ui.studio import LINE, MOST_WAITING, QUEUE, Finished, Studio, with_pulse
from geneface.ui.takes import MOST, Take, keep
from geneface.ui.uploads import Uploads
from geneface.ui.voice import NO_VOICE, build_voice
from geneface.utils.words import sentence


@dataclass(frozen=True)
class Talk:
    """What the page connects to."""

    gallery: Gallery
    stage: Stage
    awake: Callable[[str], str]
    """The person's portrait that looks where the pointer is."""
    uploads: list[Any]
    """Components that take a visitor's files."""
    check: Any
    """The button that asks to check the video on the stage."""


def build_talk(studio: Studio, persons: Persons, examples: Mapping[str, Path], uploads: Uploads) -> Talk:
    """Lay out the tab and connect its parts, within the current `gr.Tab`."""
    import gradio as gr

    first = display_name(persons.names[0])
    with gr.Row(elem_classes="gf-columns", equal_height=False):
        with gr.Column(scale=5, min_width=300):
            gallery = build_gallery(persons)
            audio = build_voice(examples, "voice", studio.max_seconds)
            go = gr.Button(
                GO.format(first), variant="primary", size="lg", elem_classes=["gf-go", "gf-swap"], elem_id="go"
            )
            cancel = gr.Button(
                "Cancel", variant="stop", size="lg", visible=False, elem_classes=["gf-go", "gf-swap"],
                elem_id="cancel",
            )  # fmt: skip
            fields = build_options()
        with gr.Column(scale=6, min_width=300, elem_classes="gf-stage"):
            stage, check = build_stage(persons, gallery.person, fields["seed"], go, cancel)

    def awake(person: str) -> str:
        try:
            return turns_html(studio, persons.preview(person), person)
        except Exception as error:
            return portrait_html(persons.preview(person), person, explain(error))

    talk = Talk(gallery, stage, awake, [audio, fields["driving"], fields["picture"]], check)
    _connect(studio, persons, talk, [gallery.person, audio, *fields.values()], uploads)
    return talk


def _connect(studio: Studio, persons: Persons, talk: Talk, inputs: list[Any], uploads: Uploads) -> None:
    import gradio as gr

    stage, audio = talk.stage, talk.uploads[0]
    person, everything = stage.person, stage.everything
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    unchanged = {stage.said: gr.skip()}

    def choose(person: str, audio: str | None, busy: str) -> dict[Any, Any]:
        """Another portrait on the stage; not while somebody speaks, whoever chooses (the Hub and training do, too)."""
        line = status((HEARD if audio else READY).format(display_name(person)))
        return unchanged if busy else stage.empty(persons, person, line)

    def listen(person: str, audio: str | None, busy: str) -> Iterator[dict[Any, Any]]:
        """Another voice: what was said of the one before is over, and what is wrong with this one is said at once."""
        if busy:
            # Whoever yields nothing makes Gradio empty all outputs.
            yield unchanged
        elif not audio:
            yield stage.renewed(status(READY.format(display_name(person))))
        else:
            yield stage.renewed(status("Listening to it …", "busy"))
            try:
                plot = draw(Voice(studio.listen(audio), None))
                yield {stage.said: status(HEARD.format(display_name(person))), stage.plot: plot}
            except Exception as error:
                yield {stage.said: status(explain(error, [audio]), "failed")}

    async def perform(request: gr.Request, takes: list[Take], *given: Any) -> AsyncIterator[dict[Any, Any]]:
        async for updates in _perform(studio, stage, takes, given):
            yield updates
            for take in updates.get(stage.takes, [])[:1]:
                uploads.remember(request.session_hash, take.video, take.picture)

    def play(takes: list[Take], busy: str, chosen: gr.SelectData) -> dict[Any, Any]:
        """A take of the strip again; not over one that is being made."""
        return unchanged if busy or chosen.index >= len(takes) else stage.shows(takes[chosen.index])

    chosen = person.change(choose, [person, audio, stage.busy], everything, **QUIET)
    chosen.then(talk.awake, person, stage.portrait, **private)
    heard = audio.change(
        listen, [person, audio, stage.busy], everything, **private, trigger_mode="always_last", concurrency_limit=4
    )
    started = gr.on(
        [stage.go.click, stage.again.click], stage.begun, person, everything, js=SHOW_STAGE, cancels=[heard], **QUIET
    )
    running = started.then(
        perform, [stage.takes, *inputs], everything, **private, concurrency_limit=MOST_WAITING, concurrency_id=LINE
    )
    running.then(None, None, None, js=PLAY_ON, **QUIET)
    running.then(stage.settled, None, everything, **QUIET)
    stage.cancel.click(stage.stopped, None, everything, cancels=[running], **QUIET)
    replayed = stage.strip.select(play, [stage.takes, stage.busy], everything, js=FROM_START, **QUIET)
    replayed.then(None, None, None, js=PLAY_ON, **QUIET)

    with gr.Row(visible=False):
        by_api, made, used = gr.Button(), gr.Video(label="video"), gr.Number(label="seed", precision=0)
    by_api.click(
        _generate(studio), inputs, [made, used], api_name="generate", concurrency_limit=1, concurrency_id=QUEUE
    )


async def _perform(
    studio: Studio, stage: Stage, takes: list[Take], asked: tuple[Any, ...]
) -> AsyncIterator[dict[Any, Any]]:
    """What happens on the page while a video is made."""
    import gradio as gr

    person, audio, *values = asked
    given = dict(zip(page_defaults(), values, strict=True))
    files = [audio, given["driving"], given["picture"]]
    playing = False
    try:
        if not audio:
            yield stage.at_rest(status(NO_VOICE, "failed"))
            return
        options, driving = generation_options(given)
        steps = studio.talk(person, audio, options, driving=driving, live=can_stream())
        async with aclosing(steps):  # type: ignore[type-var]
            async for step in steps:
                if isinstance(step, Preparing | Step | Waiting):
                    yield {stage.said: progress(step)}
                elif isinstance(step, Voice):
                    yield {stage.plot: draw(step)}
                elif isinstance(step, Segment):
                    if not playing:
                        playing = True
                        yield {stage.live: gr.update(visible=True)}
                    yield {stage.live: str(step.path)}
                elif isinstance(step, Finished):
                    made = step.result
                    line = f"{made.seconds:.1f} s of video in {made.elapsed:.1f} s, seed {made.seed}."
                    notes = [sentence(note, {str(audio): "the file"}) for note in made.notes]
                    take = keep(made, person, audio, " ".join([line, *notes]), stage.video.GRADIO_CACHE)
                    yield stage.done([take, *takes[: MOST - 1]], made.seed)
    except Exception as error:
        yield stage.at_rest(status(explain(error, files), "failed"))


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
