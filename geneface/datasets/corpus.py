"""A corpus: many speakers' clips in one folder, read one clip at a time so that any size fits.

corpus/
    clips.jsonl          one `Clip` a line, paths relative to the folder
    audio/NAME.opus      any format that `media.audio` reads
    tracks/NAME.safetensors   `lm3d` [T, 68, 3]
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from geneface.bundles.component import read_tensors
from geneface.errors import InputError
from geneface.media.audio import load_audio
from geneface.utils.units import SAMPLES_PER_FRAME


@dataclass(frozen=True)
class Clip:
    """One recording of one speaker; what is not known of it is empty."""

    name: str
    audio: str
    seconds: float
    speaker: str
    language: str = ""
    source: str = ""
    split: str = "train"
    phonemes: list[str] = field(default_factory=list)
    """What is said, without times, in the symbols of `face.phonemes`."""
    phones: list[tuple[str, float, float]] = field(default_factory=list)
    """(symbol, start, end) in seconds, silences included."""
    lm3d: str = ""
    """Path of the tracked landmarks: LM3D of the mean identity, [T, 68, 3]."""
    offset: int = 0
    """Frames by which the picture is early in the files: `Corpus` gives sound and landmarks in step."""


class Corpus:
    """A list of clips with their folder."""

    def __init__(self, folder: str | Path, clips: Iterable[Clip] | None = None):
        self.folder = Path(folder)
        self.clips = list(clips) if clips is not None else self._read()
        if not self.clips:
            raise InputError(f"{self.folder} holds no clips: name a folder made by `geneface corpus`")

    def _read(self) -> list[Clip]:
        path = self.folder / "clips.jsonl"
        try:
            with path.open(encoding="utf-8") as lines:
                return [Clip(**json.loads(line)) for line in lines]
        except (OSError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a list of clips ({error}); make it with `geneface corpus`") from None

    def select(self, **wanted: str) -> "Corpus":
        """The clips whose fields equal `wanted`, such as `split="train"`."""
        return Corpus(self.folder, [c for c in self.clips if all(getattr(c, k) == v for k, v in wanted.items())])

    def __len__(self) -> int:
        return len(self.clips)

    def audio(self, clip: Clip) -> np.ndarray:
        """[N] float32 at 16 kHz, in step with the landmarks."""
        return load_audio(self.folder / clip.audio)[max(0, clip.offset) * SAMPLES_PER_FRAME :]

    def lm3d(self, clip: Clip) -> np.ndarray:
        """[T, 68, 3] float32, in step with the sound."""
        lm3d = read_tensors(self.folder / clip.lm3d, "corpus")["lm3d"].float().numpy()
        return lm3d[max(0, -clip.offset) : len(lm3d) - max(0, clip.offset)]


def write_clips(folder: Path, clips: Iterable[Clip]) -> None:
    with (folder / "clips.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(clip), ensure_ascii=False) + "\n" for clip in clips)


def choose(clips: list[Clip], hours: float, seed: int = 0) -> list[Clip]:
    """About `hours` of the clips, as much of each language as of any other where there is enough of it."""
    rng = np.random.default_rng(seed)
    languages: dict[str, list[Clip]] = defaultdict(list)
    for index in rng.permutation(len(clips)):
        languages[clips[index].language].append(clips[index])
    chosen: list[Clip] = []
    left = 3600 * hours
    by_size = sorted(languages.values(), key=lambda group: sum(clip.seconds for clip in group))
    for position, group in enumerate(by_size):
        ends = np.cumsum([clip.seconds for clip in group])
        count = int(np.searchsorted(ends, left / (len(by_size) - position), side="right"))
        chosen += group[:count]
        left -= float(ends[count - 1]) if count else 0.0
    return chosen
