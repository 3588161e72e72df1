"""The Train tab: a video in, a person out, to be tried and published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import Context

from geneface.bundles.card import Figure, read_card
from geneface.errors import InputError
from geneface.hub.assets import ASSETS, find_asset
from geneface.ui import train_view as view
from geneface.ui.job_status import JobStatus, State, check_video
from geneface.ui.jobs import TrainingJobs
from geneface.ui.refusals import asked, told
from geneface.ui.train_api import TrainApi, training_needs
from geneface.ui.train_sheet import mark, picture, sheet_html
from geneface.ui.updates import PRIVATE, Updates
from geneface.utils.words import sentence

LOOK_EVERY = 2.0
"""Seconds between two looks at a training."""
FETCHES = "The first training fetches three free face models from the internet, once."
TOKEN_INFO = "Empty: the one this machine is logged in with (hf auth login). It is used once and not kept."


class TrainPage:
    """The tab: a form for a new training, and the page of one that was begun. Only one of both is to be seen.

    Laid out and connected within the current `gr.Blocks` and tab.

    Attributes:
        person: a hidden textbox: the name of a person's folder as soon as that person is ready; its `change` tells.
        try_it: the button that asks for that person in the Talk tab.
        video: the visitor's upload, which is gone from here as soon as a training takes it over.
    """

    def __init__(self, jobs: TrainingJobs) -> None:
        self.jobs, self.api = jobs, TrainApi(jobs)
        with gr.Column() as self.form:
            self._lay_out_form()
        with gr.Column(visible=False) as self.job_page:
            with gr.Row(equal_height=False):
                with gr.Column(scale=7, min_width=300):
                    self.card = gr.HTML(elem_classes="gf-flush")
                    self.failed = gr.HTML(visible=False, elem_classes="gf-flush")
                    self._lay_out_buttons()
                    with gr.Accordion(
                        "Publish on the Hugging Face Hub", open=False, visible=False, elem_classes="gf-publish"
                    ) as self.publishing:
                        self._lay_out_publishing()
                with gr.Column(scale=4, min_width=260, visible=False, elem_classes="gf-stage") as self.portrait_column:
                    self.portrait = gr.Image(show_label=False, interactive=False, buttons=[])
            self._lay_out_pictures()
        self.person = gr.Textbox(label="Person", visible="hidden")
        self.job = gr.Textbox(label="Person", visible="hidden")
        self.seen = gr.State({})
        """What the page shows by now."""
        self.timer = gr.Timer(LOOK_EVERY, active=False)
        self._offer_api()
        self._connect()

    @property
    def uploads(self) -> list[Component]:
        """Components that take a visitor's files."""
        return [self.video]

    # What it is made of

    def _lay_out_form(self) -> None:
        gr.HTML(view.INTRO, elem_classes="gf-flush")
        if needs := training_needs():
            gr.HTML(view.notice(needs), elem_classes="gf-flush")
        elif not all(find_asset(asset) for asset in ASSETS):
            gr.HTML(view.aside(FETCHES), elem_classes="gf-flush")
        with gr.Row(visible=False, equal_height=True) as self.again:
            self.unfinished = gr.Radio([], label="Not finished yet", scale=5, min_width=220)
            self.reopen = gr.Button("Open", scale=1, min_width=120)
        with gr.Row(elem_classes="gf-columns gf-form", equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.name = gr.Textbox(label="Name", placeholder="Anna", max_length=60)
                self.consent = gr.Textbox(
                    view.CONSENT, label="Consent", info="Whose face is it, and what did they agree to?", lines=3
                )
                self.agreed = gr.Checkbox(label="This is true: the person in the video has agreed.")
                self.refused = gr.HTML(visible=False, elem_classes="gf-flush")
                self.begin = gr.Button("Prepare the video", variant="primary", size="lg", elem_classes="gf-go")
            with gr.Column(scale=6, min_width=300):
                self.video = gr.Video(
                    label="Video of one person speaking",
                    sources=["upload", "webcam"],
                    include_audio=True,
                    buttons=[],
                    elem_classes="gf-upload",
                    elem_id="train-video",
                )

    def _lay_out_buttons(self) -> None:
        with gr.Row():
            self.go = gr.Button("Start training", variant="primary", size="lg", scale=2, elem_classes="gf-go")
            self.try_it = gr.Button("Try it", variant="primary", size="lg", scale=2, elem_classes="gf-go")
            self.stop = gr.Button("Stop", variant="stop", size="lg", scale=2)
            self.other = gr.Button("Choose another video", size="lg")
            self.discard = gr.Button("Discard", size="lg")
            self.leave = gr.Button("Train another person", size="lg")
        with gr.Column(visible=False) as self.confirm:
            gr.HTML(view.notice(view.DISCARD), elem_classes="gf-flush")
            with gr.Row():
                self.sure = gr.Button("Yes, delete it", variant="stop")
                self.keep = gr.Button("Keep it")
        self.buttons: dict[gr.Button, tuple[State, ...]] = {
            self.go: ("review", "stopped", "failed"),
            self.try_it: ("done",),
            self.stop: ("preparing", "training"),
            self.other: ("review",),
            self.discard: ("preparing", "training", "stopped", "failed"),
            self.leave: ("stopped", "failed", "done"),
        }
        """In which states each is to be seen."""

    def _lay_out_publishing(self) -> None:
        self.repo_id = gr.Textbox(label="Repository", placeholder="your-name/anna")
        self.statement = gr.Textbox(label="Consent", info="Stands on the person's page.", lines=3)
        self.token = gr.Textbox(label="Access token", info=TOKEN_INFO, type="password")
        self.public = gr.Checkbox(label="For everybody", info="Otherwise private: you decide who sees it.")
        self.allowed = gr.Checkbox(label="The person has agreed to be published.")
        self.publish = gr.Button("Publish", variant="primary")
        self.result = gr.HTML(elem_classes="gf-flush")

    def _lay_out_pictures(self) -> None:
        options: dict[str, Any] = {
            "show_label": False,
            "interactive": False,
            "buttons": ["fullscreen"],
            "elem_classes": "gf-pictures",
        }
        self.sheet = gr.HTML(visible=False, padding=False, elem_classes="gf-pictures")
        with gr.Column(visible=False) as self.previewing:
            gr.HTML(view.PREVIEW, elem_classes="gf-flush")
            self.preview = gr.Image(label="Real above, generated below", **options)

    # What it shows

    def draw(self, of: str, before: dict[str, object]) -> Updates:
        """Updates of what differs from `before`."""
        try:
            status = self.jobs.status(of) if of else None
        except InputError:
            status = None
        now: dict[str, object] = {"of": of, "state": status.state if status else ""}
        changed: Updates = {}
        if now["state"] != before.get("state") or of != before.get("of"):
            before = {}
            changed = self._turned_to(status)
        if status is None:
            return {**changed, self.seen: now}
        now["card"] = view.state_card(status, self._figures(status))
        if now["card"] != before.get("card"):
            changed[self.card] = now["card"]
        shown = {
            self.sheet: status.contact_sheet if status.state == "review" else None,
            self.preview: status.preview if status.state != "done" else None,
            self.portrait: status.preview if status.state == "done" else None,
        }
        for number, (component, path) in enumerate(shown.items()):
            now[f"picture {number}"] = seen = mark(path)
            if seen != before.get(f"picture {number}", "new"):
                changed |= self._pictured(component, path, status.measured)
        return {**changed, self.seen: now} if changed else {self.seen: gr.skip()}

    def _turned_to(self, status: JobStatus | None) -> Updates:
        """Updates for another person or state; None is the form."""
        state = status.state if status else ""
        changed: Updates = {
            self.form: gr.update(visible=status is None),
            self.job_page: gr.update(visible=status is not None),
            self.confirm: gr.update(visible=False),
            self.timer: gr.Timer(active=bool(status and status.running)),
            **{button: gr.update(visible=state in states) for button, states in self.buttons.items()},
        }
        return changed | (self._listed() if status is None else self._offered(status))

    def _listed(self) -> Updates:
        """The trainings that are not finished."""
        choices = [(view.unfinished_label(each), each.person) for each in self.jobs.unfinished()]
        first = choices[0][1] if choices else None
        return {
            self.again: gr.update(visible=bool(choices)),
            self.unfinished: gr.update(choices=choices, value=first),
        }

    def _offered(self, status: JobStatus) -> Updates:
        """What can be done with a training in its state."""
        done = status.state == "done"
        unprepared = status.state == "failed" and status.contact_sheet is None
        labels = {"review": "Start training", "stopped": "Go on", "failed": "Try again"}
        changed: Updates = {
            self.go: gr.update(value=labels.get(status.state, ""), visible=status.state in labels),
            self.other: gr.update(visible=status.state == "review" or unprepared),
            self.discard: gr.update(visible=status.state in self.buttons[self.discard] and not unprepared),
            self.leave: gr.update(visible=status.state in self.buttons[self.leave] and not unprepared),
            self.publishing: gr.update(visible=done),
            self.portrait_column: gr.update(visible=done),
        }
        if done:
            changed |= {self.person: status.person, self.statement: self.jobs.consent(status.person), self.result: ""}
            changed |= {self.repo_id: gr.update(placeholder=f"your-name/{status.person}")}
        return changed

    def _pictured(self, component: Component, path: Path | None, measured: dict[str, float]) -> Updates:
        if component is self.sheet:
            return {component: gr.update(value=sheet_html(path, measured), visible=path is not None)}
        shown = picture(path)
        if component is not self.preview:
            return {component: gr.update(value=shown, visible=shown is not None)}
        return {component: gr.update(value=shown), self.previewing: gr.update(visible=shown is not None)}

    def _figures(self, status: JobStatus) -> dict[str, Figure | str]:
        card = read_card(self.jobs.person_folder(status.person)) if status.state == "done" else None
        return card.figures if card else {}

    # What a visitor does

    def _offer_api(self) -> None:
        """Before the page's own events, which would take the names."""
        api = self.api
        for endpoint in (
            api.train_status,
            api.train_list,
            api.train_resume,
            api.train_stop,
            api.train_discard,
            api.train_publish,
        ):
            gr.api(endpoint, api_name=endpoint.__name__)

    def _connect(self) -> None:
        job = self.job
        page = [self.form, self.job_page, self.again, self.unfinished, self.card, *self.buttons, self.confirm]
        page += [self.publishing, self.repo_id, self.statement, self.result, self.portrait_column, self.portrait]
        page += [self.sheet, self.previewing, self.preview, self.person, self.timer, self.seen]
        drawn: dict[str, Any] = {"fn": self.draw, "inputs": [job, self.seen], "outputs": page, **PRIVATE}
        assert Context.root_block is not None
        arrived = Context.root_block.load(
            lambda: self.jobs.running() or self.jobs.latest, None, job, **PRIVATE, queue=False
        )
        arrived.then(**drawn, queue=False)
        self.timer.tick(**drawn, queue=False)
        given = [self.video, self.name, self.consent, self.agreed]
        self._offer_start(given)
        begun = [job, self.refused, *given]
        self.begin.click(self._begin, given, begun, **PRIVATE).then(**drawn)
        self.video.upload(self._look_at, self.video, self.refused, **PRIVATE, queue=False)
        self.reopen.click(lambda of: of, self.unfinished, job, **PRIVATE).then(**drawn)
        self.go.click(asked(self.jobs.resume), job, self.failed, **PRIVATE).then(**drawn)
        self.stop.click(asked(self.jobs.stop), job, self.failed, **PRIVATE).then(**drawn)
        self.other.click(self._choose_other, job, [self.name, self.consent, job, self.failed], **PRIVATE).then(**drawn)
        question = [self.confirm, self.discard]
        self.discard.click(lambda: [gr.update(visible=True), gr.update(visible=False)], None, question, **PRIVATE)
        self.keep.click(lambda: [gr.update(visible=False), gr.update(visible=True)], None, question, **PRIVATE)
        self.sure.click(self._discard, job, [job, self.failed], **PRIVATE).then(**drawn)
        self.leave.click(self._put_aside, job, job, **PRIVATE).then(**drawn)
        self.publish.click(
            self._publish,
            [job, self.repo_id, self.statement, self.allowed, self.public, self.token],
            [self.result, self.token],
            api_visibility="private",
            show_progress_on=self.result,
        )

    def _offer_start(self, given: Sequence[Component]) -> None:
        with gr.Row(visible=False):
            by_api, person = gr.Button(), gr.Textbox(label="person")
        by_api.click(self.api.train_start, given, person, api_name="train_start")

    def _begin(self, video: str | None, name: str, consent: str, agreed: bool) -> Updates:
        """All that is missing is said at once, where the button is."""
        missing = self.api.missing(video, name, consent, agreed)
        try:
            if not missing:
                person = self.jobs.begin(str(video), name, consent)
                emptied: Updates = {self.video: None, self.name: "", self.consent: view.CONSENT, self.agreed: False}
                return {self.job: person, self.refused: told([]), **emptied}
        except InputError as error:
            missing = [sentence(str(error))]
        return {self.refused: told(missing)}

    def _look_at(self, video: str) -> dict[str, object]:
        """What can be seen at once to be wrong with an upload."""
        try:
            check_video(Path(video))
        except InputError as error:
            return told([sentence(str(error))])
        return told([])

    def _discard(self, of: str) -> Updates:
        said = asked(self.jobs.discard)(of)
        return {self.failed: said} if said["value"] else {self.job: "", self.failed: said}

    def _choose_other(self, of: str) -> Updates:
        words: Updates = {self.name: self.jobs.status(of).name, self.consent: self.jobs.consent(of)}
        return {**self._discard(of), **words}

    def _put_aside(self, of: str) -> str:
        self.jobs.put_aside(of)
        return ""

    def _publish(self, *given: Any) -> tuple[str, object]:
        try:
            address = self.api.train_publish(*given)
        except gr.Error as error:
            return view.refused([error.message]), gr.skip()
        return view.published(address, private=not given[4]), ""
