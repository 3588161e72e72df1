"""Talk: a person, something to say, a button, a talking portrait."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import Context

from geneface.resources import web
from geneface.ui.gallery import Gallery, build_gallery
from geneface.ui.live import can_stream
from geneface.ui.making import Making
from geneface.ui.options import build_options
from geneface.ui.perform import Performer
from geneface.ui.persons import Persons, display_name
from geneface.ui.plot import Voice, draw
from geneface.ui.portrait import portrait_html, turns_html
from geneface.ui.speech import NO_SPEAKER, RECORDING, TEXT, Given, Speech, build_speech, can_speak
from geneface.ui.stage import FROM_START, GO, HEARD, PLAY_ON, READY, SHOW_STAGE, Stage, TakeButtons, build_stage
from geneface.ui.status import explain, status
from geneface.ui.studio import LINE, MOST_WAITING, Studio
from geneface.ui.takes import pictures
from geneface.ui.talk_api import offer_generate
from geneface.ui.updates import PRIVATE, QUIET, Line, Updates
from geneface.ui.visits import Visits

VISIT = web("visit.js")
"""The key of this visit, which the browser's tab keeps."""
TYPE = "Type a text, then make {} talk."
CHOOSE = "Choose some recordings, then make {} talk."
THEIRS = "These are the settings of that take: change what you like, then make {} talk."
STILL = "A video is being made in another window of yours: wait for it, or cancel it there."


@dataclass(frozen=True)
class Talk:
    """What the page connects to."""

    gallery: Gallery
    stage: Stage
    awake: Callable[[str], str]
    """The person's portrait that looks where the pointer is."""
    uploads: list[Component]
    """Components that take a visitor's files."""
    buttons: TakeButtons
    inputs: list[Component]
    """The form's components."""
    new_seed: Component


def build_talk(studio: Studio, persons: Persons, examples: Mapping[str, Path], visits: Visits) -> Talk:
    """Lay out the tab and connect its parts, within the current `gr.Tab`."""
    first = display_name(persons.names[0])
    with gr.Row(elem_classes="gf-columns", equal_height=False):
        with gr.Column(scale=5, min_width=300):
            gallery = build_gallery(persons)
            speech = build_speech(examples, studio.max_seconds)
            go = gr.Button(
                GO.format(first), variant="primary", size="lg", elem_classes=["gf-go", "gf-swap"], elem_id="go"
            )
            cancel = gr.Button(
                "Cancel", variant="stop", size="lg", visible=False, elem_classes=["gf-go", "gf-swap"],
                elem_id="cancel",
            )  # fmt: skip
            fields = build_options()
        with gr.Column(scale=6, min_width=300, elem_classes="gf-stage"):
            stage, buttons = build_stage(persons, gallery.person, fields["seed"], go, cancel)
    inputs = [gallery.person, *speech.inputs, *fields.values()]
    uploads = [speech.audio, speech.files, *(fields[name] for name in ("driving", "picture", "transcript_file"))]

    def awake(person: str) -> str:
        preview = persons.preview(person)
        try:
            return turns_html(studio, preview, person)
        except Exception as error:
            return portrait_html(preview, person, explain(error))

    talk = Talk(gallery, stage, awake, uploads, buttons, inputs, fields["new_seed"])
    _Connected(studio, persons, visits, talk, speech)
    offer_generate(studio, gallery.person, speech, [*fields.values()])
    return talk


class _Connected:
    """What happens when a visitor does something."""

    def __init__(self, studio: Studio, persons: Persons, visits: Visits, talk: Talk, speech: Speech) -> None:
        self.studio, self.persons, self.visits, self.talk = studio, persons, visits, talk
        self.stage = talk.stage
        self.performer = Performer(studio, talk.stage, talk.stage.video.GRADIO_CACHE, can_stream)
        self.unchanged: Updates = {talk.stage.said: gr.skip()}
        self._connect_choices(speech)
        self._connect_work()

    def _connect_choices(self, speech: Speech) -> None:
        stage, person = self.stage, self.stage.person
        asked = [person, stage.busy, *speech.inputs]
        chosen = person.change(self.choose, asked, stage.everything, **QUIET)
        chosen.then(self.talk.awake, person, stage.portrait, **PRIVATE)
        self.heard = gr.on(
            [speech.audio.change, speech.kind.change], self.listen, asked, stage.everything, **PRIVATE,
            trigger_mode="always_last", concurrency_limit=4,
        )  # fmt: skip

    def _connect_work(self) -> None:
        stage, buttons, everything = self.stage, self.talk.buttons, self.stage.everything
        line: Line = {"concurrency_limit": MOST_WAITING, "concurrency_id": LINE}
        form = list(dict.fromkeys([*everything, *self.talk.inputs]))
        started = gr.on(
            [stage.go.click, stage.again.click], stage.begun, stage.person, everything, js=SHOW_STAGE,
            cancels=[self.heard], **QUIET,
        )  # fmt: skip
        performing = started.then(self.perform, self.talk.inputs, everything, **PRIVATE, **line)
        gallery, key = self.talk.gallery, gr.Textbox(visible=False)
        assert Context.root_block is not None
        came = Context.root_block.load(self.arrive, key, form, js=VISIT, **QUIET)
        greeted = came.then(gallery.refresh, gallery.person, [gallery.person, gallery.pictures], **QUIET)
        returned = greeted.then(self.go_on, None, everything, **PRIVATE, **line)
        greeted.then(self.talk.awake, stage.person, stage.portrait, **PRIVATE)
        for running in (performing, returned):
            running.then(None, None, None, js=PLAY_ON, **QUIET)
            running.then(self.settle, None, everything, **QUIET)
        stage.cancel.click(self.cancel, None, everything, cancels=[performing, returned], **QUIET)
        replayed = stage.strip.select(self.play, stage.busy, everything, js=FROM_START, **QUIET)
        replayed.then(None, None, None, js=PLAY_ON, **QUIET)
        buttons.settings.click(self.settings, [stage.shown, stage.busy, *self.talk.inputs], form, **QUIET)
        buttons.delete.click(self.delete, stage.shown, everything, **QUIET)

    def choose(self, person: str, busy: str, *given: Any) -> Updates:
        """Another portrait on the stage; not while somebody speaks, whoever chooses (the Hub and training do, too)."""
        line = status(_invitation(Given(*given), person))
        return self.unchanged if busy else self.stage.empty(self.persons, person, line)

    def listen(self, person: str, busy: str, *given: Any) -> Iterator[Updates]:
        """Another voice: what was said of the one before is over, and what is wrong with this one is said at once."""
        stage, speech = self.stage, Given(*given)
        if busy:
            # Whoever yields nothing makes Gradio empty all outputs.
            yield self.unchanged
        elif speech.kind != RECORDING or not speech.audio:
            yield stage.renewed(status(_invitation(speech, person)))
        else:
            yield stage.renewed(status("Listening to it …", "busy"))
            try:
                plot = draw(Voice(self.studio.listen(speech.audio), None))
                yield {stage.said: status(HEARD.format(display_name(person))), stage.plot: plot}
            except Exception as error:
                yield {stage.said: status(explain(error, [speech.audio]), "failed")}

    async def perform(self, request: gr.Request, *values: object) -> AsyncIterator[Updates]:
        visit = self.visits.of(request.session_hash)
        visit.stay()
        if visit.busy:
            yield self.stage.at_rest(status(STILL, "failed"))
            return
        visit.making = Making(self.performer.make(visit, values), values)
        async for updates in self.performer.show(visit, visit.making):
            yield updates

    def arrive(self, key: str, request: gr.Request) -> Updates:
        """A page is opened. What an earlier one of the same visit had is there again."""
        visit = self.visits.enter(key, request.session_hash)
        found: Updates = {self.stage.strip: pictures(visit.takes)}
        if visit.busy and visit.making:
            person = str(visit.making.asked[0])
            locked: Updates = {self.stage.person: gr.update(value=person, interactive=False)}
            form: Updates = {
                component: gr.update(value=value)
                for component, value in zip(self.talk.inputs, visit.making.asked, strict=True)
            }
            return {**found, **form, **self.stage.begun(person), **locked}
        return found

    async def go_on(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Watch what is still being made."""
        visit = self.visits.of(request.session_hash)
        yield self.unchanged
        if visit.busy and visit.making:
            async for updates in self.performer.show(visit, visit.making, live=False):
                yield updates

    def settle(self, request: gr.Request) -> Updates:
        return self.unchanged if self.visits.of(request.session_hash).busy else self.stage.settled()

    def cancel(self, request: gr.Request) -> Updates:
        if making := self.visits.of(request.session_hash).making:
            making.stop()
        return self.stage.stopped()

    def play(self, busy: str, chosen: gr.SelectData, request: gr.Request) -> Updates:
        """A take of the strip again; not over one that is being made."""
        visit = self.visits.of(request.session_hash)
        visit.stay()
        takes = visit.takes
        return self.unchanged if busy or chosen.index >= len(takes) else self.stage.shows(takes[chosen.index])

    def settings(self, request: gr.Request, shown: str, busy: str, *now: object) -> Updates:
        """The form as it was for the take on the stage, its seed included; a voice that is given anew clears it."""
        found = [take for take in self.visits.of(request.session_hash).takes if take.key == shown]
        if busy or not found:
            return self.unchanged
        wanted = dict(zip(self.talk.inputs, found[0].asked, strict=True))
        wanted |= {self.stage.seed: found[0].seed, self.talk.new_seed: False}
        given = dict(zip(self.talk.inputs, now, strict=True))
        changed: Updates = {each: gr.update(value=value) for each, value in wanted.items() if value != given[each]}
        return {**changed, self.stage.said: status(THEIRS.format(display_name(str(found[0].asked[0]))))}

    def delete(self, shown: str, request: gr.Request) -> Updates:
        visit = self.visits.of(request.session_hash)
        gone = [take for take in visit.takes if take.key == shown]
        visit.takes = [take for take in visit.takes if take.key != shown]
        for take in gone:
            self.visits.delete(visit, take.files)
        return self.stage.without(visit.takes)


def _invitation(speech: Given, person: str) -> str:
    """What to do next, in words."""
    if speech.kind == TEXT and not can_speak():
        return NO_SPEAKER
    words = READY if speech.kind == RECORDING else TYPE if speech.kind == TEXT else CHOOSE
    return (HEARD if speech.kind == RECORDING and speech.there else words).format(display_name(person))
