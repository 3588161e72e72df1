"""Choosing a person: the ones that are here, each with a picture, and those of the Hub."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.ui.persons import MOST_PIXELS, Persons
from geneface.ui.status import as_gradio, explain, status, tool
from geneface.ui.updates import PRIVATE

FACE = 320
"""Pixels a side of a face in the list of the Hub."""
HINT = "Look for persons whom others have published. Choosing one fetches it to this server."


@dataclass(frozen=True)
class Gallery:
    """The components that others connect to."""

    person: gr.Radio
    pictures: gr.HTML
    refresh: Callable[[str | None], list[object]]
    """Looks for new persons; gives updates of `person` and `pictures`."""
    choose: Callable[[str], list[object]]
    """The same, and chooses somebody."""


def build_gallery(persons: Persons, name: str = "person") -> Gallery:
    """Lay out the choice of a person, within the current layout."""
    person = gr.Radio(persons.choices, value=persons.names[0], label="Person", elem_id=name, elem_classes="gf-persons")
    persons.keep_current(person)
    pictures = gr.HTML(persons.pictures(f"#{name}"), padding=False, elem_classes="gf-style")

    def refresh(chosen: str | None) -> list[object]:
        return [refreshed(persons, chosen), persons.pictures(f"#{name}")]

    def choose(chosen: str) -> list[object]:
        return [gr.update(choices=persons.refresh(), value=chosen), persons.pictures(f"#{name}")]

    gallery = Gallery(person, pictures, refresh, choose)
    if persons.hub:
        HubSearch(persons, gallery)
    return gallery


def refreshed(persons: Persons, chosen: str | None) -> dict[str, object]:
    """An update of a choice of persons. Whoever is chosen stays: a visitor may have chosen another one meanwhile."""
    choices = persons.refresh()
    if chosen in persons.names:
        return gr.update(choices=choices)
    return gr.update(choices=choices, value=persons.names[0])


class HubSearch:
    """Persons of the Hub: searched by name, fetched by choosing one; within the current layout, and by API."""

    def __init__(self, persons: Persons, gallery: Gallery) -> None:
        self.persons, self.gallery = persons, gallery
        with gr.Accordion("More persons from the Hugging Face Hub", open=False, elem_classes="gf-hub"):
            self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        gr.Markdown(HINT, elem_classes="gf-hint")
        with gr.Row(equal_height=True, elem_classes="gf-search"):
            self.query = gr.Textbox(
                label="Name", placeholder="part of a name, or nothing for all", scale=3, max_lines=1, min_width=140
            )
            self.look = gr.Button("Search", scale=1, min_width=90)
        self.found = gr.Gallery(
            visible=False,
            show_label=False,
            columns=3,
            object_fit="cover",
            allow_preview=False,
            interactive=False,
            buttons=[],
            elem_id="hub-persons",
        )
        self.said = gr.HTML(status("Search to see who is there."), padding=False)
        self.ids = gr.State([])

    def _connect(self) -> None:
        with gr.Row(visible=False):
            by_api, rows, name = gr.Button(), gr.JSON(label="persons"), gr.Textbox(label="name")
            repo_id = gr.Textbox(label="repo_id")
            by_api.click(self.search_persons, self.query, rows, api_name="search_persons")
            by_api.click(self.pull_person, repo_id, name, api_name="pull_person")
        shown = [self.found, self.said, self.ids]
        gr.on([self.look.click, self.query.submit], self._show, self.query, shown, **PRIVATE)
        chosen = [self.gallery.person, self.gallery.pictures, self.said]
        self.found.select(self._choose, self.ids, chosen, **PRIVATE)

    @tool
    def search_persons(self, query: str) -> list[list[str]]:
        """Search the Hugging Face Hub for persons.

        Args:
            query: Part of a name; empty for all.

        Returns:
            For each person its id and how often it was downloaded.
        """
        try:
            return [[repo_id, note] for repo_id, _, note in self.persons.search(query)]
        except InputError as error:
            raise as_gradio(error) from None

    @tool
    def pull_person(self, repo_id: str) -> str:
        """Fetch a person from the Hugging Face Hub, to be used by name from then on.

        Args:
            repo_id: Id on the Hub, like user/person.

        Returns:
            The name to call it by.
        """
        try:
            return self.persons.pull(repo_id)
        except InputError as error:
            raise as_gradio(error) from None

    def _show(self, query: str) -> list[object]:
        try:
            rows = self.persons.search(query)
        except InputError as error:
            return [gr.update(visible=False, value=[]), status(explain(error), "failed"), []]
        if not rows:
            text = f"Nobody on the Hub goes by “{query.strip()}”: try a shorter name." if query.strip() else NOBODY
            return [gr.update(visible=False, value=[]), status(text), []]
        items = [(face(picture), repo_id) for repo_id, picture, _ in rows]
        count = f"{len(rows)} found" if len(rows) > 1 else "1 found"
        return [
            gr.update(visible=True, value=items),
            status(f"{count}: choose one to fetch it."),
            [row[0] for row in rows],
        ]

    def _choose(self, ids: list[str], chosen: gr.SelectData) -> Iterator[list[object]]:
        repo_id = ids[chosen.index]
        yield [gr.skip(), gr.skip(), status(f"Fetching {repo_id} …", "busy")]
        try:
            self.persons.pull(repo_id)
        except InputError as error:
            yield [gr.skip(), gr.skip(), status(explain(error), "failed")]
            return
        yield [*self.gallery.choose(repo_id), status(f"{repo_id} is here, and chosen.", "done")]


NOBODY = "There is nobody on the Hub yet: train a person and publish it."


def face(picture: Path | None) -> np.ndarray:
    """The pixels of a preview; of none, or of one that is no picture, those of nobody."""
    try:
        return read_image(picture, (FACE, FACE), MOST_PIXELS) if picture else faceless()
    except InputError:
        return faceless()


def faceless() -> np.ndarray:
    """A picture for persons without one."""
    y, x = np.mgrid[0:160, 0:160] / 160 - 0.5
    shape = (np.hypot(x, y + 0.12) < 0.17) | (np.hypot(x / 1.1, (y - 0.5) / 0.9) < 0.36)
    return np.where(shape[..., None], (231, 229, 228), (168, 162, 158)).astype(np.uint8)
