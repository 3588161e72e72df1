"""A safetensors file of one tensor, written row by row and mapped from disk, so that it never lies in memory."""

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from geneface.errors import InputError
from geneface.utils.files import atomic_write

HEADER = 248
"""Bytes kept for the header; spaces may follow its JSON."""
DTYPES = {"F32": np.float32, "F16": np.float16, "U8": np.uint8}


class RowWriter:
    """Appends rows; a context manager whose file takes its name when the block ends without an error.

    >>> with RowWriter(path, "masks", (128, 128), "U8") as masks:
    ...     masks.add(rows)  # [n, 128, 128]
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: str):
        self.path, self.name, self.shape, self.dtype = path, name, shape, dtype
        self.rows = 0
        self._open = ExitStack()

    def add(self, rows: np.ndarray) -> None:
        """Rows [n, *shape]"""
        if rows.shape[1:] != self.shape:
            raise ValueError(f"rows are {rows.shape}, not [n, {self.shape}]")
        self._file.write(np.ascontiguousarray(rows, DTYPES[self.dtype]).tobytes())
        self.rows += len(rows)

    def __enter__(self) -> Self:
        partial = self._open.enter_context(atomic_write(self.path))
        self._file = self._open.enter_context(partial.open("wb"))
        self._file.write(bytes(8 + HEADER))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            size = self._file.tell() - 8 - HEADER
            entry = {"dtype": self.dtype, "shape": [self.rows, *self.shape], "data_offsets": [0, size]}
            header = json.dumps({"__metadata__": {"format": "pt"}, self.name: entry})
            self._file.seek(0)
            self._file.write(HEADER.to_bytes(8, "little") + header.ljust(HEADER).encode())
        self._open.__exit__(kind, error, trace)


def map_rows(path: Path) -> np.ndarray:
    """The tensor of a file by `RowWriter`, mapped from disk."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            entry = next(value for name, value in header.items() if name != "__metadata__")
            return np.memmap(path, DTYPES[entry["dtype"]], "r", file.tell(), tuple(entry["shape"]))
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise InputError(f"{path} is damaged ({error}); delete its folder and begin again") from None
