"""What comes out of a file, as a recording (`generate`) and as a film (`preprocess`)."""

from pathlib import Path

import numpy as np

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.media.resample import SteadyVideo, sound_start
from geneface.media.video import VideoReader
from geneface.utils.units import FPS
from tests.odd_media.making import SKIN


def words(error: InputError, path: Path) -> str:
    """The reason alone, without the name and the advice."""
    return "refused: " + str(error).replace(str(path), "it").split(";")[0].split(": ")[0]


def as_recording(path: Path) -> tuple[str, list[str]]:
    """What it is taken for, and notes; or why it is refused."""
    try:
        with open_audio(path) as sound:
            samples = sound.read(0, sound.samples)
            assert np.isfinite(samples).all() and np.abs(samples).max(initial=0) <= 1.5
            sound.read_track(0, sound.track_samples)
            loud = np.flatnonzero(np.abs(samples) > 0.3 * np.abs(samples).max(initial=0))
            when = f"beep at {loud[0] / 16000:.2f} s" if len(loud) and np.abs(samples).max() > 0.02 else "silence"
            return f"{sound.seconds:.2f} s, {when}", sound.notes
    except InputError as error:
        return words(error, path), []


def as_film(path: Path) -> tuple[str, list[str]]:
    """The same of its pictures; the flash is told in the clock of the sound."""
    try:
        with SteadyVideo(path) as video:
            levels, colour = [], SKIN
            for moment in video:
                picture = video.picture(moment)
                if not levels:
                    colour = tuple(int(value) for value in picture[:16, :16].reshape(-1, 3).mean(0).round())
                levels.append(float(picture.mean()))
            size, notes, frames = f"{video.width}x{video.height}", video.notes, len(levels)
            begin = video.start
        with VideoReader(path) as reader:
            assert sum(1 for _ in reader)
        try:
            begin -= sound_start(path)
        except InputError:
            begin = 0.0
        rise = np.flatnonzero(np.array(levels) > min(levels) + 0.6 * (max(levels) - min(levels)))
        flash = f", flash at {rise[0] / FPS + begin:.2f} s" if np.ptp(levels) > 25 else ""
        off = max(abs(one - two) for one, two in zip(colour, SKIN, strict=True))
        return f"{size}, {frames / FPS:.2f} s{flash}, colour off by {off}", notes
    except InputError as error:
        return words(error, path), []
