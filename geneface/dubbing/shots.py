"""The shots of a video in which a face can be followed: where it is in each frame, and how it moves there."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geneface.datasets.person import PersonDataset
from geneface.errors import InputError
from geneface.face.crop import Crop
from geneface.media.resample import SteadyVideo
from geneface.preprocessing.preprocess_steps import STEPS, Job, Settings
from geneface.preprocessing.progress import StepProgress
from geneface.preprocessing.scan import SHORTEST, Scan, look_through
from geneface.utils.files import ResumableFolder, atomic_write, read_json, write_json
from geneface.utils.units import FPS

FOLLOWED = ("frames.mp4", "landmarks.safetensors", "masks.safetensors", "tracks.safetensors", "background.png")
"""What of a person dataset following a face takes: neither its sound nor its overview."""
OVERVIEW = "overview.json"


@dataclass(frozen=True)
class Shot:
    """A part of a video in which a face was followed."""

    times: np.ndarray
    """[n] seconds of the tracked pictures from the video's first one, not falling."""
    data: PersonDataset
    crop: Crop
    """The square of the video that the dataset's pictures show."""

    def __contains__(self, time: float) -> bool:
        return bool(self.times[0] - 0.5 / FPS < time < self.times[-1] + 1 / FPS)

    def place(self, times: np.ndarray) -> np.ndarray:
        """Where [k] in its frames, fractions between them, the pictures of these `times` [k] lie."""
        fresh = np.flatnonzero(np.diff(self.times, prepend=-1.0) > 0)
        return np.interp(times, self.times[fresh], fresh)


def follow_shots(
    video: Path, work: ResumableFolder, assets: Path | None, progress: StepProgress
) -> tuple[list[Shot], list[str]]:
    """The shots of `video` with a face that can be followed, and a sentence for each of the others.

    What was made before a kill is taken from `work`.
    Raises `InputError` if there is none, with the reason.
    """
    overview = work.path / OVERVIEW
    if not overview.is_file():
        with work.making(OVERVIEW) as partial:
            write_json(partial, _overview(Job(video, work.path, Settings(), assets, progress)))
    found = read_json(overview, "run")
    times, shots = np.array(found["times"]), []
    for scan in map(Scan.from_json, found["scans"]):
        folder = work.path / f"shot_{scan.first}"
        _track(Job(video, folder, Settings(), assets, progress), scan)
        shots.append(Shot(times[scan.first : scan.first + scan.frames], PersonDataset(folder), scan.crop))
    return shots, found["notes"]


def _overview(job: Job) -> dict[str, object]:
    scans, notes = [], []
    with SteadyVideo(job.video) as video, job.detector() as detector:
        seen = look_through(video, detector)
        for first, stop in seen.shots:
            try:
                if stop - first < SHORTEST:
                    raise InputError(f"it is shorter than {SHORTEST // FPS} s")
                scans.append(seen.scan(video, first, stop).to_json())
            except InputError as error:
                notes.append(f"the shot from {first / FPS:.1f} to {stop / FPS:.1f} s keeps its own mouth: {error}")
        notes += video.notes
    if not scans:
        raise InputError(f"in no shot of {job.video} a face can be followed: {notes[0].partition(': ')[2]}")
    return {"times": seen.times, "scans": scans, "notes": notes}


def _track(job: Job, scan: Scan) -> None:
    job.work.mkdir(exist_ok=True)
    write_json(job.work / "scan.json", scan.to_json())
    write_json(job.work / "manifest.json", {"frames": scan.frames})
    steps = [step for step in STEPS if step.file in FOLLOWED]
    for done, step in enumerate(steps):
        if not (job.work / step.file).exists():
            job.progress.part(step.title, done, len(steps))
            with atomic_write(job.work / step.file) as partial:
                step.make(job, partial)
