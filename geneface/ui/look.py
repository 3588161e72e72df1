"""Look closer: two takes of one recording side by side, the landmarks that drive them, the head from the side."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from geneface.compare import Take, compare_video
from geneface.errors import InputError
from geneface.generate import GeneratedVideo
from geneface.options import HIGHEST_SEED, GenerationOptions
from geneface.stopping import StopToken
from geneface.ui.gallery import QUIET
from geneface.ui.live import Countdown, Preparing, Step
from geneface.ui.persons import Persons, display_name
from geneface.ui.status import as_gradio, explain, progress, status
from geneface.ui.studio import QUEUE, Finished, Studio, with_pulse
from geneface.ui.turn import MOST_PITCH, MOST_YAW, turned_heads
from geneface.ui.voice import NO_VOICE, build_voice

EMPTY = """<div class="gf-portrait gf-blank"><p><b>See what makes the difference.</b><br>
One recording, two takes: other persons, other seeds, calmer or livelier, or the 68 landmarks that move the face.
</p></div>"""
SHOWN = (("Another take", "take"), ("Its landmarks", "landmarks"), ("Both", "both"))


@dataclass(frozen=True)
class Look:
    """What the page connects to."""

    refresh: Callable[..., list[Any]]
    """Looks for new persons, for `pickers`."""
    pickers: list[Any]
    uploads: list[Any]
    """Components that take a visitor's files."""


def build_look(studio: Studio, persons: Persons, examples: Mapping[str, Path]) -> Look:
    """Lay out the tab, within the current `gr.Tab`."""
    import gradio as gr

    first = persons.names[0]
    gr.Markdown("### Side by side", elem_classes="gf-section")
    with gr.Row(elem_classes="gf-columns", equal_height=False):
        with gr.Column(scale=5, min_width=300):
            audio = build_voice(examples, "voice-compare")
            shown = gr.Radio(SHOWN, value="take", label="Beside it")
            with gr.Row():
                with gr.Group():
                    one, seed_one, lively_one = _take_fields(persons, "Left", 1, 1.0)
                with gr.Group() as other:
                    two, seed_two, lively_two = _take_fields(persons, "Right", 2, 1.0)
            go = gr.Button("Compare", variant="primary", size="lg", elem_classes="gf-go", elem_id="compare")
            cancel = gr.Button("Cancel", variant="stop", size="lg", visible=False, elem_id="cancel-compare")
        with gr.Column(scale=6, min_width=300, elem_classes="gf-stage gf-wide"):
            empty = gr.HTML(EMPTY, padding=False)
            video = gr.Video(
                visible=False, show_label=False, interactive=False, autoplay=True, buttons=["download"],
                elem_id="compared",
            )  # fmt: skip
            said = gr.HTML(status("Pick a voice, then compare."), padding=False, elem_id="compare-status")

    gr.Markdown("### From the side", elem_classes="gf-section")
    with gr.Row(elem_classes="gf-columns", equal_height=False):
        with gr.Column(scale=5, min_width=300):
            gr.Markdown(
                "The head is a model in three dimensions. Turn it, as far as a video of a talking head shows it.",
                elem_classes="gf-hint",
            )
            person = persons.keep_current(gr.Dropdown(persons.choices, value=first, label="Person"))
            yaw = gr.Slider(-MOST_YAW, MOST_YAW, 0, step=0.5, label="Left and right", info="degrees", elem_id="yaw")
            pitch = gr.Slider(-MOST_PITCH, MOST_PITCH, 0, step=0.5, label="Up and down", info="degrees")
        with gr.Column(scale=6, min_width=300, elem_classes="gf-stage"):
            preview = persons.preview(first)
            head = gr.Image(
                str(preview) if preview else None,
                show_label=False,
                interactive=False,
                buttons=[],
                elem_id="head",
                format="webp",
            )

    _connect_compare(
        studio,
        [audio, shown, one, seed_one, lively_one, two, seed_two, lively_two],
        [empty, video, said, go, cancel],
    )
    shown.change(lambda chosen: gr.update(visible=chosen != "landmarks"), shown, other, **QUIET)

    def turn(person: str, yaw: float = 0.0, pitch: float = 0.0) -> np.ndarray:
        """Show a person's head from a little to the side.

        Args:
            person: Name of the person.
            yaw: Degrees from -12 to 12; more turns the face to the picture's right.
            pitch: Degrees from -5 to 5; more lowers the face.

        Returns:
            A picture of the person at rest.
        """
        try:
            angles = [(float(np.clip(yaw, -MOST_YAW, MOST_YAW)), float(np.clip(pitch, -MOST_PITCH, MOST_PITCH)))]
            return turned_heads(studio.pipe(person), angles)[0]
        except Exception as error:
            raise as_gradio(error) from None

    look: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "concurrency_id": "look"}
    gr.on(
        [yaw.change, pitch.change, person.change], turn, [person, yaw, pitch], head, api_name="turn",
        concurrency_limit=2, **look,
    )  # fmt: skip
    pickers = [one, two, person]

    def refresh(*chosen: str) -> list[Any]:
        choices = persons.refresh()
        return [
            gr.update(choices=choices, value=name if name in persons.names else persons.names[0]) for name in chosen
        ]

    return Look(refresh, pickers, [audio])


def _take_fields(persons: Persons, label: str, seed: int, lively: float) -> tuple[Any, Any, Any]:
    import gradio as gr

    return (
        persons.keep_current(gr.Dropdown(persons.choices, value=persons.names[0], label=label, min_width=120)),
        gr.Number(seed, label="Seed", precision=0, minimum=0, maximum=HIGHEST_SEED, min_width=100),
        gr.Slider(0, 2, lively, step=0.1, label="Expressiveness", min_width=120),
    )


def _connect_compare(studio: Studio, inputs: list[Any], outputs: list[Any]) -> None:
    import gradio as gr

    empty, video, said, go, cancel = outputs

    def at_rest(*, done: bool, line: str, value: Any = None) -> dict[Any, Any]:
        return {
            empty: gr.update(visible=not done),
            video: gr.update(visible=done, value=value),
            said: line,
            go: gr.update(visible=True),
            cancel: gr.update(visible=False),
        }

    def begin() -> dict[Any, Any]:
        waiting = at_rest(done=False, line=status("Waiting for its turn …", "busy"))
        return {**waiting, go: gr.update(visible=False), cancel: gr.update(visible=True)}

    async def perform(*values: Any) -> AsyncIterator[dict[Any, Any]]:
        try:
            async with aclosing(_steps(studio, *values)) as steps:  # type: ignore[type-var]
                async for step in steps:
                    if isinstance(step, Finished):
                        made = step.result
                        line = status(f"{made.seconds:.1f} s of video in {made.elapsed:.1f} s.", "done")
                        yield at_rest(done=True, line=line, value=str(made.path))
                    else:
                        yield {said: progress(step, "Comparing")}
        except Exception as error:
            yield at_rest(done=False, line=status(explain(error, values[:1]), "failed"))

    async def compare(
        audio: str | None,
        shown: str = "take",
        left: str = "",
        left_seed: int = 1,
        left_temperature: float = 1.0,
        right: str = "",
        right_seed: int = 2,
        right_temperature: float = 1.0,
    ) -> AsyncIterator[str | None]:
        """Make one video of two takes of the same speech, side by side, or of a take and its landmarks.

        Args:
            audio: The speech, as an audio file.
            shown: What is beside the left take: "take", "landmarks", or "both".
            left: Name of the person on the left.
            left_seed: Seed of the left take.
            left_temperature: Expressiveness of the left take, 0 to 2.
            right: Name of the person on the right.
            right_seed: Seed of the right take.
            right_temperature: Expressiveness of the right take, 0 to 2.

        Returns:
            The video (mp4).
        """
        values = (audio, shown, left, left_seed, left_temperature, right, right_seed, right_temperature)
        try:
            steps = _steps(studio, *values)
            async with aclosing(steps), aclosing(with_pulse(steps)) as pulse:  # type: ignore[type-var]
                async for step in pulse:
                    if isinstance(step, Finished):
                        yield str(step.result.path)
                        return
                    if step is None or isinstance(step, Step):
                        yield None  # Only between answers is it noticed that who asked has gone.
        except Exception as error:
            raise as_gradio(error, [audio]) from None
        raise gr.Error("Stopped.", print_exception=False)

    queue: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": QUEUE}
    started = go.click(begin, None, outputs, **QUIET)
    running = started.then(perform, inputs, outputs, api_visibility="private", show_progress="hidden", **queue)
    stopped = partial(at_rest, done=False, line=status("Stopped."))
    cancel.click(stopped, None, outputs, cancels=[running], **QUIET)
    with gr.Row(visible=False):
        by_api, made = gr.Button(), gr.Video(label="video")
    by_api.click(compare, inputs, made, api_name="compare", **queue)


def _steps(
    studio: Studio,
    audio: str | None,
    shown: str,
    left: str,
    left_seed: int,
    left_temperature: float,
    right: str,
    right_seed: int,
    right_temperature: float,
) -> AsyncIterator[Preparing | Step | Finished]:
    if not audio:
        raise InputError(NO_VOICE)
    given = [(left, left_seed, left_temperature), (right, right_seed, right_temperature)]

    def job(tell: Callable[[Any], None], stop: StopToken, folder: Path) -> GeneratedVideo:
        with studio.recording(audio) as source:
            takes = [
                Take(
                    studio.pipe(person, tell),
                    f"{display_name(person)}, seed {int(seed)}, expressiveness {temperature:g}",
                    GenerationOptions(seed=int(seed), temperature=temperature),
                )
                for person, seed, temperature in given[: 1 if shown == "landmarks" else 2]
            ]
            tell(Preparing("Listening"))
            return compare_video(
                takes,
                source,
                folder / "comparison.mp4",
                landmarks=shown != "take",
                mark=studio.mark,
                on_frame=Countdown(tell),
                stop=stop,
            )

    return studio.work(job)
