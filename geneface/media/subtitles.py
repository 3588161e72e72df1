"""Subtitles: what is said when, read from and written to .srt and .vtt, or spread over a recording."""

import html
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from geneface.errors import InputError
from geneface.files import write_text
from geneface.media.intake import open_file
from geneface.speaking.speech import Sentence
from geneface.speaking.text import paragraphs
from geneface.units import FPS, SAMPLES_PER_FRAME

if TYPE_CHECKING:
    from geneface.media.audio import AudioSource

How: TypeAlias = Literal["burn", "srt", "vtt"]
Transcript: TypeAlias = str | Sequence[Sentence]
"""What a recording says: in words, or with the times."""
HOW = ("burn", "srt", "vtt")
"""In the pictures, or in a file beside the video."""
LONGEST_TRANSCRIPT = 2_000_000
LONGEST_CUE = 84
"""Characters: two lines of 42, as broadcasters set them."""
SPEECH = 0.1
"""Of the loud parts' level: what is quieter is a pause."""
NEAR, SHORTEST_PAUSE = 30, 4
"""Frames: how far the end of a sentence is looked for, and the shortest pause that counts as one."""
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def read_transcript(path: str | Path) -> Transcript:
    """What a recording says: the sentences of an .srt or .vtt with their times, or the text of another file.

    Raises:
        InputError: for a file that cannot be read, or has no words.
    """
    path = Path(path)
    if path.suffix.lower() in (".srt", ".vtt"):
        return _read_timed(path)
    with open_file(path) as file:
        content = file.read(LONGEST_TRANSCRIPT + 1)
    try:
        text = content[: LONGEST_TRANSCRIPT + 1].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8; save it as that, or give an .srt or .vtt") from None
    if len(content) > LONGEST_TRANSCRIPT:
        raise InputError(f"{path} is longer than any recording's words; give the transcript of this one")
    if not any(each.isalnum() for each in text):
        raise InputError(f"{path} has no words in it; give what the recording says")
    return text


def _read_timed(path: Path) -> tuple[Sentence, ...]:
    import av

    said: list[Sentence] = []
    with open_file(path) as file:
        try:
            options = {"format_whitelist": "srt,webvtt", "protocol_whitelist": "file"}
            with av.open(file, mode="r", options=options, metadata_errors="ignore") as container:
                for packet in container.demux():
                    if packet.size and packet.pts is not None and packet.duration:
                        times = packet.pts, packet.pts + packet.duration
                        said.append(Sentence(_plain(bytes(packet)), *(float(t * packet.time_base) for t in times)))
        except (av.FFmpegError, OSError, ValueError):
            said.clear()
    said = sorted((each for each in said if each.text and each.end > max(each.start, 0)), key=lambda each: each.start)
    if not said:
        raise InputError(f"{path} has no subtitles that can be read; give an .srt or .vtt with times")
    return tuple(said)


def _plain(content: bytes) -> str:
    """Without marks of style, which are not carried over."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    return html.unescape(_TAG.sub("", text)).strip()


def spread(text: str, source: "AudioSource") -> tuple[Sentence, ...]:
    """The sentences of a text over the parts of a recording that are not pauses, by their lengths.

    That is a guess without a recogniser: a sentence ends in the longest pause that is near to where it should.
    """
    sentences = [sentence for paragraph in paragraphs(text) for sentence in paragraph]
    blocks = range(0, source.samples, SAMPLES_PER_FRAME)
    levels = np.array([np.abs(source.read(at, at + SAMPLES_PER_FRAME)).mean() for at in blocks])
    spoken = levels > SPEECH * np.percentile(levels, 95)
    if not spoken.any():
        spoken[:] = True
    # Frames of speech up to the end of each frame, and up to the end of each sentence.
    said = np.cumsum(spoken)
    lengths = np.cumsum([*map(len, sentences)])
    ends = _in_pauses(lengths / lengths[-1] * said[-1], said)
    first = np.searchsorted(said, np.concatenate([[0.0], ends[:-1]]), side="right")
    last = np.searchsorted(said, ends - 1e-6) + 1
    times = zip(first / FPS, last / FPS, strict=True)
    return tuple(
        Sentence(sentence, float(start), float(end)) for sentence, (start, end) in zip(sentences, times, strict=True)
    )


def _in_pauses(ends: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Ends of sentences in frames of speech, each but the last moved into the longest pause near to it."""
    places, silent = np.unique(said, return_counts=True)
    for i in range(len(ends) - 1):
        near = (np.abs(places - ends[i]) <= NEAR) & (silent > SHORTEST_PAUSE) & (places < said[-1]) & (places > 0)
        if near.any():
            ends[i] = places[near][silent[near].argmax()]
    return np.maximum.accumulate(ends)


def timed(source: "AudioSource", transcript: Transcript | None) -> tuple[Sentence, ...]:
    """What to show with a recording; `InputError` if nothing tells what it says."""
    if isinstance(transcript, str):
        return spread(transcript, source)
    if not (transcript or source.sentences):
        raise InputError(f"nothing tells what {source.name} says; give its transcript, or leave subtitles out")
    return tuple(transcript or source.sentences)


def beside(video: Path, how: str | None) -> Path | None:
    """The file of subtitles that belongs to a video; None if they are burnt in, or there are none."""
    return video.with_suffix(f".{how}") if how in ("srt", "vtt") else None


def cues(sentences: Iterable[Sentence]) -> list[Sentence]:
    """What is shown at once: sentences cut to `LONGEST_CUE` characters at spaces, their time shared by length."""
    shown: list[Sentence] = []
    for sentence in sentences:
        lines = [line for line in sentence.text.splitlines() if line.strip()]
        parts = [sentence.text] if len(lines) > 1 else _cut(" ".join(sentence.text.split()))
        places = np.cumsum([0, *map(len, parts)]) / sum(map(len, parts))
        times = (sentence.start + places * (sentence.end - sentence.start)).tolist()
        shown += [Sentence(part, *span) for part, span in zip(parts, pairwise(times), strict=True)]
    return shown


def _cut(text: str) -> list[str]:
    count = -(-len(text) // LONGEST_CUE)
    parts: list[str] = []
    words = text.split(" ")
    for left in range(count, 1, -1):
        wanted = len(" ".join(words)) / left
        part = words.pop(0)
        while words and abs(len(part) + 1 + len(words[0]) - wanted) <= abs(len(part) - wanted):
            part += f" {words.pop(0)}"
        parts.append(part)
    return [part for part in [*parts, " ".join(words)] if part]


def write_subtitles(path: Path, sentences: Sequence[Sentence]) -> None:
    """Write an .srt or a .vtt, by the file's suffix."""
    web = path.suffix.lower() == ".vtt"
    entries = ["WEBVTT\n"] if web else []
    for number, cue in enumerate(cues(sentences), 1):
        start, end = (_clock(seconds, "." if web else ",") for seconds in (cue.start, cue.end))
        entries.append(f"{number}\n{start} --> {end}\n{_escaped(cue.text) if web else cue.text}\n")
    write_text(path, "\n".join(entries))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _clock(seconds: float, point: str) -> str:
    thousandths = round(seconds * 1000)
    return (
        f"{thousandths // 3_600_000:02d}:{thousandths // 60_000 % 60:02d}:{thousandths // 1000 % 60:02d}"
        f"{point}{thousandths % 1000:03d}"
    )
