"""Which videos are compared with which: two videos, or folders whose clips are matched by name."""

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from geneface.errors import InputError
from geneface.media.container import VIDEO_SUFFIXES

REFERENCE = "reference"
"""The row of the real videos, which no method can have."""


@dataclass(frozen=True)
class Plan:
    """Clips and methods, in the order of the report."""

    reference: dict[str, Path]
    """The real video of each clip."""
    methods: dict[str, dict[str, Path]]
    """For each method its video of each clip that it has."""
    notes: list[str] = field(default_factory=list)


def plan_clips(reference: str | Path, generated: str | Path) -> Plan:
    """Match videos by their file names without the ending.

    Two videos are one clip. Of two folders, `generated` holds either videos, which are one method's, or a folder of
    videos for each method; there the folder `reference` itself may lie, too. Raises `InputError` if nothing matches.
    """
    reference, generated = Path(reference), Path(generated)
    for path in (reference, generated):
        if not path.exists():
            raise InputError(f"{path} does not exist; name two videos or two folders of videos")
    if reference.is_file() and generated.is_file():
        method = generated.stem if generated.stem not in (REFERENCE, reference.stem) else "generated"
        return Plan({reference.stem: reference}, {method: {reference.stem: generated}})
    if reference.is_file() or generated.is_file():
        raise InputError(f"{reference} and {generated} are a folder and a file; name two videos or two folders")
    real = _videos(reference)
    if not real:
        raise InputError(
            f"{reference} holds no videos ({', '.join(VIDEO_SUFFIXES)}); name the folder of the real ones"
        )
    notes: list[str] = []
    methods: dict[str, dict[str, Path]] = {}
    for name, videos in _methods(reference, generated).items():
        methods[name] = {clip: path for clip, path in videos.items() if clip in real}
        if surplus := sorted(videos.keys() - real.keys()):
            notes.append(f"{name}: no reference for {', '.join(surplus)}, which is left out")
        if lacking := [clip for clip in real if clip not in videos]:
            notes.append(f"{name}: has no {', '.join(lacking)}; its figures are those of the other clips")
    methods = {name: clips for name, clips in methods.items() if clips}
    if not methods:
        raise InputError(f"no video in {generated} has the name of one in {reference}; name each clip alike in both")
    used = {clip: path for clip, path in real.items() if any(clip in clips for clips in methods.values())}
    return Plan(used, methods, notes)


def _methods(reference: Path, generated: Path) -> dict[str, dict[str, Path]]:
    inside = {
        folder.name: videos
        for folder in sorted(generated.iterdir())
        if folder.is_dir() and not folder.name.startswith(".") and not folder.samefile(reference)
        if (videos := _videos(folder))
    }
    if REFERENCE in inside:
        raise InputError(f"{generated / REFERENCE} is another folder than {reference}; give that method another name")
    direct = _videos(generated)
    if direct and inside:
        raise InputError(
            f"{generated} holds videos and also folders of videos ({', '.join(inside)}); "
            "put each method's videos into a folder of its own"
        )
    if not direct and not inside:
        raise InputError(f"{generated} holds no videos; put a method's videos there, or a folder for each method")
    name = generated.resolve().name
    return inside or {name if name != REFERENCE else "generated": direct}


def _videos(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file():
            # macOS writes letters and their accents apart, others together: it is the same name.
            name = unicodedata.normalize("NFC", path.stem)
            if name in found:
                raise InputError(f"{path} and {found[name].name} are both named {name}; keep one of them")
            found[name] = path
    return found
