"""The page's main part: a person, a voice, a button, a talking portrait."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geneface.errors import InputError
from geneface.generate import HIGHEST_SEED
from geneface.ui.studio import Studio, display_name

QUEUE = "pipeline"
SHOW_STAGE = """() => {
  document.querySelector('.gf-stage').scrollIntoView({block: 'nearest', behavior: 'smooth'});
  return [];
}"""
NO_VOICE = "There is no voice yet: record or upload some speech, or pick an example."


def build_talk(studio: Studio, persons: Mapping[str, Path], examples: Mapping[str, Path]) -> None:
    """Lay out the components and connect them, within the current `gr.Blocks`."""
    import gradio as gr

    def preview(person: str) -> str | None:
        file = persons[person] / "preview.png"
        return str(file) if file.is_file() else None

    first = next(iter(persons))
    with gr.Row(elem_classes="gf-columns", equal_height=False):
        with gr.Column(scale=5, min_width=300):
            person = gr.Radio(
                [(display_name(name), name) for name in persons],
                value=first,
                label="Person",
                visible=True if len(persons) > 1 else "hidden",
            )
            audio = gr.Audio(
                sources=["upload", "microphone"], type="filepath", label="Voice", buttons=[], elem_id="voice"
            )
            if examples:
                gr.Examples(
                    [[str(path)] for path in examples.values()],
                    inputs=[audio],
                    example_labels=list(examples),
                    label="or try one of these",
                    api_visibility="private",
                )
            go = gr.Button("Make it talk", variant="primary", size="lg", elem_classes="gf-go")
            cancel = gr.Button("Cancel", variant="stop", size="lg", visible=False)
            with gr.Row():
                seed = gr.Number(
                    0, label="Seed", info="Same seed, same video", precision=0, minimum=0, maximum=HIGHEST_SEED
                )
                new_seed = gr.Checkbox(True, label="New seed each time", info="Turn off to repeat a video")
            with gr.Accordion("Options", open=False):
                temperature = gr.Slider(0, 2, 1, step=0.1, label="Expressiveness", info="0 is calm, 2 is lively")
                with gr.Row():
                    pose = gr.Radio([("Natural", "natural"), ("Still", "still")], value="natural", label="Head motion")
                    blink = gr.Radio([("Natural", "natural"), ("None", "none")], value="natural", label="Blinks")
        with gr.Column(scale=6, min_width=300, elem_classes="gf-stage"):
            portrait = gr.Image(
                preview(first), label=display_name(first), interactive=False, buttons=[], elem_id="portrait"
            )
            video = gr.Video(
                visible=False,
                autoplay=True,
                show_label=False,
                interactive=False,
                buttons=["download"],
                elem_id="video",
            )

    async def generate(
        person: str,
        audio: str | None,
        seed: int = 0,
        new_seed: bool = True,
        temperature: float = 1.0,
        pose: str = "natural",
        blink: str = "natural",
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[str, int]:
        """Make a talking portrait video from speech.

        Args:
            person: Name of the person who shall speak.
            audio: The speech, as an audio file.
            seed: Same seed, same video; ignored if new_seed is true.
            new_seed: Draw a new seed.
            temperature: Expressiveness of the motion, 0 (calm) to 2 (lively).
            pose: Head motion, "natural" or "still".
            blink: Eye blinks, "natural" or "none".

        Returns:
            The video (mp4) and the seed that was used.
        """
        if not audio:
            raise gr.Error(NO_VOICE, print_exception=False)

        def report(done: tuple[int, int] | float, text: str) -> None:
            progress(done, desc=text, unit="frames")

        options: dict[str, Any] = {"temperature": temperature, "pose": pose, "blink": blink}
        try:
            result = await studio.make(
                person, audio, seed=None if new_seed else int(seed or 0), report=report, **options
            )
        except InputError as error:
            message = str(error).replace(audio, "The file" if str(error).startswith(audio) else "the file")
            raise gr.Error(message, print_exception=False) from None
        return str(result.path), result.seed

    def choose(person: str) -> list[Any]:
        picture = gr.update(value=preview(person), label=display_name(person), visible=True)
        return [picture, gr.update(visible=False)]

    def start() -> list[Any]:
        return [*_show(portrait=True), gr.update(visible=False), gr.update(visible=True)]

    def finish() -> list[Any]:
        return [*_show(portrait=False), gr.update(visible=True), gr.update(visible=False)]

    def stop() -> list[Any]:
        return [*_show(portrait=True), gr.update(visible=True), gr.update(visible=False)]

    stage = [portrait, video, go, cancel]
    quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    person.change(choose, person, [portrait, video], **quiet)
    started = go.click(start, None, stage, js=SHOW_STAGE, **quiet)
    running = started.then(
        generate,
        [person, audio, seed, new_seed, temperature, pose, blink],
        [video, seed],
        api_name="generate",
        concurrency_limit=1,
        concurrency_id=QUEUE,
        show_progress_on=portrait,
    )
    running.success(finish, None, stage, **quiet)
    running.failure(stop, None, stage, **quiet)
    cancel.click(stop, None, stage, cancels=[running], **quiet)


def _show(*, portrait: bool) -> list[Any]:
    """Updates of the portrait and the video: one of them on the stage."""
    import gradio as gr

    return [gr.update(visible=portrait), gr.update(visible=not portrait)]
