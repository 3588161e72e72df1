"""How a person shall speak: the page's options, and what they are for the pipeline."""

import re
from dataclasses import dataclass
from typing import Any

from geneface.errors import InputError
from geneface.generate import HIGHEST_SEED
from geneface.media.webm import TRANSPARENT

SIZES = (256, 512, 768, 1024)
GREEN = "#00b140"
"""The colour of a green screen."""


@dataclass(frozen=True)
class OptionFields:
    """The components, in the order of `generate`'s arguments."""

    seed: Any
    new_seed: Any
    temperature: Any
    pose: Any
    driving: Any
    blink: Any
    background: Any
    picture: Any
    colour: Any
    size: Any

    @property
    def inputs(self) -> list[Any]:
        return list(vars(self).values())


def build_options() -> OptionFields:
    """Lay out the options, within the current layout."""
    import gradio as gr

    quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    with gr.Accordion("Motion", open=False):
        temperature = gr.Slider(0, 2, 1, step=0.1, label="Expressiveness", info="0 is calm, 2 is lively")
        pose = gr.Radio(
            [("Natural", "natural"), ("Still", "still"), ("From a video", "video")],
            value="natural",
            label="Head motion",
        )
        driving = gr.Video(
            sources=["upload"],
            include_audio=True,
            visible=False,
            label="A video whose head motion is taken",
            elem_id="driving",
        )
        blink = gr.Radio([("Natural", "natural"), ("None", "none")], value="natural", label="Blinks")
        with gr.Row():
            new_seed = gr.Checkbox(True, label="New motion each time", info="Off: repeat the motion of the seed")
            seed = gr.Number(0, label="Seed", info="Of the latest video", precision=0, minimum=0, maximum=HIGHEST_SEED)
    with gr.Accordion("Background and size", open=False):
        background = gr.Radio(
            [("Own", "own"), ("Colour", "colour"), ("Picture", "picture"), ("Transparent", TRANSPARENT)],
            value="own",
            label="Background",
            info="Transparent gives a webm with an alpha channel, for video editors and web pages",
        )
        colour = gr.ColorPicker(GREEN, label="Colour", visible=False)
        picture = gr.Image(
            type="filepath", sources=["upload", "clipboard"], visible=False, label="Picture", height=180, buttons=[]
        )
        size = gr.Dropdown([(f"{side} × {side}", side) for side in SIZES], value=512, label="Size in pixels")

    def show_background(chosen: str) -> list[Any]:
        return [gr.update(visible=chosen == "colour"), gr.update(visible=chosen == "picture")]

    background.change(show_background, background, [colour, picture], **quiet)
    pose.change(lambda chosen: gr.update(visible=chosen == "video"), pose, driving, **quiet)
    return OptionFields(seed, new_seed, temperature, pose, driving, blink, background, picture, colour, size)


def pipeline_options(
    *,
    temperature: float,
    pose: str,
    driving: str | None,
    blink: str,
    background: str,
    picture: str | None,
    colour: str,
    size: int,
) -> dict[str, Any]:
    """What `Studio.talk` needs; `InputError` where something is missing."""
    behind: str | None = None
    if background == "picture":
        if not picture:
            raise InputError("there is no background picture yet: add one, or choose another background")
        behind = picture
    elif background == "colour":
        behind = as_hex(colour)
    elif background == TRANSPARENT:
        behind = TRANSPARENT
    options: dict[str, Any] = {"temperature": temperature, "blink": blink, "background": behind, "size": int(size)}
    if pose == "video":
        if not driving:
            raise InputError("there is no video to take the head motion from: add one, or choose natural motion")
        return {**options, "driving": driving}
    return {**options, "pose": pose}


def as_hex(colour: str) -> str:
    """`#rrggbb` of what a colour picker gives: that, or `rgba(12, 34, 56, 1)`."""
    if match := re.fullmatch(r"rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+).*\)", colour.strip()):
        return "#" + "".join(f"{min(round(float(part)), 255):02x}" for part in match.groups())
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour.strip()):
        raise InputError(f"{colour!r} is not a colour; give one like #20a0ff")
    return colour.strip()
