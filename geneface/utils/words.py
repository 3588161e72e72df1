"""Durations and messages in words, for those who read them."""

from collections.abc import Mapping


def duration(seconds: float) -> str:
    """How long, to the second: "35 s", "2 min 05 s"."""
    whole = max(round(seconds), 1)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def about(seconds: float) -> str:
    """How long, as far as one can tell: "less than a minute", "about 2 h 10 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60 // 5 * 5} min"


def sentence(message: str, names: Mapping[str, str] | None = None) -> str:
    """A message with a capital, unless it begins with the name of something, and a full stop.

    Args:
        names: What to call files whose paths the reader does not know.
    """
    for path, name in (names or {}).items():
        message = message.replace(path, name)
    text = message.strip()
    start = text[:1].upper() if text.split(" ")[0].isalpha() else text[:1]
    return start + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
