"""A video of one person -> a person dataset (`datasets.person`), in steps that are kept and gone on from after a kill.

Until all of it is there, it lies in a hidden folder beside the target; each step writes one file of it, whole or not
at all. A step whose file is there is not done again, unless the video or the settings have changed; nor are the parts
that are kept of the step in which a run was killed.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from geneface import __version__
from geneface.bundles.index import FORMAT_VERSION
from geneface.datasets.person import split_range
from geneface.errors import InputError
from geneface.face.crop import SIZE
from geneface.media.intake import file_identity
from geneface.preprocessing.preprocess_steps import DETECTORS, EXTRACTOR, PARTS, STEPS, Job, Settings
from geneface.preprocessing.progress import StepProgress
from geneface.utils.files import ResumableFolder, finished, read_json, write_json
from geneface.utils.units import FPS

MANIFEST = "manifest.json"
INTERIM = ("scan.json", "sound.json", "points", PARTS, "landmarks.safetensors", "background.json", "report.json")


def preprocess(
    video: str | Path,
    target: str | Path,
    settings: Settings | None = None,
    *,
    assets_folder: str | Path | None = None,
    progress: StepProgress | None = None,
) -> Path:
    """Make the person dataset `target` of a video of one talking person.

    Whatever was done before a kill is kept. A finished dataset of the same video and settings is left as it is.
    Returns the dataset's folder. Raises `InputError` for a video that cannot be used, with the reason.
    """
    video, target = Path(video), Path(target).absolute()
    settings = settings or Settings()
    if settings.landmarks not in DETECTORS:
        raise InputError(f"unknown landmarks {settings.landmarks!r}; choose one of {', '.join(DETECTORS)}")
    made_of = {"video": file_identity(video), "settings": asdict(settings), "version": FORMAT_VERSION}
    if finished(target, MANIFEST, made_of, "dataset"):
        return target
    with ResumableFolder(target, made_of) as work:
        progress = progress or StepProgress()
        job = Job(video, work.path, settings, Path(assets_folder) if assets_folder else None, progress)
        for done, step in enumerate(STEPS):
            if (work.path / step.file).exists():
                continue
            progress.part(step.title, done, len(STEPS))
            try:
                with work.making(step.file) as partial:
                    step.make(job, partial)
                shutil.rmtree(work.path / PARTS, ignore_errors=True)
            except InputError:
                if done == 0:  # A video that is refused leaves nothing behind.
                    work.discard()
                raise
        write_json(work.path / MANIFEST, _manifest(job, made_of))
        work.finish(without=INTERIM)
    return target


def _manifest(job: Job, made_of: Mapping[str, object]) -> dict[str, object]:
    scan, found = job.scan(), read_json(job.work / "report.json", "run")
    sound = read_json(job.work / "sound.json", "run")
    parts = {name: split_range(scan.frames, name) for name in ("train", "dev", "test")}
    return {
        "source": job.video.name,
        "synthetic": False,
        "version": FORMAT_VERSION,
        "geneface_version": __version__,
        "fps": FPS,
        "size": SIZE,
        "frames": scan.frames,
        "splits": {name: [part.start, part.stop] for name, part in parts.items()},
        "settings": asdict(job.settings),
        "feature_extractor": read_json(EXTRACTOR / "config.json").get("identity", ""),
        "made_of": made_of,
        "scan": scan.to_json(),
        "sound_and_picture": {name: sound[name] for name in ("moved", "offset_frames", "r", "margin", "sure")},
        **found,
    }
