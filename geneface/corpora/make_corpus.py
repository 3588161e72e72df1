"""A folder of talking videos -> a corpus (`geneface corpus`), in steps that are kept and gone on from after a kill.

The speaker of a video is the folder it lies in, below the one given; directly in that, its own name. Speakers are
shared out over train, dev and test by their names, so that more videos do not move anyone.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from geneface.bundles.index import FORMAT_VERSION
from geneface.corpora.corpus_video import Filter, Found, Tools, take_video
from geneface.datasets.corpus import Clip, write_clips
from geneface.errors import InputError
from geneface.media.container import VIDEO_SUFFIXES
from geneface.utils.files import ResumableFolder, finished, read_json, write_json

REPORT, NOTES = "report.json", "videos"
SHARES = {"test": 0.05, "dev": 0.05}


@dataclass(frozen=True)
class Summary:
    """What became of the videos."""

    folder: Path
    videos: int
    clips: int
    seconds: float
    speakers: int
    left_out: dict[str, list[str]]
    """Sentences by video."""
    moved: dict[str, int] = field(default_factory=dict)
    """Frames by which the sound of a video was moved to fit the lips."""

    def text(self) -> str:
        """In words."""
        lines = [
            f"{self.clips} clips, {self.seconds / 60:.1f} minutes, {self.speakers} speakers, from {self.videos} videos"
        ]
        for video, reasons in self.left_out.items():
            lines += [f"left out of {video}: {reason}" for reason in reasons]
        lines += [f"sound of {video} moved by {frames} frames to fit the lips" for video, frames in self.moved.items()]
        return "\n".join(lines)


def find_videos(folder: Path) -> list[Path]:
    """All videos below a folder, in order; `InputError` if there is none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name one that holds videos")
    # macOS puts a hidden file of the same ending beside each one on disks that are not its own.
    named = (path for path in folder.rglob("[!.]*") if path.suffix.lower() in VIDEO_SUFFIXES)
    found = sorted(path for path in named if path.is_file())
    if not found:
        raise InputError(f"{folder} holds no videos ({', '.join(VIDEO_SUFFIXES)}); name another folder")
    return found


def speaker_of(video: Path, folder: Path) -> str:
    below = video.relative_to(folder).parts
    return unicodedata.normalize("NFC", below[0] if len(below) > 1 else video.stem)


def split_of(speaker: str) -> str:
    """The part of the corpus that a speaker belongs to, by nothing but the name."""
    place = int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:4]) / 2**32
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    return "train"


def make_corpus(
    source: str | Path,
    target: str | Path,
    tools: Tools,
    wanted: Filter | None = None,
    *,
    language: str = "",
    progress: Callable[[Iterable[Path]], Iterable[Path]] = lambda items: items,
) -> Summary:
    """Make the corpus `target` of the videos below `source`.

    A video that was done before a kill is not done again, unless it or the settings have changed. A video that
    cannot be used is left out, with the reason in `report.json`. Raises `InputError` if none can be used.
    """
    source, target, wanted = Path(source), Path(target).absolute(), wanted or Filter()
    videos = find_videos(source)
    made_of: dict[str, object] = {"source": str(source.absolute()), "filter": asdict(wanted), "language": language}
    made_of |= {"version": FORMAT_VERSION, "videos": {str(v.relative_to(source)): _identity(v) for v in videos}}
    if report := finished(target, REPORT, made_of, "corpus"):
        return Summary(target, **{name: value for name, value in report.items() if name != "made_of"})
    with ResumableFolder(target, {name: value for name, value in made_of.items() if name != "videos"}) as work:
        for name in ("audio", "tracks", NOTES):
            (work.path / name).mkdir(exist_ok=True)
        clips: list[Clip] = []
        left_out: dict[str, list[str]] = {}
        moved: dict[str, int] = {}
        for video in progress(videos):
            found = _once(video, source, work.path, wanted, tools)
            speaker = speaker_of(video, source)
            for name, seconds in zip(found.names, found.seconds, strict=True):
                audio, track = f"audio/{name}.flac", f"tracks/{name}.safetensors"
                clips.append(Clip(name, audio, seconds, speaker, language, source.name, split_of(speaker), lm3d=track))
            if found.moved:
                moved[str(video.relative_to(source))] = found.moved
            if found.left_out:
                left_out[str(video.relative_to(source))] = found.left_out
        if not clips:
            work.discard()
            name, reasons = next(iter(left_out.items()))
            raise InputError(f"none of the {len(videos)} videos in {source} can be used; of {name}: {reasons[0]}")
        write_clips(work.path, clips)
        seconds, speakers = sum(clip.seconds for clip in clips), len({clip.speaker for clip in clips})
        summary = Summary(target, len(videos), len(clips), seconds, speakers, left_out, moved)
        known = {name: value for name, value in vars(summary).items() if name != "folder"}
        write_json(work.path / REPORT, {"made_of": made_of, **known})
        work.finish(without=[NOTES])
    return summary


def _identity(video: Path) -> list[int]:
    facts = video.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _once(video: Path, source: Path, work: Path, wanted: Filter, tools: Tools) -> Found:
    """What the video gives, from the note on it where there is one."""
    place = video.relative_to(source)
    name = "-".join(place.parts)
    note = work / NOTES / f"{name}.json"
    if note.exists() and (content := read_json(note, "run")).pop("identity") == _identity(video):
        return Found(**content)
    try:
        found = take_video(video, work, name.replace(".", "_"), wanted, tools)
    except InputError as error:
        found = Found([], [], [str(error).removeprefix(f"{video}: ").replace(str(video), "it")])
    write_json(note, {"identity": _identity(video), **found._asdict()})
    return found
