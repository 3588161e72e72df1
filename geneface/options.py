"""How a person shall speak: `GenerationOptions`, the one list of what may be asked of a generation.

The pipeline, the command line, the page, comparisons and the provenance of a video all take their options from its
fields: a new option is a field here, and the place that heeds it.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from inspect import Parameter, signature
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, SupportsFloat, TypeAlias, TypeGuard, TypeVar

from geneface.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import torch

HIGHEST_SEED = 2**31 - 1
NATURAL_BLINKS, MOST_BLINKS = 15.0, 60.0
"""Blinks a minute."""
TRANSPARENT = "transparent"
SQUARE = "1:1"
SHAPES = {SQUARE: (1, 1), "9:16": (9, 16), "16:9": (16, 9)}
"""Name -> width, height."""
Background: TypeAlias = "str | Path | np.ndarray | None"
Asked = ParamSpec("Asked")
Given = TypeVar("Given")


@dataclass(frozen=True)
class Spec:
    """How an option is checked, and how command line and page ask for it."""

    check: Callable[[object], str]
    """What a wrong value must be, for a sentence; empty for a good one."""
    help: str
    """For the command line."""
    metavar: str | None = None
    kind: type = str
    """What the command line makes of its words."""
    words: tuple[str, ...] = ()
    """That may be chosen from."""
    others: bool = False
    """Whether other values than `words` may be given, too."""
    label: str = ""
    """On the page; an option without a label has a place of its own there, or none."""
    info: str = ""
    highest: float = 0.0
    """Of a number from 0 on, which the page asks for by a slider."""


def _number(highest: float, help: str, label: str, info: str, default: float = 1.0) -> float:
    def check(value: object) -> str:
        good = isinstance(value, Real) and 0 <= float(value) <= highest
        return "" if good else f"between 0 and {highest:g}"

    help = f"{help}, 0 to {highest:g} (default: {default:g})"
    return field(
        default=default, metadata={"spec": Spec(check, help, "X", float, label=label, info=info, highest=highest)}
    )


def _is_array(value: object) -> "TypeGuard[np.ndarray]":
    # Numpy need not be there to show a command's help.
    return hasattr(value, "__array__") and hasattr(value, "dtype")


def _seed(value: object) -> str:
    whole = isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) <= HIGHEST_SEED
    return "" if value is None or whole else f"a whole number from 0 to {HIGHEST_SEED}"


def _pose(value: object) -> str:
    if isinstance(value, str):
        return "" if value in ("natural", "still") else "natural, still, or an array of head poses"
    good = _is_array(value) and value.ndim == 3 and value.shape[1:] == (3, 4) and len(value)
    return "" if good else "[N, 3, 4], head to camera"


def _blink(value: object) -> str:
    try:
        good = isinstance(value, str | SupportsFloat) and blinks_a_minute(value) >= 0
    except (TypeError, ValueError):
        good = False
    return "" if good else f"natural, none, or blinks a minute from 0 to {MOST_BLINKS:.0f}"


def _background(value: object) -> str:
    if _is_array(value):
        return "" if value.dtype == "uint8" and value.ndim == 3 and value.shape[2] == 3 else "uint8 [H, W, 3]"
    if not isinstance(value, str) or not value.startswith("#"):
        return (
            "" if value is None or isinstance(value, str | Path) else "a path, a colour like #20a0ff, or transparent"
        )
    try:
        good = len(bytes.fromhex(value[1:])) == 3
    except ValueError:
        good = False
    return "" if good else "a colour like #20a0ff"


def _size(value: object) -> str:
    if value is None:
        return ""
    good = isinstance(value, Integral) and 64 <= int(value) <= 2048 and int(value) % 2 == 0
    return "" if good else "an even number between 64 and 2048"


def _shape(value: object) -> str:
    return "" if value in SHAPES else f"one of {', '.join(SHAPES)}"


@dataclass(frozen=True, kw_only=True, eq=False)
class GenerationOptions:
    """How to speak, and before what; every value is checked when it is made.

    Raises:
        InputError: that names the option, its value and what it must be.
    """

    seed: int | None = field(
        default=None,
        metadata={"spec": Spec(_seed, "same seed, same device, same video (default: a new one)", "N", int)},
    )
    """Of manner, blinks and head motion: the same one gives the same video on the same device; a new one if None."""
    temperature: float = _number(2.0, "expressiveness", "Expressiveness", "0 is calm, 2 is lively")
    """Scale of the prior's noise (Section 3.1): 0 is the most likely motion, 1 natural variety."""
    mouth: float = _number(1.5, "how far the mouth opens", "Mouth", "How far it opens; 1 is natural")
    """How far the face moves from its rest with a closed mouth, beside what the person does."""
    head: float = _number(1.5, "how much the head moves", "Head", "How much it moves; 1 is natural")
    """How far the head goes from its mean pose, beside what `pose` says."""
    pose: "str | np.ndarray" = field(
        default="natural",
        metadata={"spec": Spec(_pose, "head motion", words=("natural", "still"), label="Head motion")},
    )
    """"natural", as in the person's own video, "still", or [N, 3, 4] head to camera, the last of which is held."""
    blink: str | float = field(
        default="natural",
        metadata={
            "spec": Spec(
                _blink,
                "natural (the default), none, or blinks a minute",
                "B",
                words=("natural", "none"),
                others=True,
                label="Blinks",
            )
        },
    )
    """"natural", "none", or blinks a minute."""
    background: Background = field(
        default=None,
        metadata={
            "spec": Spec(
                _background,
                "what is behind the person",
                "FILE|#rrggbb|transparent",
                words=(TRANSPARENT,),
                others=True,
            )
        },
    )
    """A picture's path, "#rrggbb", or uint8 [H, W, 3]; "transparent" gives frames with opacity; the person's own if
    None."""
    size: int | None = field(
        default=None,
        metadata={"spec": Spec(_size, "the shorter side in pixels (default: the person's own)", "S", int)},
    )
    """Pixels of the shorter side; the renderer's own if None."""
    shape: str = field(
        default=SQUARE,
        metadata={"spec": Spec(_shape, "width to height (default: 1:1)", words=tuple(SHAPES), label="Shape")},
    )
    """Width to height, one of `SHAPES`; what is behind the person goes on where the person's own picture ends."""

    def __post_init__(self) -> None:
        for name, spec in specs().items():
            value = getattr(self, name)
            if wanted := spec.check(value):
                shown = f"of shape {list(value.shape)}" if _is_array(value) else repr(value)
                raise InputError(f"{name} is {shown}; it must be {wanted}")

    @classmethod
    def of(cls, options: Self | None = None, generator: "torch.Generator | None" = None, /, **changes: object) -> Self:
        """Options with changes by name; the seed is drawn from `generator` if one is given.

        Raises `InputError` for a name that is no option's.
        """
        if unknown := sorted(changes.keys() - specs().keys()):
            raise InputError(f"there is no option {unknown[0]!r}; there are {', '.join(specs())}")
        given: dict[str, Any] = changes  # Whatever it is, it is checked when the options are made.
        if generator is not None:
            import torch

            drawn = torch.randint(HIGHEST_SEED + 1, (1,), generator=generator, device=generator.device)
            given["seed"] = int(drawn)
        return replace(options, **given) if options else cls(**given)

    @property
    def transparent(self) -> bool:
        return isinstance(self.background, str) and self.background == TRANSPARENT

    def frame_size(self, own: int) -> tuple[int, int]:
        """Width and height in pixels, both even; `own` is the renderer's size."""
        short, sides = self.size or own, SHAPES[self.shape]
        width, height = (2 * round(short * side / min(sides) / 2) for side in sides)
        return width, height

    def seeded(self) -> Self:
        """The same with a seed, drawn at random if there is none."""
        return self if self.seed is not None else replace(self, seed=secrets.randbelow(HIGHEST_SEED + 1))

    def changed(self) -> dict[str, object]:
        """Name and value of each option that is not at its default."""
        return {name: getattr(self, name) for name, default in defaults().items() if self._differs(name, default)}

    def _differs(self, name: str, default: object) -> bool:
        value = getattr(self, name)
        return _is_array(value) or value != default


def specs() -> Mapping[str, Spec]:
    """Name and `Spec` of each option, in order."""
    return {each.name: each.metadata["spec"] for each in fields(GenerationOptions)}


def defaults() -> dict[str, object]:
    """Name and default of each option, in order."""
    return {each.name: each.default for each in fields(GenerationOptions)}


def takes_options(function: Callable[Asked, Given]) -> Callable[Asked, Given]:
    """Show the fields of `GenerationOptions` in the signature of a function that takes them as `**options`."""
    own = signature(function)
    shown = [parameter for parameter in own.parameters.values() if parameter.kind is not Parameter.VAR_KEYWORD]
    first = next((i for i, each in enumerate(shown) if each.kind is Parameter.KEYWORD_ONLY), len(shown))
    options = [
        Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type)
        for each in fields(GenerationOptions)
        if each.name not in own.parameters
    ]

    @wraps(function)
    def same(*args: Asked.args, **kwargs: Asked.kwargs) -> Given:
        return function(*args, **kwargs)

    same.__signature__ = own.replace(parameters=[*shown[:first], *options, *shown[first:]])  # type: ignore[attr-defined]
    return same


def blinks_a_minute(blink: str | SupportsFloat) -> float:
    """Of "natural", "none" or a number; ValueError for anything else."""
    named: dict[object, str | SupportsFloat] = {"natural": NATURAL_BLINKS, "none": 0.0}
    rate = float(named.get(blink, blink))
    if not 0 <= rate <= MOST_BLINKS:
        raise ValueError(f"{rate} blinks a minute")
    return rate
