"""Constructor arguments from a file, held against their types and ranges before anything is made of them."""

import inspect
from collections.abc import Mapping

Range = tuple[float, float]
ANY_WHOLE: Range = (0, 4096)
ANY_REAL: Range = (-1e6, 1e6)
"""Ranges of what has none of its own."""
MOST_LETTERS, MOST_VALUES = 1000, 1000
LAYERS: Range = (1, 64)
WIDTH: Range = (1, 4096)
KERNEL: Range = (1, 31)
SHARE: Range = (0, 1)
SIDE: Range = (2, 4096)
"""Ranges that many have in common; they hold any network that was ever trained for this, and none that stops a
machine."""


def arguments(component: type) -> dict[str, inspect.Parameter]:
    """The constructor's arguments by name, those that it hands on to its bases included."""
    found: dict[str, inspect.Parameter] = {}
    for base in reversed(component.__mro__):
        if "__init__" in vars(base) and base is not object:
            found |= inspect.signature(base.__init__, eval_str=True).parameters  # type: ignore[misc]
    return {name: each for name, each in found.items() if name != "self" and each.kind not in _VARIABLE}


_VARIABLE = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def check_config(component: type, config: Mapping[str, object], ranges: Mapping[str, Range]) -> None:
    """`ValueError` for the first argument of another type than the constructor's, or out of its range."""
    known = arguments(component)
    for name, value in config.items():
        wanted = known[name].annotation if name in known else None
        if value is None and name in known and known[name].default is None:
            continue
        if wanted is bool:
            if type(value) is not bool:
                raise ValueError(f"{name} is {_short(value)}; it must be true or false")
        elif wanted is str:
            if type(value) is not str or len(value) > MOST_LETTERS:
                raise ValueError(f"{name} is {_short(value)}; it must be a word")
        elif wanted is int:
            check_number(name, value, ranges.get(name, ANY_WHOLE), whole=True)
        elif wanted is float:
            check_number(name, value, ranges.get(name, ANY_REAL))
        else:
            check_values(name, value, ranges.get(name, ANY_REAL))


def check_number(name: str, value: object, within: Range, whole: bool = False) -> None:
    """`ValueError` for anything but a number from the least to the greatest."""
    kinds = (int,) if whole else (int, float)
    if not isinstance(value, int | float) or type(value) not in kinds or not within[0] <= value <= within[1]:
        kind = "be a whole number" if whole else "lie"
        raise ValueError(f"{name} must {kind} between {within[0]:g} and {within[1]:g}, not {_short(value)}")


def check_values(name: str, value: object, within: Range) -> None:
    """`ValueError` for a list, a word or a number that is too long or out of range."""
    left = [value]
    for count in range(MOST_VALUES + 1):
        if not left:
            return
        each = left.pop()
        if isinstance(each, list | tuple) and count + len(left) + len(each) <= MOST_VALUES:
            left += each
        elif isinstance(each, int | float) and not isinstance(each, bool):
            check_number(name, each, within)
        elif not (each is None or isinstance(each, bool) or (isinstance(each, str) and len(each) <= MOST_LETTERS)):
            break
    raise ValueError(f"{name} is {_short(value)}, which is too long, or no list of numbers")


def _short(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # A number of thousands of digits.
        return "something long"
    return text if len(text) <= 60 else f"{text[:60]}…"
