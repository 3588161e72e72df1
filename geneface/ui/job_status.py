"""How a training is getting on, and what is asked of a name and a video before it begins."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from geneface.errors import InputError
from geneface.media.video import probe

SHORTEST, LONGEST = 10, 600
"""Length of a video in seconds."""
State = Literal["preparing", "review", "training", "stopping", "stopped", "failed", "done"]


@dataclass(frozen=True)
class JobStatus:
    """How a training is getting on."""

    person: str
    """Name of the person's folder."""
    name: str
    state: State
    stage: str = ""
    """While preparing and training: "preprocess", "renderer", "post_net" or "bundle"."""
    detail: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    """PSNR in dB of unseen frames: full, head, mouth."""
    measured: dict[str, float] = field(default_factory=dict)
    """Of the prepared video, see `data.report.Figures`."""
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    contact_sheet: Path | None = None
    preview: Path | None = None

    @property
    def running(self) -> bool:
        return self.state in ("preparing", "training", "stopping")


def folder_name(name: str) -> str:
    """A person's folder from the name: "Anna Maria" -> "anna-maria"; `InputError` if nothing is left."""
    plain = unicodedata.normalize("NFC", name).lower()
    folder = re.sub(r"[^\w]+", "-", plain).strip("-_")[:60]
    if not folder:
        raise InputError("Give the person a name with at least one letter.")
    return folder


def check_video(video: Path) -> None:
    """Raise `InputError` for what can be seen at once to be no use."""
    try:
        facts = probe(video)
    except InputError:
        raise InputError("The file is not a video that can be read; give an mp4, mov, webm or mkv.") from None
    if not facts.width:
        raise InputError("The file has no picture; give a video.")
    if not facts.audio_codec:
        raise InputError("The video has no sound; the person must be heard speaking.")
    # A recording of a browser does not say how long it is.
    if facts.video_seconds and not SHORTEST <= facts.video_seconds <= LONGEST:
        raise InputError(
            f"The video is {facts.video_seconds:.0f} s long; give {SHORTEST} seconds to {LONGEST // 60} minutes."
        )
