"""What functions of the page give Gradio, and how its events are set."""

from typing import Literal, TypedDict

from gradio.blocks import Block

Updates = dict[Block, object]
"""Components, and for each its new value or a `gr.update`."""


class Private(TypedDict):
    """Settings of an event that is none of the API's."""

    api_visibility: Literal["private"]
    show_progress: Literal["hidden"]


class Quiet(Private):
    """The same of one that takes no time."""

    queue: bool


class Line(TypedDict):
    """In which line an event waits."""

    concurrency_limit: int
    concurrency_id: str


PRIVATE: Private = {"api_visibility": "private", "show_progress": "hidden"}
QUIET: Quiet = {**PRIVATE, "queue": False}
