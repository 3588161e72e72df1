"""The bundle format: components as `config.json` + `model.safetensors`, read strictly, written atomically.

A bundle is a folder with a `model_index.json` and one subfolder per component. Nothing in it is ever
executed or unpickled: only JSON and safetensors are read.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from geneface.bundles.header import check_header, check_names_and_shapes, read_header
from geneface.bundles.index import refuse_pickles, weights_name
from geneface.errors import InputError
from geneface.utils.config import Range, check_config
from geneface.utils.files import ADVICE, Kind, read_json, write_json

Network = TypeVar("Network", bound=nn.Module)
T = TypeVar("T")
LARGEST = 1e9
"""Of a weight: what is trained stays far below, and what is above makes numbers that are not finite."""


class Part(Protocol):
    """What a bundle can have as one of its components: a network that is written and read by its own class."""

    def save_pretrained(
        self, folder: str | Path, *, dtype: torch.dtype | None = None, variant: str | None = None
    ) -> None: ...

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, variant: str | None = None) -> Self: ...

    def eval(self) -> Self: ...

    def to(self, device: str | torch.device | None = ..., dtype: torch.dtype | None = ...) -> Self: ...


class Renaming(Protocol):
    """Gives the tensors of older files, or what is known of them, the names of today."""

    def __call__(self, stored: Mapping[str, T], /) -> dict[str, T]: ...


CLASSES: dict[str, type[Part]] = {}
"""The components by their names in a bundle; each class registers itself where it stands."""


def read_tensors(path: Path, kind: Kind = "bundle") -> dict[str, torch.Tensor]:
    """All tensors of a safetensors file, on the CPU; `InputError` if it is missing, truncated or damaged."""
    lack, advice = ADVICE[kind]
    if not path.exists():
        raise InputError(f"{path} is missing: {lack}; {advice}")
    if not path.is_file():
        raise InputError(f"{path} is not a file; {advice}")
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


def register(name: str, component: type[Part]) -> None:
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
    ranges: ClassVar[Mapping[str, Range]] = {}
    """Of each number in the configuration the least and the greatest that can be right. A file is not trusted:
    together with the weights' shapes they bound the memory and the time that it can cost."""
    slot: ClassVar[str] = ""
    """What it may serve as in a bundle; "" if that is not known."""

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        register(cls.__name__, cls)

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        self = super().__new__(cls)
        parameters = inspect.signature(cls.__init__).parameters
        bound = inspect.signature(cls.__init__).bind(self, *args, **kwargs)
        bound.apply_defaults()
        config: dict[str, object] = {}
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

        return load_checked(lambda: cls._described(config), folder, variant, cls.__name__, cls._as_named_now).eval()

    @classmethod
    def _described(cls, config: dict[str, Any]) -> Self:
        check_config(cls, config, cls.ranges)
        return cls(**config)

    @classmethod
    def _as_named_now(cls, stored: Mapping[str, T]) -> dict[str, T]:
        named = {cls.renamed.get(name, name): value for name, value in stored.items()}
        named.pop("", None)
        return named


def load_checked(
    make: Callable[[], Network],
    folder: Path,
    variant: str | None,
    kind: str,
    as_named_now: Renaming,
    weights_of: Callable[[Network], nn.Module] = lambda network: network,
    optional: str = "",
) -> Network:
    """The network in a component's folder, which takes memory only for weights that are really there.

    Args:
        make: Builds it from the folder's config; raises what it likes if that is not possible.
        kind: What it is called in messages.
        weights_of: The part that the file holds.
        optional: A tensor that the file may lack.

    Raises:
        InputError: for a config that describes nothing, and for weights that do not belong to it.
    """
    path = folder / weights_name(variant)
    header = as_named_now(read_header(path))
    try:
        with torch.device("meta"):  # Shapes without memory.
            sketch = make()
    except OSError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{folder / 'config.json'} does not describe a {kind}: {reason}") from None
    expected = weights_of(sketch).state_dict()
    lacking = {optional} & (expected.keys() - header.keys())
    check_header({name: tensor for name, tensor in expected.items() if name not in lacking}, header, path)
    network = make()
    initial = weights_of(network).state_dict()
    load_strict(
        weights_of(network), as_named_now(read_tensors(path)) | {name: initial[name] for name in lacking}, path
    )
    return network


def load_strict(module: nn.Module, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Copy `tensors` into `module`, or raise `InputError` naming the first that does not fit or is not finite."""
    check_names_and_shapes(module.state_dict(), tensors, path)
    module.load_state_dict(tensors)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and tensor.numel():
            least, greatest = torch.aminmax(tensor)
            if not (least >= -LARGEST and greatest <= LARGEST):  # NaN is neither.
                raise InputError(f"{path}: {name!r} holds numbers that no training gives; get the bundle again")
