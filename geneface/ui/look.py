"""Look closer: two takes of one recording side by side, the landmarks that drive them, the head from the side."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

from geneface.errors import InputError
from geneface.options import HIGHEST_SEED, GenerationOptions
from geneface.pipelines.compare import Take, compare_video
from geneface.pipelines.generate import GeneratedVideo
from geneface.ui.gallery import refreshed
from geneface.ui.live import Countdown, Preparing, Step, Waiting
from geneface.ui.making import with_pulse
from geneface.ui.persons import Persons, display_name
from geneface.ui.speech import NO_VOICE, build_voice
from geneface.ui.status import as_gradio, explain, progress, status, tool
from geneface.ui.studio import LINE, MOST_WAITING, QUEUE, Finished, Studio, Tell
from geneface.ui.turn import MOST_PITCH, MOST_YAW, turned_heads
from geneface.ui.updates import PRIVATE, QUIET, Line, Updates
from geneface.utils.stopping import StopToken
from geneface.utils.words import sentence

EMPTY = """<div class="gf-portrait gf-blank"><p><b>See what makes the difference.</b><br>
One recording, two takes: other persons, other seeds, calmer or livelier, or the 68 landmarks that move the face.
</p></div>"""
SHOWN = (("Another take", "take"), ("Its landmarks", "landmarks"), ("Both", "both"))


@dataclass(frozen=True)
class Look:
    """What the page connects to."""

    refresh: Callable[..., list[object]]
    """Looks for new persons, for `pickers`."""
    pickers: list[Component]
    uploads: list[Component]
    """Components that take a visitor's files."""


def build_look(studio: Studio, persons: Persons, examples: Mapping[str, Path]) -> Look:
    """Lay out the tab, within the current `gr.Tab`."""
    gr.Markdown("## Side by side", elem_classes="gf-section")
    beside = SideBySide(studio, persons, examples)
    gr.Markdown("## From the side", elem_classes="gf-section")
    turned = FromTheSide(studio, persons)

    def refresh(*chosen: str) -> list[object]:
        return [refreshed(persons, name) for name in chosen]

    return Look(refresh, [*beside.pickers, turned.person], [beside.audio])


class SideBySide:
    """Two takes of one recording, or a take and its landmarks, in one video; by API, too."""

    def __init__(self, studio: Studio, persons: Persons, examples: Mapping[str, Path]) -> None:
        self.studio = studio
        with gr.Row(elem_classes="gf-columns", equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.audio = build_voice(examples, "voice-compare", studio.max_seconds)
                self.shown = gr.Radio(SHOWN, value="take", label="Beside it")
                with gr.Row():
                    with gr.Group():
                        left = _take_fields(persons, "Left", 1, 1.0)
                    with gr.Group() as self.other:
                        right = _take_fields(persons, "Right", 2, 1.0)
                self.go = gr.Button(
                    "Compare", variant="primary", size="lg", elem_classes=["gf-go", "gf-swap"], elem_id="compare"
                )
                self.cancel = gr.Button(
                    "Cancel", variant="stop", size="lg", visible=False, elem_classes=["gf-go", "gf-swap"],
                    elem_id="cancel-compare",
                )  # fmt: skip
            with gr.Column(scale=6, min_width=300, elem_classes="gf-stage gf-wide"):
                self.empty = gr.HTML(EMPTY, padding=False)
                self.video = gr.Video(
                    visible=False, show_label=False, interactive=False, autoplay=True, buttons=["download"],
                    elem_id="compared",
                )  # fmt: skip
                self.said = gr.HTML(status("Pick a voice, then compare."), padding=False, elem_id="compare-status")
        self.pickers = [left[0], right[0]]
        self._connect([self.audio, self.shown, *left, *right])

    def _connect(self, inputs: list[Component]) -> None:
        outputs = [self.empty, self.video, self.said, self.go, self.cancel]
        queue: Line = {"concurrency_limit": 1, "concurrency_id": QUEUE}
        line: Line = {"concurrency_limit": MOST_WAITING, "concurrency_id": LINE}
        started = self.go.click(self._begin, None, outputs, **QUIET)
        running = started.then(self._perform, inputs, outputs, **PRIVATE, **line)
        stopped = partial(self._at_rest, done=False, line=status("Stopped."))
        self.cancel.click(stopped, None, outputs, cancels=[running], **QUIET)
        with gr.Row(visible=False):
            by_api, made = gr.Button(), gr.Video(label="video")
        by_api.click(self.compare, inputs, made, api_name="compare", **queue)
        self.shown.change(lambda chosen: gr.update(visible=chosen != "landmarks"), self.shown, self.other, **QUIET)

    def _at_rest(self, *, done: bool, line: str, value: str | None = None) -> Updates:
        return {
            self.empty: gr.update(visible=not done),
            self.video: gr.update(visible=done, value=value),
            self.said: line,
            self.go: gr.update(visible=True),
            self.cancel: gr.update(visible=False),
        }

    def _begin(self) -> Updates:
        waiting = self._at_rest(done=False, line=status("Starting …", "busy"))
        return {**waiting, self.go: gr.update(visible=False), self.cancel: gr.update(visible=True)}

    async def _perform(self, audio: str | None, shown: str, *takes: Any) -> AsyncIterator[Updates]:
        try:
            async with aclosing(self._steps(audio, shown, takes)) as steps:
                async for step in steps:
                    if isinstance(step, Finished):
                        made = step.result
                        notes = [sentence(note, {str(audio): "the file"}) for note in made.notes]
                        text = " ".join([f"Done: {made.seconds:.1f} s of video.", *notes])
                        line = status(text, "done", small=f"Made in {made.elapsed:.1f} s.")
                        yield self._at_rest(done=True, line=line, value=str(made.path))
                    elif isinstance(step, Preparing | Step | Waiting):
                        yield {self.said: progress(step, "Comparing")}
        except Exception as error:
            yield self._at_rest(done=False, line=status(explain(error, [audio]), "failed"))

    @tool
    async def compare(
        self,
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
        takes = (left, left_seed, left_temperature, right, right_seed, right_temperature)
        try:
            steps = self._steps(audio, shown, takes)
            async with aclosing(steps), aclosing(with_pulse(steps)) as pulse:
                async for step in pulse:
                    if isinstance(step, Finished):
                        yield str(step.result.path)
                        return
                    if step is None or isinstance(step, Step):
                        yield None  # Only between answers is it noticed that who asked has gone.
        except Exception as error:
            raise as_gradio(error, [audio]) from None
        raise gr.Error("Stopped.", print_exception=False)

    def _steps(self, audio: str | None, shown: str, fields: Sequence[Any]) -> AsyncGenerator[object]:
        """`fields`: person, seed and expressiveness of the left take and of the right one."""
        if not audio:
            raise InputError(NO_VOICE)
        given = [fields[:3]] if shown == "landmarks" else [fields[:3], fields[3:]]

        def job(tell: Tell, stop: StopToken, folder: Path) -> GeneratedVideo:
            with self.studio.recording(audio) as source:
                takes = [
                    Take(
                        self.studio.pipe(person, tell),
                        f"{display_name(person)}, seed {int(seed)}, expressiveness {temperature:g}",
                        GenerationOptions(seed=int(seed), temperature=temperature),
                    )
                    for person, seed, temperature in given
                ]
                tell(Preparing("Listening"))
                return compare_video(
                    takes,
                    source,
                    folder / "comparison.mp4",
                    landmarks=shown != "take",
                    mark=self.studio.mark,
                    on_frame=Countdown(tell),
                    stop=stop,
                )

        return self.studio.work(job)


def _take_fields(persons: Persons, label: str, seed: int, lively: float) -> tuple[gr.Dropdown, gr.Number, gr.Slider]:
    return (
        persons.keep_current(gr.Dropdown(persons.choices, value=persons.names[0], label=label, min_width=120)),
        gr.Number(seed, label="Seed", precision=0, minimum=0, maximum=HIGHEST_SEED, min_width=100),
        gr.Slider(0, 2, lively, step=0.1, label="Expressiveness", min_width=120),
    )


class FromTheSide:
    """A person's head, turned by two sliders; by API, too."""

    def __init__(self, studio: Studio, persons: Persons) -> None:
        self.studio = studio
        first = persons.names[0]
        with gr.Row(elem_classes="gf-columns", equal_height=False):
            with gr.Column(scale=5, min_width=300):
                gr.Markdown(
                    "The head is a model in three dimensions. Turn it, as far as a video of a talking head shows it.",
                    elem_classes="gf-hint",
                )
                self.person = persons.keep_current(gr.Dropdown(persons.choices, value=first, label="Person"))
                yaw = gr.Slider(
                    -MOST_YAW, MOST_YAW, 0, step=0.5, label="Left and right", info="degrees", elem_id="yaw"
                )
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
        gr.on(
            [yaw.change, pitch.change, self.person.change], self.turn, [self.person, yaw, pitch], head,
            api_name="turn", show_progress="hidden", trigger_mode="always_last", concurrency_limit=2,
            concurrency_id="look",
        )  # fmt: skip

    @tool
    def turn(self, person: str, yaw: float = 0.0, pitch: float = 0.0) -> np.ndarray:
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
            return turned_heads(self.studio.pipe(person), angles)[0]
        except Exception as error:
            raise as_gradio(error) from None
