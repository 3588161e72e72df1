"""How a person shall speak: the page's options, and what they are for the pipeline."""

import re
from typing import Any

from geneface.errors import InputError
from geneface.media.subtitles import How, Transcript, read_transcript
from geneface.options import HIGHEST_SEED, SHAPES, SQUARE, TRANSPARENT, GenerationOptions, defaults, specs
from geneface.ui.updates import QUIET

SIZES = (256, 512, 768, 1024)
GREEN = "#00b140"
"""The colour of a green screen."""


NO_SUBTITLES = "none"
SUBTITLES = (("None", NO_SUBTITLES), ("In the picture", "burn"), ("A file beside it (.srt)", "srt"))
SHAPE_NAMES = {"1:1": "Square", "9:16": "Upright 9:16", "16:9": "Wide 16:9"}
AFTERWARDS: dict[str, object] = {"subtitles": NO_SUBTITLES, "transcript": "", "transcript_file": None}
"""What the page asks for that is no option of the pipeline, and the defaults."""
OWN: dict[str, dict[str, object]] = {
    "seed": {"new_seed": True},
    "pose": {"driving": None},
    "background": {"picture": None, "colour": GREEN},
}
"""What the page asks for besides an option, by its name, and the defaults."""
SIZE = 512
SPECIAL: dict[str, object] = {"seed": 0, "background": "own", "size": SIZE}
"""Defaults of the page where they are not the pipeline's."""
DESCRIPTIONS = {
    "seed": "Same seed, same video; ignored if new_seed is true.",
    "new_seed": "Draw a new seed.",
    "driving": 'A video of somebody whose head motion is taken; for pose "video".',
    "pose": 'Head motion: "natural", "still", or "video" for that of the driving video.',
    "background": '"own", "colour", "picture", or "transparent" for a webm with an alpha channel.',
    "picture": 'The background of background "picture".',
    "colour": 'The background of background "colour", like #20a0ff.',
    "size": f"Pixels of the shorter side: {', '.join(map(str, SIZES))}.",
    "shape": f"Width to height: {', '.join(SHAPES)}.",
    "subtitles": '"none", or "burn" into the picture.',
    "transcript": "What a recording says, for its subtitles; a text knows it.",
    "transcript_file": "The same as an .srt, .vtt or .txt.",
}


def page_defaults() -> dict[str, object]:
    """Name and default of all that the page asks for, in order."""
    found: dict[str, object] = {}
    for name, default in defaults().items():
        found |= {name: SPECIAL.get(name, default), **OWN.get(name, {})}
    return found | AFTERWARDS


def described() -> dict[str, str]:
    """The same names, each in words."""
    return {name: DESCRIPTIONS.get(name) or f"{specs()[name].help}." for name in page_defaults()}


def build_options() -> dict[str, Any]:
    """Lay out the options, within the current layout; the components by the names of `page_defaults`."""
    import gradio as gr

    made: dict[str, Any] = {}
    with gr.Accordion("Motion", open=False):
        for name, spec in specs().items():
            default = defaults()[name]
            if spec.highest and isinstance(default, float):
                made[name] = gr.Slider(0, spec.highest, default, step=0.1, label=spec.label, info=spec.info)
            elif spec.label and name != "shape":
                words = [(word.capitalize(), word) for word in spec.words]
                words += [("From a video", "video")] if name == "pose" else []
                made[name] = gr.Radio(words, value=str(default), label=spec.label)
            if name == "pose":
                made["driving"] = gr.Video(
                    sources=["upload"],
                    include_audio=True,
                    visible=False,
                    label="A video whose head motion is taken",
                    elem_id="driving",
                )
        with gr.Row():
            made["new_seed"] = gr.Checkbox(True, label="New motion each time", info="Off: repeat that of the seed")
            made["seed"] = gr.Number(
                0,
                label="Seed",
                info="Of the latest take: the same seed moves the same",
                precision=0,
                minimum=0,
                maximum=HIGHEST_SEED,
            )
    made["pose"].change(lambda chosen: gr.update(visible=chosen == "video"), made["pose"], made["driving"], **QUIET)
    with gr.Accordion("Background, shape and size", open=False):
        _build_frame(made)
    with gr.Accordion("Subtitles", open=False):
        _build_subtitles(made)
    return {name: made[name] for name in page_defaults()}


def _build_frame(made: dict[str, Any]) -> None:
    import gradio as gr

    made["background"] = gr.Radio(
        [("As filmed", "own"), ("Colour", "colour"), ("Picture", "picture"), ("Transparent", TRANSPARENT)],
        value="own",
        label="Background",
        info="Transparent gives a webm with an alpha channel, for video editors and web pages",
    )
    made["colour"] = gr.ColorPicker(GREEN, label="Colour", visible=False)
    made["picture"] = gr.Image(
        type="filepath", sources=["upload", "clipboard"], visible=False, label="Picture", height=180, buttons=[]
    )
    shapes = [(SHAPE_NAMES.get(shape, shape), shape) for shape in SHAPES]
    made["shape"] = gr.Radio(
        shapes, value=SQUARE, label="Shape", info="Where it is wider than filmed, the background goes on"
    )
    made["size"] = gr.Dropdown(
        [(f"{side} pixels", side) for side in SIZES], value=SIZE, label="Size", info="Of the shorter side"
    )

    def show_background(chosen: str) -> list[object]:
        return [gr.update(visible=chosen == "colour"), gr.update(visible=chosen == "picture")]

    made["background"].change(show_background, made["background"], [made["colour"], made["picture"]], **QUIET)


def _build_subtitles(made: dict[str, Any]) -> None:
    import gradio as gr

    made["subtitles"] = gr.Radio(
        SUBTITLES, value=NO_SUBTITLES, label="Subtitles", show_label=False, info="A typed text has its own times"
    )
    made["transcript"] = gr.Textbox("", label="What the recording says", lines=3, max_lines=8, visible=False)
    made["transcript_file"] = gr.File(
        label="Or a file: .srt, .vtt, .txt", file_types=[".srt", ".vtt", ".txt"], height=110, visible=False
    )
    asked = [made["transcript"], made["transcript_file"]]
    made["subtitles"].change(
        lambda chosen: [gr.update(visible=chosen != NO_SUBTITLES)] * 2, made["subtitles"], asked, **QUIET
    )


def generation_options(given: dict[str, Any]) -> tuple[GenerationOptions, str]:
    """What was asked for on the page, and the video whose head motion is taken, if one is.

    Raises `InputError` for what cannot be, or where something is missing.
    """
    asked = {name: given[name] for name in specs()}
    asked["seed"] = None if given["new_seed"] else _whole("seed", given["seed"] or 0)
    asked["size"] = _whole("size", given["size"])
    asked["background"] = None
    if given["background"] == "picture":
        if not given["picture"]:
            raise InputError("there is no background picture yet: add one, or choose another background")
        asked["background"] = given["picture"]
    elif given["background"] == "colour":
        asked["background"] = as_hex(given["colour"])
    elif given["background"] == TRANSPARENT:
        asked["background"] = TRANSPARENT
    driving = ""
    if given["pose"] == "video":
        if not given["driving"]:
            raise InputError("there is no video to take the head motion from: add one, or choose natural motion")
        driving, asked["pose"] = given["driving"], "natural"
    return GenerationOptions.of(**asked), driving


def asked_subtitles(given: dict[str, Any]) -> tuple[How | None, Transcript | None]:
    """How subtitles are wanted, and what the recording says, if that was told."""
    if given["subtitles"] == NO_SUBTITLES:
        return None, None
    if given["transcript_file"]:
        return given["subtitles"], read_transcript(given["transcript_file"])
    return given["subtitles"], (given["transcript"] or "").strip() or None


def _whole(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} is {value!r}; give a whole number") from None


def as_hex(colour: str) -> str:
    """`#rrggbb` of what a colour picker gives: that, or `rgba(12, 34, 56, 1)`."""
    if match := re.fullmatch(r"rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+).*\)", colour.strip()):
        return "#" + "".join(f"{min(round(float(part)), 255):02x}" for part in match.groups())
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour.strip()):
        raise InputError(f"{colour!r} is not a colour; give one like #20a0ff")
    return colour.strip()
