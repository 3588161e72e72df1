"""Many videos, one after the other: rows of a person together, whatever fails said and passed over."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from geneface.batch.manifest import Job, Manifest, Outcome
from geneface.batch.rows import Row
from geneface.errors import InputError, os_sentence
from geneface.files import LOCK, locked
from geneface.generate import GeneratedVideo, generate_video, loaded, output_writer
from geneface.media.intake import refuse_overwriting
from geneface.media.subtitles import How, beside, read_transcript
from geneface.media.video import check_output, probe
from geneface.speaking.speech import check_request
from geneface.speaking.text import CHARACTERS_A_SECOND
from geneface.stopping import Stopped, StopToken

if TYPE_CHECKING:
    from geneface.pipeline import GeneFacePipeline

Load = Callable[[str], "GeneFacePipeline"]
"""Person -> pipeline."""


@dataclass(frozen=True)
class Step:
    """A row is over: which, of how many, how it ended, and how many seconds the rest may take."""

    number: int
    total: int
    outcome: Outcome
    left: float


@dataclass(frozen=True)
class Summary:
    """How a batch ended."""

    made: int
    kept: int
    """Were there already."""
    failed: int


def make(job: Job, folder: Path, pipe: "GeneFacePipeline", stop: StopToken | None = None) -> Outcome:
    """Make one video. It needs nothing but its arguments, and whatever goes wrong is in the outcome.

    Raises only `Stopped`, and what is no `Exception`.
    """
    row, start = job.row, time.perf_counter()
    said = {name: value for name, value in asdict(row).items() if value}
    try:
        video = generate_row(row, folder / job.file, pipe, mark=job.mark, stop=stop)
    except Stopped:
        raise
    except Exception as error:
        return Outcome(key=job.key, file=job.file, state="failed", error=_reason(error), row=said)
    return Outcome(
        key=job.key,
        file=job.file,
        state="done",
        frames=video.frames,
        elapsed=round(time.perf_counter() - start, 3),
        seed=video.seed,
        notes=tuple(filter(None, (*video.notes, video.unsigned))),
        row=said,
    )


def generate_row(
    row: Row,
    output: Path,
    pipe: "GeneFacePipeline | Callable[[], GeneFacePipeline]",
    *,
    mark: bool = True,
    stop: StopToken | None = None,
) -> GeneratedVideo:
    """`generate_video` of what a row says; whatever can be checked without a person is, before one is loaded."""
    options = row.checked()
    transcript = read_transcript(row.transcript) if row.transcript else None
    if file := beside(output, row.subtitles):
        refuse_overwriting(file, [row.audio, row.transcript])
    speech = None
    if row.text:
        check_output(output, output_writer(options).suffix, [options.background])
        check_request(row.text, row.voice)
        pipe = loaded(pipe)
        speech = pipe.say(row.text, row.voice or None, stop=stop)
    return generate_video(
        pipe,
        speech or row.audio,
        output,
        options=options,
        mark=mark,
        subtitles=cast("How | None", row.subtitles or None),
        transcript=transcript,
        stop=stop,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, InputError):
        return str(error)
    return os_sentence(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def run_batch(
    jobs: Sequence[Job],
    folder: str | Path,
    load: Load,
    *,
    on_step: Callable[[Step], None] | None = None,
    stop: StopToken | None = None,
) -> Summary:
    """Make all videos that are not in `folder` already; a person is loaded once, and one at a time is in memory.

    Raises:
        InputError: if the folder cannot be written, or another process works in it.
        Stopped: if asked to; what is made stays, and the next run goes on from there.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be a folder of videos ({error.strerror}); name another") from None
    with locked(folder):
        manifest = Manifest(folder)
        waiting = [job for job in jobs if not manifest.is_done(job)]
        order = {person: place for place, person in enumerate(dict.fromkeys(job.row.person for job in waiting))}
        persons, clock = _Persons(load), _Clock(waiting)
        kept, made, failed = len(jobs) - len(waiting), 0, 0
        try:
            for number, job in enumerate(sorted(waiting, key=lambda job: order[job.row.person]), 1):
                if stop is not None:
                    stop.check()
                outcome = _outcome(job, manifest, persons, stop)
                manifest.add(outcome)
                made, failed = made + (outcome.state == "done"), failed + (outcome.state == "failed")
                if on_step is not None:
                    on_step(Step(number, len(waiting), outcome, clock.left(job)))
        except (Stopped, KeyboardInterrupt) as stopped:
            stopped.add_note(f"{kept + made} of {len(jobs)} videos are made, and the same command goes on from there")
            raise
        with suppress(OSError):
            (folder / LOCK).unlink()
        return Summary(made, kept, failed)


def _outcome(job: Job, manifest: Manifest, persons: "_Persons", stop: StopToken | None) -> Outcome:
    try:
        job.row.checked()
        pipe = persons.get(job.row.person)
        manifest.begin(job)
    except InputError as error:
        return Outcome(key=job.key, file=job.file, state="failed", error=str(error))
    return make(job, manifest.folder, pipe, stop)


class _Persons:
    """The person who spoke last, and what was wrong with those that could not be loaded."""

    def __init__(self, load: Load):
        self._load = load
        self._last: tuple[str, GeneFacePipeline] | None = None
        self._wrong: dict[str, str] = {}

    def get(self, name: str) -> "GeneFacePipeline":
        if name in self._wrong:
            raise InputError(self._wrong[name])
        if self._last is None or self._last[0] != name:
            self._last = None  # Its memory is free before the next one is loaded.
            try:
                self._last = name, self._load(name)
            except Exception as error:
                self._wrong[name] = _reason(error)
                raise InputError(self._wrong[name]) from error
        return self._last[1]


class _Clock:
    """How long the rest may take, by the lengths of what is to be said."""

    def __init__(self, jobs: Sequence[Job]):
        self._lengths = {job.key: _seconds(job) for job in jobs}
        self._left = sum(self._lengths.values())
        self._done = 0.0
        self._start = time.perf_counter()

    def left(self, job: Job) -> float:
        """Seconds for all that come after this one, which is over."""
        self._done += self._lengths[job.key]
        self._left -= self._lengths[job.key]
        return (time.perf_counter() - self._start) * max(self._left, 0.0) / max(self._done, 1e-9)


def _seconds(job: Job) -> float:
    """About how long the video will be."""
    if job.row.text:
        return len(job.row.text) / CHARACTERS_A_SECOND
    try:
        return probe(job.row.audio).audio_seconds or 1.0
    except (InputError, OSError):
        return 0.01
