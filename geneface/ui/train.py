"""The Train tab: a video in, a person out, to be tried and published."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geneface.assets import ASSETS, find_asset
from geneface.card import Figure, read_card
from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.ui import train_view as view
from geneface.ui.job_status import JobStatus
from geneface.ui.jobs import TrainingJobs
from geneface.ui.train_api import TrainApi, told, training_needs

LOOK_EVERY = 2.0
"""Seconds between two looks at a training."""
FETCHES = "The first training fetches three free face models from the internet, once."
TOKEN_INFO = "Empty: the one this machine is logged in with (hf auth login). It is used once and not kept."


@dataclass(frozen=True)
class TrainTab:
    """What the page connects to the other tabs."""

    person: Any
    """A hidden textbox: the name of a person's folder as soon as that person is ready; its `change` tells."""
    try_it: Any
    """The button that asks for that person in the Talk tab."""
    video: Any
    """The visitor's upload, which is gone from here as soon as a training takes it over."""


def build_train(jobs: TrainingJobs) -> TrainTab:
    """Lay out the components and connect them, within the current `gr.Blocks` and tab."""
    import gradio as gr
    from gradio.context import Context

    api = TrainApi(jobs)
    with gr.Column() as form:
        gr.HTML(view.INTRO, elem_classes="gf-flush")
        if needs := training_needs():
            gr.HTML(view.notice(needs), elem_classes="gf-flush")
        elif not all(find_asset(asset) for asset in ASSETS):
            gr.HTML(view.aside(FETCHES), elem_classes="gf-flush")
        with gr.Row(visible=False, equal_height=True) as again:
            unfinished = gr.Radio([], label="Not finished yet", scale=5, min_width=220)
            reopen = gr.Button("Open", scale=1, min_width=120)
        with gr.Row(elem_classes="gf-columns gf-form", equal_height=False):
            with gr.Column(scale=5, min_width=300):
                name = gr.Textbox(label="Name", placeholder="Anna", max_length=60)
                consent = gr.Textbox(
                    view.CONSENT, label="Consent", info="Whose face is it, and what did they agree to?", lines=3
                )
                agreed = gr.Checkbox(label="This is true: the person in the video has agreed.")
                begin = gr.Button("Prepare the video", variant="primary", size="lg", elem_classes="gf-go")
            with gr.Column(scale=6, min_width=300):
                video = gr.Video(
                    label="Video of one person speaking",
                    sources=["upload", "webcam"],
                    include_audio=True,
                    buttons=[],
                    elem_classes="gf-upload",
                    elem_id="train-video",
                )
    with gr.Column(visible=False) as job_page:
        with gr.Row(equal_height=False):
            with gr.Column(scale=7, min_width=300):
                card = gr.HTML(elem_classes="gf-flush")
                with gr.Row():
                    go = gr.Button("Start training", variant="primary", size="lg", scale=2, elem_classes="gf-go")
                    try_it = gr.Button("Try it", variant="primary", size="lg", scale=2, elem_classes="gf-go")
                    stop = gr.Button("Stop", variant="stop", size="lg", scale=2)
                    other = gr.Button("Choose another video", size="lg")
                    discard = gr.Button("Discard", size="lg")
                    leave = gr.Button("Train another person", size="lg")
                with gr.Column(visible=False) as confirm:
                    gr.HTML(view.notice(view.DISCARD), elem_classes="gf-flush")
                    with gr.Row():
                        sure = gr.Button("Yes, delete it", variant="stop")
                        keep = gr.Button("Keep it")
                with gr.Accordion(
                    "Publish on the Hugging Face Hub", open=False, visible=False, elem_classes="gf-publish"
                ) as publishing:
                    repo_id = gr.Textbox(label="Repository", placeholder="your-name/anna")
                    statement = gr.Textbox(label="Consent", info="Stands on the person's page.", lines=3)
                    token = gr.Textbox(label="Access token", info=TOKEN_INFO, type="password")
                    public = gr.Checkbox(label="For everybody", info="Otherwise private: you decide who sees it.")
                    allowed = gr.Checkbox(label="The person has agreed to be published.")
                    publish = gr.Button("Publish", variant="primary")
                    result = gr.HTML(elem_classes="gf-flush")
            with gr.Column(scale=4, min_width=260, visible=False, elem_classes="gf-stage") as portrait_column:
                portrait = gr.Image(show_label=False, interactive=False, buttons=[])
        pictures: dict[str, Any] = {
            "show_label": False,
            "interactive": False,
            "buttons": ["fullscreen"],
            "elem_classes": "gf-pictures",
        }
        sheet = gr.Image(label="Overview of the video", visible=False, **pictures)
        with gr.Column(visible=False) as previewing:
            gr.HTML(view.PREVIEW, elem_classes="gf-flush")
            preview = gr.Image(label="Real above, generated below", **pictures)
    person = gr.Textbox(label="Person", visible="hidden")
    job = gr.Textbox(label="Person", visible="hidden")
    seen = gr.State({})
    timer = gr.Timer(LOOK_EVERY, active=False)
    buttons = {
        go: ("review", "stopped", "failed"),
        try_it: ("done",),
        stop: ("preparing", "training"),
        other: ("review",),
        discard: ("preparing", "training", "stopped", "failed"),
        leave: ("stopped", "failed", "done"),
    }
    page = [form, job_page, again, unfinished, card, *buttons, confirm, publishing, repo_id, statement, result]
    page += [portrait_column, portrait, sheet, previewing, preview, person, timer, seen]

    def draw(of: str, before: dict[str, Any]) -> dict[Any, Any]:
        """Updates of what differs from `before`."""
        try:
            status = jobs.status(of) if of else None
        except InputError:
            status = None
        now: dict[str, Any] = {"of": of, "state": status.state if status else ""}
        changed: dict[Any, Any] = {}
        if now["state"] != before.get("state") or of != before.get("of"):
            before = {}
            changed = {
                form: gr.update(visible=status is None),
                job_page: gr.update(visible=status is not None),
                confirm: gr.update(visible=False),
                timer: gr.Timer(active=bool(status and status.running)),
                **{button: gr.update(visible=now["state"] in states) for button, states in buttons.items()},
            }
            changed |= _list() if status is None else _decide(status)
        if status is None:
            return {**changed, seen: now}
        now["card"] = view.state_card(status, _figures(status))
        if now["card"] != before.get("card"):
            changed[card] = now["card"]
        shown = {
            sheet: status.contact_sheet if status.state == "review" else None,
            preview: status.preview if status.state != "done" else None,
            portrait: status.preview if status.state == "done" else None,
        }
        for number, (component, path) in enumerate(shown.items()):
            now[f"picture {number}"] = mark = _mark(path)
            if mark != before.get(f"picture {number}", "new"):
                picture = _picture(path)
                changed[component] = gr.update(value=picture, visible=picture is not None or component is preview)
                if component is preview:
                    changed[previewing] = gr.update(visible=picture is not None)
        return {**changed, seen: now} if changed else {seen: gr.skip()}

    def _list() -> dict[Any, Any]:
        choices = [(view.unfinished_label(each), each.person) for each in jobs.unfinished()]
        first = choices[0][1] if choices else None
        return {again: gr.update(visible=bool(choices)), unfinished: gr.update(choices=choices, value=first)}

    def _decide(status: JobStatus) -> dict[Any, Any]:
        done = status.state == "done"
        unprepared = status.state == "failed" and status.contact_sheet is None
        labels = {"review": "Start training", "stopped": "Go on", "failed": "Try again"}
        changed: dict[Any, Any] = {
            go: gr.update(value=labels.get(status.state, ""), visible=status.state in labels),
            other: gr.update(visible=status.state == "review" or unprepared),
            discard: gr.update(visible=status.state in buttons[discard] and not unprepared),
            leave: gr.update(visible=status.state in buttons[leave] and not unprepared),
            publishing: gr.update(visible=done),
            portrait_column: gr.update(visible=done),
        }
        if done:
            changed |= {person: status.person, statement: jobs.consent(status.person), result: ""}
            changed |= {repo_id: gr.update(placeholder=f"your-name/{status.person}")}
        return changed

    def _figures(status: JobStatus) -> dict[str, Figure | str]:
        words = read_card(jobs.person_folder(status.person)) if status.state == "done" else None
        return words.figures if words else {}

    def publish_here(*given: Any) -> tuple[str, str]:
        return view.published(api.train_publish(*given), private=not given[4]), ""

    def arrive() -> str:
        return jobs.running() or jobs.latest

    def asked(act: Callable[[str], None]) -> Callable[[str], None]:
        def acted(of: str) -> None:
            with told():
                act(of)

        return acted

    def choose_other(of: str) -> dict[Any, Any]:
        with told():
            words = {name: jobs.status(of).name, consent: jobs.consent(of)}
            jobs.discard(of)
        return {**words, job: ""}

    def put_aside(of: str) -> str:
        jobs.put_aside(of)
        return ""

    # Before the page's own events, which would take the names.
    for endpoint in (
        api.train_status,
        api.train_list,
        api.train_resume,
        api.train_stop,
        api.train_discard,
        api.train_publish,
    ):
        gr.api(endpoint, api_name=endpoint.__name__)
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    drawn: dict[str, Any] = {"fn": draw, "inputs": [job, seen], "outputs": page, **quiet}
    assert Context.root_block is not None
    Context.root_block.load(arrive, None, job, **quiet, queue=False).then(**drawn, queue=False)
    timer.tick(**drawn, queue=False)
    started = begin.click(
        api.train_start, [video, name, consent, agreed], job, api_name="train_start", show_progress="minimal"
    )
    started.success(lambda: [None, "", view.CONSENT, False], None, [video, name, consent, agreed], **quiet).then(
        **drawn
    )
    reopen.click(lambda of: of, unfinished, job, **quiet).then(**drawn)
    go.click(asked(jobs.resume), job, None, **quiet).then(**drawn)
    stop.click(asked(jobs.stop), job, None, **quiet).then(**drawn)
    other.click(choose_other, job, [name, consent, job], **quiet).then(**drawn)
    discard.click(lambda: [gr.update(visible=True), gr.update(visible=False)], None, [confirm, discard], **quiet)
    keep.click(lambda: [gr.update(visible=False), gr.update(visible=True)], None, [confirm, discard], **quiet)
    sure.click(asked(jobs.discard), job, None, **quiet).success(lambda: "", None, job, **quiet).then(**drawn)
    leave.click(put_aside, job, job, **quiet).then(**drawn)
    publish.click(
        publish_here,
        [job, repo_id, statement, allowed, public, token],
        [result, token],
        api_visibility="private",
        show_progress_on=result,
    )
    return TrainTab(person, try_it, video)


def _mark(path: Path | None) -> tuple[str, int] | None:
    """Tells one picture from the next."""
    try:
        return (str(path), path.stat().st_mtime_ns) if path else None
    except FileNotFoundError:
        return None


def _picture(path: Path | None) -> Any:
    """The picture itself, since a server shows no file of a hidden folder; None while there is none."""
    try:
        return read_image(path) if path else None
    except InputError:
        return None
