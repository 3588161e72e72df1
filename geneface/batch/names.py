"""Names of files that no list can make collide, or lead out of their folder, on any system."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

LONGEST = 120
"""Bytes in UTF-8; systems allow 255, and unfinished files have longer names."""
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""What Windows keeps for itself."""


def safe_name(wish: str) -> str:
    """A file's name, without a suffix, that is as like to `wish` as can be."""
    name = FORBIDDEN.sub("_", unicodedata.normalize("NFC", wish))
    name = "".join(each for each in name if unicodedata.category(each)[0] != "C")
    name = name.encode()[:LONGEST].decode(errors="ignore").strip("._ ").lstrip("-")
    if not name or DEVICES.match(name):
        name = f"_{name}"
    return name if any(each.isalnum() for each in name) else "video"


def name_of_text(text: str) -> str:
    """The first words of a text."""
    words = re.findall(r"[\w'’-]+", text)[:6]
    return safe_name("-".join(words)[:50])


def different_names(given: Iterable[str], made: Iterable[str]) -> list[str]:
    """One safe name for each pair, no two alike even where capitals do not count.

    Args:
        given: What somebody asked for, which goes first; empty if nobody did.
        made: What is taken else.
    """
    wishes = [(bool(wish), safe_name(wish or other)) for wish, other in zip(given, made, strict=True)]
    taken: set[str] = set()
    names = [""] * len(wishes)
    for asked in (True, False):
        for index, (its, name) in enumerate(wishes):
            if its == asked:
                names[index] = _free(name, taken)
                taken.add(names[index].casefold())
    return names


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def stem(path: str) -> str:
    """Of a recording's name."""
    return Path(path).stem
