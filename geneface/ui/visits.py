"""Visits: what a visitor brought, what was made of it and what is still being made; gone when the visitor leaves.

A page that is loaded anew is the same visit: the browser keeps its key as long as its tab is there.
"""

import os
import re
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from geneface.ui.making import Making
from geneface.ui.takes import Take
from geneface.ui.updates import QUIET

if TYPE_CHECKING:
    import gradio as gr

RETURN_SECONDS = 20.0
"""Within these a page that was closed may come back: loaded anew, or the tab opened again."""
KEY = re.compile(r"[0-9a-f]{32}")


@dataclass
class Visit:
    """What belongs to a visitor."""

    takes: list[Take] = field(default_factory=list)
    """Newest first."""
    making: Making | None = None
    """The latest piece of work."""
    files: set[Path] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)
    """Gradio's sessions that show it."""

    def stay(self) -> None:
        """Make the server, which forgets files after a while, keep those of a visit in which something happens."""
        for file in self.files:
            with suppress(OSError):
                os.utime(file)

    @property
    def busy(self) -> bool:
        return self.making is not None and not self.making.over


class Visits:
    """Who is here.

    The server's cache names a file after its content, so two visitors may share one: it goes with the last of them.
    """

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()

    def of(self, page: str | None) -> Visit:
        """The visit that the page (a session of Gradio) belongs to."""
        with self._lock:
            for visit in self._visits.values():
                if page in visit.pages:
                    return visit
            return self._visits.setdefault(_without_key(page), Visit(pages={page or ""}))

    def enter(self, key: str, page: str | None) -> Visit:
        """A page is opened; with the key of an earlier one it goes on with its visit."""
        if not KEY.fullmatch(key or ""):
            return self.of(page)
        with self._lock:
            visit = self._visits.setdefault(key, Visit())
            early = self._visits.pop(_without_key(page), Visit())
            visit.files |= early.files
            visit.pages |= {page or "", *early.pages}
            return visit

    def leave(self, page: str | None) -> None:
        """A page is closed: its visit ends, unless it comes back soon."""
        with self._lock:
            left = [key for key, visit in self._visits.items() if page in visit.pages]
            for key in left:
                self._visits[key].pages.discard(page or "")
        for key in left:
            waiting = threading.Timer(RETURN_SECONDS, self._end, (key,))
            waiting.daemon = True
            waiting.start()

    def remember(self, page: str | None, *files: str | None) -> None:
        self.of(page).files.update(Path(file) for file in files if file)

    def delete(self, visit: Visit, files: Iterable[Path]) -> None:
        """Delete files of a visit that nobody else has."""
        with self._lock:
            gone = set(files)
            visit.files -= gone
            for file in gone.difference(*(other.files for other in self._visits.values())):
                file.unlink(missing_ok=True)

    def _end(self, key: str) -> None:
        with self._lock:
            if key not in self._visits or self._visits[key].pages:
                return
            visit = self._visits.pop(key)
        if visit.making is not None:
            visit.making.stop()
        self.delete(visit, visit.files)

    def watch(self, demo: "gr.Blocks", *components: "gr.Audio | gr.Video | gr.Image | gr.File") -> None:
        """Remember what is put into `components` of the page `demo`, until the visitor leaves."""
        import gradio as gr

        def remember(given: str | list[str] | None, request: gr.Request) -> None:
            self.remember(request.session_hash, *(given if isinstance(given, list) else [given]))

        def leave(request: gr.Request) -> None:
            self.leave(request.session_hash)

        for component in components:
            taken = [component.upload, *([component.input] if hasattr(component, "input") else [])]
            gr.on(taken, remember, component, None, **QUIET)
        demo.unload(leave)


def _without_key(page: str | None) -> str:
    return f"page {page}"
