"""A folder of clips to study."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from geneface.media.audio import open_audio
from geneface.media.video import VideoWriter

METHODS = ("geneface", "reference", "wav2lip")
CLIPS = ("en_one", "de_zwei")


def write_clip(path: Path, colour: Iterable[int] = (200, 120, 90), *, sound: bool = True, frames: int = 25) -> None:
    """A video of one colour, with a tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.broadcast_to(np.array(list(colour), np.uint8), (frames, 256, 256, 3))
    tone = 0.1 * np.sin(np.arange(frames * 640) / 8).astype(np.float32)
    with open_audio(tone, 16000) as audio, VideoWriter(path, (256, 256), audio if sound else None) as video:
        video.write(picture)


def write_study(folder: Path, methods: Iterable[str] = METHODS, clips: Iterable[str] = CLIPS) -> Path:
    rng = np.random.default_rng(0)
    for method in methods:
        for clip in clips:
            write_clip(folder / method / f"{clip}.mp4", rng.integers(60, 220, 3))
    return folder
