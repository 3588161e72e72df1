"""What a safetensors file says that it holds, looked at before anything is made of it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypedDict

import torch

from geneface.errors import InputError
from geneface.utils.untrusted import LIMITS, MEGABYTE, open_plain

HEADER_LIMIT = 2 * MEGABYTE
"""Of the largest HuBERT it is a tenth of this."""
REAL = {"F16", "BF16", "F32", "F64"}
WHOLE = {
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.bool: "BOOL",
}
HINT = "weights and config do not belong together; get the bundle again"


class Stored(NamedTuple):
    """One tensor of a file."""

    kind: str
    """As safetensors calls it, such as F16."""
    shape: tuple[int, ...]


class Shaped(Protocol):
    @property
    def shape(self) -> Sequence[int]: ...


class Entry(TypedDict):
    """One tensor in the header, if it is as it should be."""

    dtype: str
    shape: list[int]


def read_header(path: Path) -> dict[str, Stored]:
    """The tensors of a bundle's safetensors file by name; that its bytes fit them is for the reader to check.

    Raises `InputError` for a file that is missing, no plain file, too large, or damaged.
    """
    try:
        with open_plain(path, LIMITS[".safetensors"]) as file:
            length = int.from_bytes(file.read(8), "little")
            if length > HEADER_LIMIT:
                raise ValueError(f"its header has {length} bytes")
            header = json.loads(file.read(length).decode("utf-8"))
        header.pop("__metadata__", None)
        return {name: _stored(entry) for name, entry in header.items()}
    except FileNotFoundError:
        raise InputError(f"{path} is missing: the bundle is incomplete; get the bundle again") from None
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged or truncated ({error}); get the bundle again") from None


def _stored(entry: Entry) -> Stored:
    kind, shape = entry["dtype"], tuple(entry["shape"])
    if type(kind) is not str or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("a tensor without kind or shape")
    return Stored(kind, shape)


def check_names_and_shapes(expected: Mapping[str, torch.Tensor], found: Mapping[str, Shaped], path: Path) -> None:
    """`InputError` naming the first thing in which what was found is not what is expected."""
    if missing := sorted(expected.keys() - found.keys()):
        raise InputError(f"{path} lacks the tensor {missing[0]!r}: {HINT}")
    if surplus := sorted(found.keys() - expected.keys()):
        raise InputError(f"{path} holds an unknown tensor {surplus[0]!r}: {HINT}")
    for name, tensor in found.items():
        if tuple(tensor.shape) != tuple(expected[name].shape):
            is_, wanted = list(tensor.shape), list(expected[name].shape)
            raise InputError(f"{path}: {name!r} has shape {is_} where config.json asks for {wanted}: {HINT}")


def check_header(expected: Mapping[str, torch.Tensor], found: Mapping[str, Stored], path: Path) -> None:
    """The same, and for numbers of another kind: any precision will do for real ones."""
    check_names_and_shapes(expected, found, path)
    for name, stored in found.items():
        tensor = expected[name]
        kinds = REAL if tensor.is_floating_point() else {WHOLE.get(tensor.dtype, "")}
        if stored.kind not in kinds:
            raise InputError(
                f"{path}: {name!r} is stored as {stored.kind} where {' or '.join(sorted(kinds))} is needed; {HINT}"
            )
