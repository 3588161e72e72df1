"""What visitors brought along, deleted when they leave."""

import threading
from pathlib import Path
from typing import Any

from geneface.ui.gallery import QUIET


class Uploads:
    """Remembers the files of each visit.

    The server's cache names a file after its content, so two visitors may share one: it goes with the last of them.
    """

    def __init__(self) -> None:
        self._files: dict[str, set[Path]] = {}
        self._lock = threading.Lock()

    def remember(self, visit: str | None, *files: str | None) -> None:
        with self._lock:
            self._files.setdefault(visit or "", set()).update(Path(file) for file in files if file)

    def forget(self, visit: str | None) -> None:
        """Delete what nobody else uses."""
        with self._lock:
            gone = self._files.pop(visit or "", set())
            for file in gone.difference(*self._files.values()):
                file.unlink(missing_ok=True)

    def watch(self, demo: Any, *components: Any) -> None:
        """Remember what is put into `components` of the page `demo`; forget it when the page is closed."""
        import gradio as gr

        def remember(file: str | None, request: gr.Request) -> None:
            self.remember(request.session_hash, file)

        def leave(request: gr.Request) -> None:
            self.forget(request.session_hash)

        for component in components:
            gr.on([component.upload, component.input], remember, component, None, **QUIET)
        demo.unload(leave)
