"""The line that says what is going on: nothing yet, a step with its progress, done, or what went wrong."""

import re
import sys
import traceback
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, TypeVar

from geneface.errors import InputError
from geneface.ui.live import Preparing, Step, Waiting
from geneface.utils.stopping import Stopped
from geneface.utils.words import duration, sentence

if TYPE_CHECKING:
    import gradio as gr

Function = TypeVar("Function", bound=Callable[..., object])
UNKNOWN = "Something went wrong on the server; its log says what. Try again, or with another recording."
MISSING = "That file is no longer on the server, which forgets files after a while: choose it again."


def status(text: str, kind: str = "idle", share: float | None = None, small: str = "") -> str:
    """One line of HTML.

    Args:
        small: What is of less interest.
        kind: "idle", "busy", "done" or "failed".
        share: How much is done, from 0 to 1; None if that is not known.
    """
    if kind == "busy":
        # Not a live region: it changes several times a second.
        moving, width, value = " gf-bar-unknown", "", ""
        if share is not None:
            moving, width, value = "", f' style="width:{100 * share:.1f}%"', f' aria-valuenow="{100 * share:.0f}"'
        bar = f'<span class="gf-bar{moving}" role="progressbar" aria-label="Progress"{value}><i{width}></i></span>'
        return f'<div class="gf-status gf-busy"><span>{escape(text)}</span>{bar}</div>'
    role = "alert" if kind == "failed" else "status"
    rest = f"<small>{escape(small)}</small>" if small else ""
    return f'<div class="gf-status gf-{kind}" role="{role}"><span>{escape(text)}</span>{rest}</div>'


def progress(step: Preparing | Step | Waiting, doing: str = "Speaking") -> str:
    if isinstance(step, Waiting):
        before = "one video is" if step.ahead == 1 else f"{step.ahead} videos are"
        return status(f"Waiting in line: {before} made before yours …", "busy")
    if isinstance(step, Preparing):
        return status(f"{step.text} …", "busy")
    left = f", {duration(step.seconds_left)} left" if step.seconds_left is not None else ""
    return status(f"{doing}: {step.done} of {step.total} frames{left}", "busy", step.done / step.total)


def explain(error: BaseException, files: Sequence[str | None] = ()) -> str:
    """What to tell a person about an error; what is not meant for them goes to the server's log.

    Args:
        files: Paths on the server which are the visitor's own files, not to be shown.
    """
    if isinstance(error, Stopped):
        return "Stopped."
    if isinstance(error, FileNotFoundError):
        return MISSING
    if not isinstance(error, InputError):
        traceback.print_exception(error, file=sys.stderr)
        return UNKNOWN
    text = str(error)
    for file in filter(None, files):
        if f"{file} does not exist" in text:
            return MISSING
    return sentence(re.sub(r" \(\[Errno [^)]*\)", "", text), {str(file): "the file" for file in files if file})


def as_gradio(error: BaseException, files: Sequence[str | None] = ()) -> "gr.Error":
    """The same as a `gr.Error`, for those who call by the API."""
    import gradio as gr

    return gr.Error(explain(error, files), print_exception=False)


def tool(function: Function) -> Function:
    """A function of the API by a name that says whose it is: agents know it by that, beside other servers' tools."""
    function.__name__ = f"geneface_{function.__name__}"
    return function
