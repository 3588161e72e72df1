"""Parts of long work, kept on disk (`face.parts.Keep`)."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from geneface.bundles.component import read_tensors, write_tensors
from geneface.errors import InputError
from geneface.face.parts import Tensors
from geneface.utils.files import PARTIAL


class Parts:
    """Keeps each part in a file of its name in a folder. What a power cut left damaged of one is made anew."""

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str, make: Callable[[], Tensors]) -> Tensors:
        path = self._folder / f"{name}.safetensors"
        with suppress(InputError):
            return read_tensors(path, "run")
        made, partial = make(), path.with_suffix(PARTIAL)
        write_tensors(partial, made)
        os.replace(partial, path)
        return made
