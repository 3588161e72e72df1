"""The folder of one server, for what visitors bring and what is made for them: only its own user may look into it,
and it goes with the server, or when the next one starts."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from geneface.errors import InputError
from geneface.utils.files import LOCK, locked, remove_left

PREFIX = "geneface-server-"
CACHE = "GRADIO_TEMP_DIR"
"""By this variable Gradio is told where its files go."""


class ServerFolder:
    """Makes the folder, locked as long as this process lives, and removes those of servers that were killed.

    Attributes:
        path: Readable by nobody else.
    """

    def __init__(self, parent: str | Path | None = None) -> None:
        parent = Path(parent or os.environ.get(CACHE) or tempfile.gettempdir())
        sweep(parent)
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        except OSError as error:
            raise InputError(f"cannot write {parent} ({error.strerror}); set TMPDIR to another place") from None
        self._held = ExitStack()
        self._held.enter_context(locked(self.path))
        atexit.register(self.close)

    def close(self) -> None:
        self._held.close()
        shutil.rmtree(self.path, ignore_errors=True)
        atexit.unregister(self.close)


def sweep(parent: Path) -> None:
    """Remove the folders of servers that are no more."""
    for left in parent.glob(f"{PREFIX}*"):
        if (left / LOCK).is_file() and not left.is_symlink():
            # One that is locked belongs to a server that runs; one that cannot be locked is another user's.
            remove_left(left)
