"""The stage of the Talk tab: what is seen before, while, and after a person speaks, as updates of its components."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geneface.resources import web
from geneface.ui.persons import Persons, display_name
from geneface.ui.plot import SCRIPT
from geneface.ui.portrait import FOLLOW, portrait_html
from geneface.ui.status import status
from geneface.ui.takes import Take, build_strip, pictures

if TYPE_CHECKING:
    import gradio as gr
    from gradio.blocks import Block
    from gradio.components import Component

    from geneface.ui.updates import Updates

SHOW_STAGE = web("show_stage.js")
FROM_START = "(...given) => { window.gfTime = 0; return given; }"
PLAY_ON = web("play_on.js")
"""The finished file goes on where the growing one was."""
READY = "Pick a voice, then make {} talk."
HEARD = "The voice is there: now make {} talk."
FIRST_PLOT = '<div class="gf-plot gf-empty">The voice and the motion of the mouth appear here.</div>'
GO = "Make {} talk"


@dataclass(frozen=True)
class Stage:
    """What is to be seen of a piece of work; `person` is who is chosen."""

    person: "gr.Radio"
    portrait: "gr.HTML"
    live: "gr.Video"
    video: "gr.Video"
    said: "gr.HTML"
    plot: "gr.HTML"
    seed: "Component"
    go: "gr.Button"
    cancel: "gr.Button"
    next: "gr.Row"
    """What can be done with a finished video."""
    download: "gr.DownloadButton"
    subtitles: "gr.DownloadButton"
    """Downloads the file of subtitles, if there is one."""
    again: "gr.Button"
    rows: "gr.HTML"
    """How several recordings are getting on."""
    every: "gr.DownloadButton"
    """Downloads all that was made of them."""
    strip: "gr.Gallery"
    """The visit's takes, newest first."""
    busy: "gr.State"
    """Who is about to speak, or nobody."""
    shown: "gr.State"
    """The key of the take that is to be seen, or nothing."""

    @property
    def everything(self) -> "list[Block]":
        return list(vars(self).values())

    def empty(self, persons: Persons, person: str, line: str) -> "Updates":
        """The portrait alone, and a line below it."""
        import gradio as gr

        return {
            self.portrait: gr.update(value=portrait_html(persons.preview(person), person), visible=True),
            self.go: gr.update(value=GO.format(display_name(person))),
            **self._without_video(),
            self.said: line,
        }

    def renewed(self, line: str) -> "Updates":
        """As before any video, with the portrait that is there."""
        return {**self._without_video(), self.said: line}

    def begun(self, person: str) -> "Updates":
        """At work. Nobody else can be chosen before the end: their portrait would be taken for who speaks."""
        import gradio as gr

        return {
            **self._without_video(),
            self.person: gr.update(interactive=False),
            self.said: status("Starting …", "busy"),
            self.again: gr.update(interactive=False),
            self.go: gr.update(visible=False),
            self.cancel: gr.update(visible=True),
            self.busy: person,
        }

    def at_rest(self, line: str) -> "Updates":
        """Neither at work nor done: a line says why."""
        return {**self._without_live(), self.said: line}

    def stopped(self) -> "Updates":
        """The visitor has cancelled."""
        return {**self.at_rest(status("Stopped.")), **self.settled()}

    def settled(self) -> "Updates":
        """After the last word of a piece of work: somebody else, or another take, can be asked for.

        Not together with it: Gradio tells the last updates twice, and whoever chooses another person in between
        would see the video of the one before; nor does it begin anew what has not quite ended.
        """
        import gradio as gr

        return {
            self.person: gr.update(interactive=True),
            self.again: gr.update(interactive=True),
            self.go: gr.update(visible=True),
            self.cancel: gr.update(visible=False),
            self.busy: "",
        }

    def done(self, take: Take, takes: Sequence[Take]) -> "Updates":
        """A take that was just made, and the strip of all."""
        return {**self.shows(take), self.seed: take.seed, self.strip: pictures(takes)}

    def all_done(self, path: str, made: int, asked: int) -> "Updates":
        """After several recordings; `path` is a file of all videos."""
        import gradio as gr

        if not made:
            return self.at_rest(status("None of them could be made; the list says why.", "failed"))
        line = status(f"Done: {made} of {asked} videos.", "done", small="Each is among your takes, too.")
        return {self.every: gr.update(value=path, visible=True, label=f"Download all {made}"), self.said: line}

    def shows(self, take: Take) -> "Updates":
        """A finished video. The growing one stays below it until it has a picture, and plays on."""
        import gradio as gr

        clear = Path(take.video).suffix == ".webm"
        return {
            self.video: gr.update(value=take.video, visible=True, elem_classes="gf-clear" if clear else ""),
            self.said: status(take.said, "done", small=take.small),
            self.next: gr.update(visible=True),
            self.download: gr.update(value=take.video),
            self.subtitles: gr.update(value=take.subtitles or None, visible=bool(take.subtitles)),
            self.shown: take.key,
        }

    def without(self, takes: Sequence[Take]) -> "Updates":
        """After the take on the stage was deleted."""
        return {**self.renewed(status("The take is deleted.")), self.strip: pictures(takes)}

    def _without_live(self) -> "Updates":
        import gradio as gr

        return {self.live: gr.update(visible=False)}

    def _without_video(self) -> "Updates":
        import gradio as gr

        return {
            **self._without_live(),
            self.video: gr.update(visible=False, value=None),
            self.next: gr.update(visible=False),
            self.plot: gr.update(value=FIRST_PLOT, visible=True),
            self.rows: gr.update(value="", visible=False),
            self.every: gr.update(visible=False),
            self.shown: "",
        }


@dataclass(frozen=True)
class TakeButtons:
    """What else can be done with the take on the stage."""

    check: "gr.Button"
    settings: "gr.Button"
    delete: "gr.Button"


def build_stage(
    persons: Persons, person: "gr.Radio", seed: "Component", go: "gr.Button", cancel: "gr.Button"
) -> tuple[Stage, TakeButtons]:
    """Lay out the stage, within the current layout."""
    import gradio as gr

    first = persons.names[0]
    with gr.Column(elem_id="screen"):
        portrait = gr.HTML(
            portrait_html(persons.preview(first), first), padding=False, elem_id="portrait", js_on_load=FOLLOW
        )
        live = gr.Video(
            visible=False, streaming=True, autoplay=True, show_label=False, interactive=False, buttons=[],
            elem_id="live",
        )  # fmt: skip
        video = gr.Video(visible=False, show_label=False, interactive=False, buttons=["download"], elem_id="video")
    said = gr.HTML(status(READY.format(display_name(first))), padding=False, elem_id="talk-status")
    with gr.Row(visible=False, elem_classes="gf-next") as following:
        download = gr.DownloadButton("Download", variant="primary", min_width=90, elem_id="download")
        subtitles = gr.DownloadButton("Subtitles", visible=False, min_width=90, elem_id="download-subtitles")
        again = gr.Button("Another take", min_width=90, elem_id="again", elem_classes="gf-swap")
        check = gr.Button("Check it", min_width=90, elem_id="check-it")
        settings = gr.Button("Its settings", min_width=90, elem_id="its-settings")
        delete = gr.Button("Delete", min_width=90, elem_id="delete-take")
    every = gr.DownloadButton("Download all", visible=False, elem_id="download-all")
    rows = gr.HTML(visible=False, padding=False, elem_id="rows")
    plot = gr.HTML(FIRST_PLOT, padding=False, elem_id="plot", js_on_load=SCRIPT)
    strip = build_strip()
    busy, shown = gr.State(""), gr.State("")
    stage = Stage(
        person, portrait, live, video, said, plot, seed, go, cancel, following, download, subtitles, again, rows,
        every, strip, busy, shown,
    )  # fmt: skip
    return stage, TakeButtons(check, settings, delete)
