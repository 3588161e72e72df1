import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from motion_corpus import write_wave
from tones import speak_in_tones

from geneface.batch.manifest import MANIFEST, Job, Manifest, Outcome, plan_jobs
from geneface.batch.rows import Row
from geneface.batch.run import Step, Summary, run_batch
from geneface.errors import InputError
from geneface.media.video import probe
from geneface.utils.files import locked
from geneface.utils.stopping import Stopped, StopToken

SMALL = {"size": 64, "seed": 1}


@pytest.fixture
def recordings(tmp_path: Path, speech: np.ndarray) -> list[str]:
    """Two of 0.2 s, and a file that is none."""
    for name in ("one", "two"):
        write_wave(tmp_path / f"{name}.wav", speech[:3200])
    (tmp_path / "bad.wav").write_text("nonsense")
    return [str(tmp_path / f"{name}.wav") for name in ("one", "two", "bad")]


class Loader:
    """Gives one tiny pipeline to all persons but "nobody", and remembers who was asked for."""

    def __init__(self, pipe: object) -> None:
        self.pipe = pipe
        self.asked: list[str] = []

    def __call__(self, person: str) -> object:
        self.asked.append(person)
        if person == "nobody":
            raise InputError("unknown person 'nobody'")
        return self.pipe


@pytest.fixture
def load(tiny_pipeline) -> Loader:
    return Loader(tiny_pipeline)


def run(jobs: list[Job], folder: Path, load: Loader, **arguments: object) -> tuple[Summary, list[Step]]:
    steps: list[Step] = []
    return run_batch(jobs, folder, load, on_step=steps.append, **arguments), steps  # type: ignore[arg-type]


def rows(recordings: list[str], *persons: str) -> list[Row]:
    return [Row(audio=audio, person=person, options=SMALL) for person in persons for audio in recordings]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bad_rows_do_not_stop_the_rest_and_persons_are_loaded_once(
    recordings: list[str], load: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak_in_tones(monkeypatch)
    asked = rows(recordings[:1], "anna", "nobody", "bert", "nobody")
    asked += [Row(audio=recordings[2], person="anna"), Row(error="line 7: it is no JSON")]
    asked += [Row(text="Hi.", person="anna", subtitles="srt", options=SMALL), Row(text="Привет", person="bert")]
    summary, steps = run(plan_jobs(asked), tmp_path / "out", load)
    assert summary == Summary(made=3, kept=0, failed=5)
    assert sorted(load.asked) == ["anna", "bert", "nobody"]
    assert files(tmp_path / "out") == ["Hi.mp4", "Hi.srt", MANIFEST, "one-3.mp4", "one.mp4"]
    assert [step.number for step in steps] == list(range(1, 9)) and steps[-1].left < 1e-6
    assert all(step.left > 0 for step in steps[:2])
    errors = {step.outcome.error.partition(":")[0] for step in steps if step.outcome.state == "failed"}
    assert {"unknown person 'nobody'", "line 7"} < errors and any("Cyrillic" in error for error in errors)
    assert probe(tmp_path / "out" / "Hi.mp4").metadata["comment"].endswith("; synthetic voice")
    ends = [json.loads(line) for line in (tmp_path / "out" / MANIFEST).read_text().splitlines()]
    assert [(end["file"], end["seed"]) for end in ends if end.get("row", {}).get("text") == "Hi."] == [("Hi.mp4", 1)]


def test_it_goes_on_where_it_stopped_and_makes_again_what_changed(
    recordings: list[str], load: Loader, speech: np.ndarray, tmp_path: Path
) -> None:
    out, stop = tmp_path / "out", StopToken()
    jobs = plan_jobs(rows(recordings[:2], "anna"))
    with pytest.raises(Stopped) as stopped:
        run_batch(jobs, out, load, on_step=lambda step: stop.stop(), stop=stop)  # type: ignore[arg-type]
    assert stopped.value.__notes__ == ["1 of 2 videos are made, and the same command goes on from there"]
    before = (out / "one.mp4").stat().st_mtime_ns
    assert run(jobs, out, load)[0] == Summary(made=1, kept=1, failed=0)
    assert (out / "one.mp4").stat().st_mtime_ns == before
    assert run(jobs, out, load)[0] == Summary(made=0, kept=2, failed=0)

    write_wave(Path(recordings[0]), speech[:6400])
    (out / "two.mp4").unlink()
    summary, steps = run(plan_jobs(rows(recordings[:2], "anna")), out, load)
    assert summary == Summary(made=2, kept=0, failed=0)
    assert [step.outcome.frames for step in steps] == [10, 5]
    quiet = [replace(row, options={**SMALL, "head": 0.0}) for row in rows(recordings[:1], "anna")]
    assert run(plan_jobs(quiet), out, load)[0].made == 1
    assert run(plan_jobs(quiet, mark=False), out, load)[0].made == 1


def test_a_line_that_a_kill_cut_off_counts_as_not_written(recordings: list[str], load: Loader, tmp_path: Path) -> None:
    jobs = plan_jobs(rows(recordings[:2], "anna"))
    run(jobs, tmp_path / "out", load)
    manifest = tmp_path / "out" / MANIFEST
    lines = manifest.read_bytes().splitlines(keepends=True)
    for kept in (b"".join(lines)[:-20], b"".join(lines[:-1]), b"\xff\x00\n" + b"[1]\n" + b"".join(lines[:-1])):
        manifest.write_bytes(kept)
        assert run(jobs, tmp_path / "out", load)[0] == Summary(made=1, kept=1, failed=0)
        assert run(jobs, tmp_path / "out", load)[0].kept == 2


def test_files_that_are_not_of_the_batch_are_not_overwritten(
    recordings: list[str], load: Loader, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "ONE.mp4").write_text("a film of somebody's")
    (out / "two.mp4").write_text("another")
    jobs = plan_jobs(rows(recordings[1:2], "anna"))
    for _ in range(2):
        summary, steps = run(jobs, out, load)
        assert summary.failed == 1 and "is there already, and not of this batch" in steps[0].outcome.error
    assert (out / "two.mp4").read_text() == "another"


def test_one_process_at_a_time(recordings: list[str], load: Loader, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out"), pytest.raises(InputError, match="another process works in"):
        run(plan_jobs(rows(recordings[:1], "anna")), tmp_path / "out", load)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be a folder of videos"):
        run([], tmp_path / "file", load)


def test_jobs_and_outcomes_travel() -> None:
    """To other processes and machines, and through JSON."""
    (job,) = plan_jobs([Row(text="Hi.", person="anna", options={"size": 64, "background": "transparent"})])
    assert job.file == "Hi.webm" and pickle.loads(pickle.dumps(job)) == job
    outcome = Outcome(key=job.key, file=job.file, state="done", seed=0, notes=("a",))
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_the_manifest_keeps_what_it_is_told(tmp_path: Path) -> None:
    (job,) = plan_jobs([Row(text="Hi.")])
    Manifest(tmp_path).add(Outcome(key=job.key, file=job.file, state="done", seed=0))
    assert not Manifest(tmp_path).is_done(job), "there is no file"
    (tmp_path / job.file).write_text("")
    assert Manifest(tmp_path).is_done(job)
    assert json.loads((tmp_path / MANIFEST).read_text())["seed"] == 0
