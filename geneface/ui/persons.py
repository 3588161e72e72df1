"""The persons of the page: embedded ones, those of a folder, and those from the Hub; more may come while it runs."""

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from geneface.errors import InputError

if TYPE_CHECKING:
    import gradio as gr

Picked = TypeVar("Picked", "gr.Radio", "gr.Dropdown")
THUMBNAIL = 160
"""Pixels a side of the picture beside a name."""
MOST_PIXELS = 16_000_000
"""Of a preview."""


class Persons:
    """Who can be chosen, by name.

    Args:
        fixed: Bundle folders by name; the first is chosen at the start.
        folder: Bundles in it are offered as soon as they are there; need not exist.
        hub: Whether persons may be looked for on the Hub.
        own: Whether whoever uses the page also owns the machine: then persons in the Hub's cache are offered, and the
            owner's token is used. Strangers see only what everybody may see.
    """

    def __init__(self, fixed: Mapping[str, Path], folder: Path | None = None, *, hub: bool = False, own: bool = False):
        if not fixed:
            raise InputError("there is no person to show: examples/persons is empty; get the repository again")
        self.folder, self.hub, self.own = folder, hub, own
        self._fixed = dict(fixed)
        self._pulled: dict[str, Path] = {}
        self._known: dict[str, Path] = {}
        self._pickers: list[gr.Radio | gr.Dropdown] = []
        self.refresh()

    @property
    def token(self) -> Any:
        """For the Hub's client: the owner's token, or none at all."""
        return None if self.own else False

    def refresh(self) -> list[tuple[str, str]]:
        """Look again; returns all as (what to show, name)."""
        from geneface.hub.persons import cached_persons, list_persons

        found = dict(self._fixed)
        if self.folder is not None:
            found |= {name: self.folder / name for name in list_persons(self.folder) if name not in found}
        if self.hub and self.own:
            found |= cached_persons()
        self._known = found | self._pulled
        for picker in self._pickers:
            picker.choices = [*self.choices]
        return self.choices

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(display_name(name), name) for name in self._known]

    @property
    def names(self) -> list[str]:
        return list(self._known)

    def keep_current(self, picker: Picked) -> Picked:
        """A component whose choices are the persons, checked against those of today."""
        self._pickers.append(picker)
        return picker

    def bundle(self, name: str) -> str:
        """What `GeneFacePipeline.from_pretrained` needs: a folder, or the Hub id of a person from there."""
        if name not in self._known:
            self.refresh()
        if name not in self._known:
            raise InputError(f"There is no person {name!r} here; choose one of {', '.join(self._known)}.")
        from_hub = name not in self._fixed and "/" in name
        return name if from_hub else str(self._known[name])

    def preview(self, name: str) -> Path | None:
        picture = self._known[name] / "preview.png" if name in self._known else None
        return picture if picture and picture.is_file() else None

    def search(self, query: str) -> list[tuple[str, Path | None, str]]:
        """Persons on the Hub: (id, preview, what is known). `InputError` if it cannot be reached."""
        from geneface.hub.fetch import fetch_preview
        from geneface.hub.persons import search_persons

        found: list[tuple[str, Path | None, str]] = []
        for person in search_persons(query.strip(), token=self.token, limit=12):
            try:
                picture = fetch_preview(person.repo_id, token=self.token)
            except InputError:
                picture = None
            found.append((person.repo_id, picture, f"{person.downloads} downloads"))
        return found

    def pull(self, repo_id: str) -> str:
        """Fetch a person from the Hub; returns the name under which it is offered from now on."""
        from geneface.bundles.index import REPO_ID
        from geneface.hub.persons import resolve_bundle

        repo_id = repo_id.strip()
        if not REPO_ID.fullmatch(repo_id):
            raise InputError(f"{repo_id or 'nothing'} is no id of the Hub; give one like user/person")
        self._pulled[repo_id] = resolve_bundle(repo_id, token=self.token)
        self.refresh()
        return repo_id

    def pictures(self, element: str) -> str:
        """A style sheet that puts each person's picture beside the name in the radio group `element`."""
        rules = []
        for place, name in enumerate(self._known, 1):
            picture = self.preview(name)
            if picture is not None and (image := shown(picture)):
                rules.append(f"{element} label:nth-child({place})::before{{background-image:url({image})}}")
        return f"<style>{''.join(rules)}</style>"


def shown(picture: Path, side: int = THUMBNAIL) -> str:
    """A small WebP of `picture` as a data address; "" if it is no picture."""
    try:
        return thumbnail(picture, picture.stat().st_mtime_ns, side)
    except OSError:  # It has gone meanwhile.
        return ""


@lru_cache(maxsize=256)
def thumbnail(picture: Path, changed: int, side: int = THUMBNAIL) -> str:
    """A small WebP of `picture` as a data address; `changed` tells versions of the file apart."""
    from PIL import Image

    from geneface.media.image import read_image

    try:
        pixels = read_image(picture, (side, side), MOST_PIXELS)
    except InputError:  # Somebody's bad picture costs that person's face, not the page.
        return ""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=82)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def display_name(name: str) -> str:
    """`anna_maria` -> `Anna Maria`; ids of the Hub stay as they are."""
    return name if "/" in name else name.replace("_", " ").replace("-", " ").title()
