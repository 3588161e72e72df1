"""The page of a blind user study: a clip, three scores, the next one; and how it is served.

The page names no method, and not this project either: one of the methods may be its own.
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import gradio as gr
from gradio.blocks import Block
from gradio.context import Context

from geneface.errors import InputError, print_error
from geneface.evaluation.study import QUESTIONS, Study, find_clips, parse_plan
from geneface.evaluation.study_votes import Votes
from geneface.resources import web
from geneface.ui.status import status
from geneface.ui.theme import CSS, build_theme
from geneface.ui.updates import QUIET

RATER = re.compile(r"[0-9a-f]{16}")
SCALE = [("1 Bad", 1), ("2 Poor", 2), ("3 Fair", 3), ("4 Good", 4), ("5 Excellent", 5)]
"""Absolute category rating (ITU-T P.910)."""
ASKED = {
    "lip_sync": "Do the lips move with what you hear?",
    "image_quality": "Is the picture sharp and free of faults?",
    "realness": "Does it look like a recording of a real person?",
}
HEADER = (
    '<header class="gf-header"><div><h1>Talking faces</h1><p>Watch, listen, and give your scores.</p></div></header>'
)
WELCOME = web("study_welcome.html")
THANKS = web("study_thanks.html")
CARDS = web("study.css")
TO_TOP = "(...values) => { window.scrollTo({top: 0}); return values; }"
OPEN = "Still open: {}."
LOST = "Your scores could not be kept. Try again in a moment; if it stays so, tell whoever runs this study."
SECONDS_TO_RATE = 15


def is_rater(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and RATER.fullmatch(value) is not None


class StudyPage:
    """The page, one rater at a time: a welcome, clip after clip with its scores, thanks.

    Args:
        clips: holds the blind copies of `Study.copy_to`.
        seconds: how long a clip is on average.
    """

    def __init__(self, study: Study, votes: Votes, clips: Path, seconds: float) -> None:
        self.study, self.votes, self.clips = study, votes, clips
        minutes = max(1, round(study.videos * (seconds + SECONDS_TO_RATE) / 60))
        # Name and key outlive the server, so that raters find their place again after a restart.
        self.rater = gr.BrowserState(None, storage_key=study.name, secret=study.name)
        self.shown = gr.Textbox(visible="hidden", label="Video", elem_id="shown")
        gr.HTML(HEADER, padding=False)
        with gr.Column(visible=False) as self.welcome:
            gr.HTML(WELCOME.format(videos=study.videos, minutes=minutes), padding=False)
            start = gr.Button("Start", variant="primary", size="lg", elem_classes="gf-go gf-narrow", elem_id="start")
        with gr.Row(visible=False, elem_classes="gf-columns", equal_height=False) as self.rating:
            with gr.Column(scale=5, min_width=300):
                self.place = gr.HTML(padding=False, elem_id="place")
                self.scores = [
                    gr.Radio(SCALE, label=title, info=ASKED[key], elem_id=key, elem_classes="gf-scores")
                    for key, title in QUESTIONS.items()
                ]
                go = gr.Button("Next video", variant="primary", size="lg", elem_classes="gf-go", elem_id="go")
                self.said = gr.HTML(padding=False, elem_id="said")
            with gr.Column(scale=6, min_width=300, elem_classes="gf-stage gf-wide"):
                self.video = gr.Video(show_label=False, interactive=False, autoplay=True, buttons=[], elem_id="clip")
        with gr.Column(visible=False) as self.thanks:
            gr.HTML(THANKS.format(videos=study.videos), padding=False)
            another = gr.Button("Somebody else rates on this device", elem_classes="gf-narrow", elem_id="another")
        page = [self.rater, self.shown, self.welcome, self.rating, self.place, *self.scores, self.said]
        page += [self.video, self.thanks]
        assert Context.root_block is not None
        Context.root_block.load(self.resume, self.rater, page, **QUIET)
        for button in (start, another):
            button.click(self.begin, None, page, **QUIET)
        go.click(self.vote, [self.rater, self.shown, *self.scores], page, js=TO_TOP, **QUIET)

    def show(self, rater: str) -> dict[Block, object]:
        """The next video of a rater, or thanks."""
        order, rated = self.study.order(rater), self.votes.rated(rater)
        left = [item for item in order if item not in rated]
        page: dict[Block, object] = {
            self.welcome: gr.update(visible=False),
            self.rating: gr.update(visible=bool(left)),
            self.thanks: gr.update(visible=not left),
            self.said: "",
            **dict.fromkeys(self.scores),
        }
        if not left:
            return {**page, self.video: None}
        token, count = self.study.token(left[0]), len(order) - len(left)
        line = status(f"Video {count + 1} of {len(order)}", "busy", count / len(order))
        return {**page, self.place: line, self.shown: token, self.video: str(self.clips / f"{token}.mp4")}

    def begin(self) -> dict[Block, object]:
        new = secrets.token_hex(8)
        return {self.rater: new, **self.show(new)}

    def resume(self, rater: object) -> dict[Block, object]:
        if is_rater(rater) and self.votes.rated(rater):
            return self.show(rater)
        return {self.welcome: gr.update(visible=True)}

    def vote(self, rater: object, token: str, *given: int | None) -> dict[Block, object]:
        """Keep the scores of a clip, and go on to the next."""
        item = self.study.items.get(token)
        if item is None or not is_rater(rater) or item not in self.study.order(rater):
            return self.resume(rater)
        scores = {key: score for key, score in zip(QUESTIONS, given, strict=True) if score is not None}
        if missing := [title for key, title in QUESTIONS.items() if key not in scores]:
            return {self.said: status(OPEN.format(", ".join(missing)), "failed")}
        try:
            self.votes.add(rater, item, scores)
            return self.show(rater)
        except InputError as error:
            print_error(str(error))
            return {self.said: status(LOST, "failed")}


def build_study(study: Study, votes: Votes, clips: Path, seconds: float) -> gr.Blocks:
    """The page; the arguments are those of `StudyPage`."""
    gr.set_static_paths(paths=[clips])
    with gr.Blocks(title="Talking faces", analytics_enabled=False) as demo:
        StudyPage(study, votes, clips, seconds)
    return demo


def launch_options() -> dict[str, Any]:
    """What `launch` of the page needs, whoever launches it."""
    return {
        "theme": build_theme(),
        "css": CSS + CARDS,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": [],
        "mcp_server": False,
    }


def serve_study(folder: str | Path, plan: Sequence[str] = (), *, host: str, port: int | None) -> None:
    """Check the clips of a folder, and serve the page until interrupted.

    `plan` has settings like `raters=12`; the others stay as they were, at first the paper's.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    find_clips(Path(folder))
    votes = Votes(folder, create=True)
    votes.keep_plan(parse_plan(plan, votes.plan))
    study = Study(folder, votes.plan, votes.secret)
    seconds = study.check()
    for text in study.lacks():
        print(f"warning: {text}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="study-") as clips:
        study.copy_to(Path(clips))
        demo = build_study(study, votes, Path(clips).resolve(), seconds)
        try:
            demo.launch(server_name=host, server_port=port, **launch_options())
        except OSError:
            at = f"port {port} of {host}" if port else host
            raise InputError(
                f"the page cannot be served at {at}: it is taken, or not ours; give another one"
            ) from None
