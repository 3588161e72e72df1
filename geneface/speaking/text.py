"""Typed text: what of it can be spoken, and its sentences."""

import re
import unicodedata
from collections.abc import Iterator

from geneface.errors import InputError

CHARACTERS_A_SECOND = 15.0
"""Of English, about."""
LONGEST_TEXT = 9_000
"""Characters: about ten minutes."""
LONGEST_SENTENCE = 300
"""Characters of what is synthesised at once; a longer sentence is cut where it pauses."""
SIGNS = ("MODIFIER LETTER", "MICRO SIGN", "FEMININE ORDINAL", "MASCULINE ORDINAL")
"""Letters of no script that stand among Latin ones."""
_END = re.compile(r"""(?<=[.!?…])["'”’»)\]]*\s+(?=["'“‘«(\[]*[A-Z0-9À-ÖØ-Þ])""")
_SHORT_FORM = re.compile(r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Mt|vs|etc|e\.g|i\.e|No|Jr|Sr|Inc|Ltd|Co)\.$")
_PAUSES = (r"(?<=[;:])\s+", r"(?<=,)\s+|\s+(?=[–—])", r"\s+")
_WORD = re.compile(r"[^\W\d_]+")


def check_text(text: str) -> str:
    """The text without what cannot be heard.

    Raises:
        InputError: if there is nothing to say, more than `LONGEST_TEXT`, or another script than the Latin one.
    """
    kept = (" " if unicodedata.category(each) == "Cc" and each != "\n" else each for each in text)
    text = unicodedata.normalize("NFC", "".join(kept)).strip()
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"the text has {len(text):,} characters, more than the {LONGEST_TEXT:,} that are spoken at once; cut it"
        )
    if not any(each.isalnum() for each in text):
        raise InputError("there is nothing to say in the text; type a sentence")
    for word in _WORD.findall(text):
        if len(word) > 1 and (script := _foreign_script(word)):
            raise InputError(
                f'the text has "{word[:20]}" in {script} letters, and only Latin ones can be spoken; '
                "write it with these, or give a recording"
            )
    return text


def _foreign_script(word: str) -> str:
    """The name of the script of its first letter that is not Latin; empty if there is none."""
    for letter in word:
        name = unicodedata.name(letter, "UNKNOWN")
        if "LATIN" not in name and not name.startswith(SIGNS):
            return "Chinese" if name.startswith("CJK ") else name.split()[0].capitalize()
    return ""


def paragraphs(text: str) -> Iterator[list[str]]:
    """The sentences of each paragraph, none longer than `LONGEST_SENTENCE`; an empty line ends a paragraph."""
    for paragraph in re.split(r"\n[^\S\n]*\n", text):
        words = " ".join(paragraph.split())
        spoken = [part for sentence in _sentences(words) for part in _cut(sentence, _PAUSES)]
        if spoken := [part for part in spoken if any(each.isalnum() for each in part)]:
            yield spoken


def _sentences(words: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(words):
        if not _SHORT_FORM.search(words[start : match.start()]):
            yield words[start : match.end()].strip()
            start = match.end()
    yield words[start:].strip()


def _cut(sentence: str, pauses: tuple[str, ...]) -> Iterator[str]:
    """Pieces that are short enough, cut at the first of `pauses` that makes them so."""
    if len(sentence) <= LONGEST_SENTENCE:
        yield sentence
        return
    if not pauses:
        yield from (sentence[at : at + LONGEST_SENTENCE] for at in range(0, len(sentence), LONGEST_SENTENCE))
        return
    piece = ""
    for part in re.split(pauses[0], sentence):
        if piece and len(piece) + 1 + len(part) > LONGEST_SENTENCE:
            yield from _cut(piece, pauses[1:])
            piece = ""
        piece = f"{piece} {part}".strip()
    yield from _cut(piece, pauses[1:])
