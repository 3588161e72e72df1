"""The bundle format: components as `config.json` + `model.safetensors`, read strictly, written atomically.

A bundle is a folder with a `model_index.json` and one subfolder per component. Nothing in it is ever
executed or unpickled: only JSON and safetensors are read.
"""

import inspect
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from geneface.errors import InputError
from geneface.files import ADVICE, Kind, read_json, write_json
from geneface.index import refuse_pickles as refuse_pickles
from geneface.index import weights_name

CLASSES: dict[str, type[nn.Module]] = {}
"""The components by their names in a bundle; each class registers itself where it stands."""


def read_tensors(path: Path, kind: Kind = "bundle") -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, on the CPU; `InputError` if it is missing, truncated or damaged."""
    lack, advice = ADVICE[kind]
    if not path.is_file():
        raise InputError(f"{path} is missing: {lack}; {advice}")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} is damaged or truncated ({error}); {advice}") from None


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], dtype: torch.dtype | None = None) -> None:
    """Write a safetensors file, its floating point tensors as `dtype` if given."""
    stored = {
        name: (tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in tensors.items()
    }
    # Not `save_file`, which makes files that only their owner may read.
    path.write_bytes(save(stored, metadata={"format": "pt"}))


def register(name: str, component: type[nn.Module]) -> None:
    """Let a bundle name this class; nothing that a file names is ever imported."""
    CLASSES[name] = component


class Component(nn.Module):
    """A network whose constructor arguments are its configuration.

    Subclasses take JSON-able keyword arguments; they are recorded in `self.config` and written to
    `config.json`, beside the weights in `model.safetensors`.
    """

    config: dict[str, Any]
    renamed: ClassVar[dict[str, str]] = {}
    """Tensors of older bundles, and what they are called now; "" for those that are gone."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls.__name__, cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        parameters = inspect.signature(cls.__init__).parameters
        bound = inspect.signature(cls.__init__).bind(self, *args, **kwargs)
        bound.apply_defaults()
        config: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            config |= value if parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        config.pop("self")
        object.__setattr__(self, "config", config)
        return self

    @property
    def device(self) -> torch.device:
        return next(tensor for tensor in (*self.parameters(), *self.buffers())).device

    @property
    def dtype(self) -> torch.dtype:
        return next(tensor for tensor in (*self.parameters(), *self.buffers()) if tensor.is_floating_point()).dtype

    def save_pretrained(
        self, folder: str | Path, *, dtype: torch.dtype | None = None, variant: str | None = None
    ) -> None:
        """Write `config.json` and `model[.variant].safetensors`; `dtype` casts floating point weights on disk."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", {"_class_name": type(self).__name__, **self.config})
        write_tensors(folder / weights_name(variant), self.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, variant: str | None = None) -> Self:
        """Load strictly: every tensor present, none left over, each of the shape that the config asks for.

        Returns the component on the CPU, in float32 and in eval mode.
        Raises `InputError` for a missing, damaged or mismatched file.
        """
        folder = Path(folder)
        refuse_pickles(folder)
        config = read_json(folder / "config.json")
        class_name = config.pop("_class_name", cls.__name__)
        if class_name != cls.__name__:
            raise InputError(f"{folder} holds a {class_name}, not a {cls.__name__}; name the right folder")
        # Settings that an older release had, and that were not set, are none.
        known = inspect.signature(cls.__init__).parameters
        config = {name: value for name, value in config.items() if value is not None or name in known}
        try:
            component = cls(**config)
        except (TypeError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(f"{folder / 'config.json'} does not describe a {cls.__name__}: {error}") from None
        path = folder / weights_name(variant)
        tensors = {cls.renamed.get(name, name): tensor for name, tensor in read_tensors(path).items()}
        tensors.pop("", None)
        load_strict(component, tensors, path)
        return component.eval()


def load_strict(module: nn.Module, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Copy `tensors` into `module`, or raise `InputError` naming the first thing that does not fit."""
    expected = module.state_dict()
    hint = "weights and config do not belong together; get the bundle again"
    if missing := sorted(expected.keys() - tensors.keys()):
        raise InputError(f"{path} lacks the tensor {missing[0]!r}: {hint}")
    if surplus := sorted(tensors.keys() - expected.keys()):
        raise InputError(f"{path} holds an unknown tensor {surplus[0]!r}: {hint}")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            found, wanted = list(tensor.shape), list(expected[name].shape)
            raise InputError(f"{path}: {name!r} has shape {found} where config.json asks for {wanted}: {hint}")
    module.load_state_dict(tensors)
