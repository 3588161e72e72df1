"""A blind user study of talking portraits (the paper's Section 4.2, Table 2): what is shown to whom, in which order.

FOLDER holds one sub-folder for each method, with clips of the same names: `FOLDER/<method>/<clip>.mp4`, real
recordings for instance under `reference`. Raters see neither method nor clip: copies without metadata, under names
that a secret of the study makes. Each rater sees the chosen clips of all methods in an order of their own: in every
round each clip once, from a method drawn for it, so that nobody sees one clip's versions in a row, and whoever stops
early has rated all methods about equally often.
"""

import hashlib
import random
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from geneface.errors import InputError

QUESTIONS = {"lip_sync": "Lip sync", "image_quality": "Image quality", "realness": "Realness"}
"""What is rated, from 1 (bad) to 5 (excellent), and how tables name it."""
PLAYABLE = frozenset({"h264", "vp8", "vp9", "av1"})
"""Codecs that every current browser plays."""
LANGUAGE = re.compile(r"([a-z]{2,3})[_-]")


@dataclass(frozen=True)
class Plan:
    """The protocol; by default the paper's."""

    clips: int = 10
    """that each rater sees, of every method"""
    languages: int = 3
    """A clip's language is the code that its name begins with, as in `de_hello.mp4`."""
    raters: int = 20


class Item(NamedTuple):
    method: str
    clip: str


def parse_plan(settings: Iterable[str], plan: Plan | None = None) -> Plan:
    """`plan` with settings like `raters=12` replaced."""
    values = dict(vars(plan or Plan()))
    known = [field.name for field in fields(Plan)]
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known or not value.isdigit() or int(value) < 1:
            raise InputError(f"{setting!r} is no part of a plan; give {', '.join(f'{k}=N' for k in known)}")
        values[name] = int(value)
    return Plan(**values)


class Study:
    """The clips of a folder, and what each rater sees of them."""

    def __init__(self, folder: str | Path, plan: Plan, secret: str):
        """`secret` makes the names under which clips are shown, and the orders."""
        self.folder, self.plan, self._secret = Path(folder), plan, secret
        self.methods, self.clips = find_clips(self.folder)

    @cached_property
    def items(self) -> dict[str, Item]:
        """Every clip of every method, by the name under which it is shown."""
        return {self.token(item): item for item in (Item(m, c) for m in self.methods for c in self.clips)}

    def token(self, item: Item) -> str:
        return hashlib.blake2b("/".join(item).encode(), key=self._secret.encode(), digest_size=12).hexdigest()

    @property
    def name(self) -> str:
        """A name of the study that tells nothing about it, for the raters' browsers."""
        return hashlib.blake2b(b"study", key=self._secret.encode(), digest_size=8).hexdigest()

    @property
    def videos(self) -> int:
        """that each rater sees"""
        return len(self.methods) * min(self.plan.clips, len(self.clips))

    def path(self, item: Item) -> Path:
        folder = self.folder / item.method
        path = folder / f"{item.clip}.mp4"
        return path if path.exists() else next((file for file in _clips(folder) if _name(file) == item.clip), path)

    def order(self, rater: str) -> list[Item]:
        """What a rater sees, always the same for the same rater."""
        rng = random.Random(f"{self._secret} {rater}")
        clips = _drawn(self.clips, self.plan.clips, rng)
        methods = {clip: rng.sample(self.methods, len(self.methods)) for clip in clips}
        return [
            Item(methods[clip][turn], clip)
            for turn in range(len(self.methods))
            for clip in rng.sample(clips, len(clips))
        ]

    def lacks(self) -> list[str]:
        """What the plan asks for and the folder does not have, in sentences."""
        found = []
        if len(self.clips) < self.plan.clips:
            found.append(f"the plan has {self.plan.clips} clips, the folder has {len(self.clips)}")
        languages = {language(clip) for clip in self.clips} - {""}
        if len(languages) < self.plan.languages:
            told = f"the clips' names tell {len(languages)}"
            found.append(f"the plan has {self.plan.languages} languages, {told} (name clips like de_hello.mp4)")
        return found

    def check(self) -> float:
        """Mean length of the clips in seconds; `InputError` for the first that cannot be shown or rated."""
        from geneface.media.video import VideoReader, probe

        seconds = 0.0
        for item in self.items.values():
            path = self.path(item)
            info = probe(path)
            with VideoReader(path):
                pass
            if info.video_codec not in PLAYABLE:
                raise InputError(
                    f"{path} is coded as {info.video_codec}, which browsers do not play; code it as H.264"
                )
            if not info.audio_codec:
                raise InputError(f"{path} has no sound, so its lip sync cannot be rated; add the speech to it")
            seconds += info.video_seconds
        return seconds / len(self.items)

    def copy_to(self, folder: Path) -> None:
        """Put a copy of each clip into `folder`, as `<token>.mp4`."""
        from geneface.media.remux import remux

        for token, item in self.items.items():
            remux(self.path(item), folder / f"{token}.mp4")


def find_clips(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the methods and of the clips that each of them has."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with a sub-folder of clips for each method")
    methods = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(methods) < 2:
        raise InputError(
            f"{folder} has {len(methods) or 'no'} method{'s' * (not methods)}; make two or more sub-folders"
        )
    clips = {method: {_name(path) for path in _clips(folder / method)} for method in methods}
    every = sorted(set().union(*clips.values()))
    if not every:
        raise InputError(f"{folder} has no clips; put them there as METHOD/CLIP.mp4")
    for method in methods:
        for clip in every:
            if clip not in clips[method]:
                place = folder / method / f"{clip}.mp4"
                raise InputError(f"{place} is missing; every method needs the same clips")
    return methods, every


def _clips(folder: Path) -> Iterable[Path]:
    return folder.glob("[!.]*.mp4")


def _name(clip: Path) -> str:
    # macOS writes letters and their accents apart, others together: it is the same name.
    return unicodedata.normalize("NFC", clip.stem)


def language(clip: str) -> str:
    """The language that a clip's name begins with; empty if it tells none."""
    found = LANGUAGE.match(clip)
    return found[1] if found else ""


def _drawn(clips: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """`count` of the clips, from all languages about equally many."""
    by_language: dict[str, list[str]] = {}
    for clip in rng.sample(clips, len(clips)):
        by_language.setdefault(language(clip), []).append(clip)
    turns = [(turn, clip) for group in by_language.values() for turn, clip in enumerate(group)]
    return [clip for _, clip in sorted(turns, key=lambda pair: pair[0])[:count]]
