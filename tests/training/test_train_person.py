"""All of a person: from a drawn video to a bundle that speaks; stopped, killed and gone on with; from a real video."""

import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn_person import Actor, ColourParser, NumberDetector, no_correspondence, write_drawn_face, write_tiny_models
from motion_corpus import MODELS
from safetensors.torch import load_file
from tiny import ROOT, TINY_RENDERER

from geneface import GeneFacePipeline
from geneface.cli import main
from geneface.errors import InputError
from geneface.hub import assets
from geneface.media.image import read_image
from geneface.preprocessing import preprocess_steps
from geneface.training import person
from geneface.training.person_job import Request, begin_job
from geneface.training.run import Outcome, Stage, TrainingFolder

FIELDS = {"stage", "detail", "step", "steps", "seconds_left", "figures", "warnings", "updated"}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for one another cost these tiny models far more than they bring."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder that a loopback server serves, and its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    folder = tmp_path_factory.mktemp("served")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def serve_assets(folder: Path, address: str, patch: pytest.MonkeyPatch) -> None:
    """Third-party models come from `folder` at `address` alone."""
    for name in ("FACE_LANDMARKER", "FACE_PARSER", "FACE_MODEL"):
        asset = getattr(assets, name)
        digest = hashlib.sha256((folder / asset.name).read_bytes()).hexdigest()
        here = replace(asset, url=f"{address}/{asset.name}", sha256=digest, tensors_sha256="")
        for module in (assets, person):
            if hasattr(module, name):
                patch.setattr(module, name, here)


@pytest.fixture(scope="module")
def drawn(served: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video, tiny models, and settings for a short training; the face model is served."""
    folder = tmp_path_factory.mktemp("drawn")
    face = write_drawn_face(served[0] / assets.FACE_MODEL.name)
    for asset in (assets.FACE_LANDMARKER, assets.FACE_PARSER):
        (served[0] / asset.name).write_bytes(b"stands in for a third-party model")
    Actor(face).write_video(folder / "video.mp4")
    (folder / "renderer.json").write_text(json.dumps({**TINY_RENDERER, "size": 512, "grid": 32}))
    for name in ("post_net", "discriminator"):
        (folder / f"{name}.json").write_text(json.dumps(MODELS[name]))
    common = {"batch_size": 4, "prefetch": 2, "warmup_steps": 2, "save_every": 4, "log_every": 5}
    settings = {
        "fast": {
            **common,
            "renderer": str(folder / "renderer.json"),
            "steps": 24,
            "window": 16,
            "search_samples": 6,
            "samples": 4,
            "learning_rate": 1e-2,
        },
        "post_net": {
            **common,
            **write_tiny_models(folder, face),
            "model": str(folder / "post_net.json"),
            "discriminator": str(folder / "discriminator.json"),
            "steps": 6,
            "window": 20,
            "evaluate_every": 2,
        },
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder


class Watcher(threading.Thread):
    """Reads the status again and again, as the demo does."""

    def __init__(self, work: Path):
        super().__init__(daemon=True)
        self.work, self.seen, self.pictures, self.ended = work, [], [], threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            try:
                self.seen.append(json.loads((self.work / "status.json").read_text()))
                if (self.work / "preview.png").exists():
                    self.pictures.append(read_image(self.work / "preview.png").shape)
            except (FileNotFoundError, InputError):
                assert not (self.work / "status.json").exists()

    def stop(self) -> None:
        self.ended.set()
        self.join()


@pytest.fixture(scope="module")
def trained(drawn: Path, served: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> dict:
    """From the video to the bundle, with stand-ins for MediaPipe and the parser, and assets of the loopback server."""
    folder = tmp_path_factory.mktemp("persons")
    request = Request(
        drawn / "video.mp4",
        folder / "anna",
        name="Anna",
        consent="Drawn.",
        config=drawn / "settings.json",
        device="cpu",
        assets=folder / "assets",
    )
    actor = Actor(assets_face(served[0]))
    work = TrainingFolder.of(request.bundle).path
    watcher = Watcher(work)
    with pytest.MonkeyPatch.context() as patch:
        serve_assets(*served, patch)
        patch.setattr(preprocess_steps.Job, "detector", lambda self: NumberDetector(actor))
        patch.setattr(preprocess_steps, "FaceParser", ColourParser)
        patch.setattr(preprocess_steps, "find_correspondence", no_correspondence)
        kept = drawn / "dataset"
        patch.setattr(person, "write_bundle", keeping(kept, person.write_bundle))
        watcher.start()
        last = person.train_person(request)
        watcher.stop()
    return {"bundle": request.bundle, "last": last, "watcher": watcher, "dataset": kept, "folder": folder}


def assets_face(folder: Path):
    from geneface.face.face_model import FaceModel

    return FaceModel.load(folder / assets.FACE_MODEL.name)


def keeping(target: Path, write_bundle):
    """A `write_bundle` before which what the other tests need is saved from the work folder."""

    def write(folder: TrainingFolder, *rest: object) -> None:
        shutil.copytree(folder.dataset, target)
        shutil.copy(folder.of_stage(Stage.RENDERER) / "report.json", target.parent)
        write_bundle(folder, *rest)

    return write


def test_a_video_becomes_a_person_that_speaks(trained: dict, speech: np.ndarray) -> None:
    assert [path.name for path in trained["folder"].iterdir() if path.name != "assets"] == ["anna"]
    bundle = trained["bundle"]
    assert {path.name for path in bundle.iterdir()} == {
        "card.json",
        "feature_extractor",
        "model_index.json",
        "motion_generator",
        "post_net",
        "preview.png",
        "renderer",
    }, "generic components are carried where they are not beside the bundle"
    assert load_file(bundle / "renderer/model.safetensors")["planes"].dtype == torch.float16
    pipe = GeneFacePipeline.from_pretrained(bundle, device="cpu")
    pipe.set_progress_bar_config(disable=True)
    frames = pipe(speech[:8000], 16000, generator=torch.Generator().manual_seed(0)).frames
    assert frames.shape == (13, 512, 512, 3) and frames.std() > 10
    assert read_image(bundle / "preview.png").shape == (512, 512, 3)
    card = pipe.card
    assert (card.name, card.consent) == ("Anna", "Drawn.")
    assert "3 s of video of one person (80 frames" in card.training_data
    report = json.loads((trained["dataset"].parent / "report.json").read_text())
    for split in ("dev", "test"):
        assert str(card.figures[f"PSNR, head ({split} part)"]) == f"{report[split]['head']:.1f} dB"
    assert any("mouth opening from speech alone" in figure for figure in card.figures)


def test_the_status_tells_all_of_it(trained: dict) -> None:
    seen, last = trained["watcher"].seen, trained["last"]
    assert all(status.keys() >= FIELDS for status in seen)
    stages = list(dict.fromkeys(status["stage"] for status in seen))
    assert stages[:4] == ["preprocess", "renderer", "post_net", "bundle"]
    assert {"landmarks", "parsing"} <= {status["detail"] for status in seen}
    training = [status for status in seen if status["stage"] in ("renderer", "post_net")]
    assert all(Path(status["dataset"]).name == "dataset" for status in training)
    assert any("3 s are little" in warning for status in training for warning in status["warnings"])
    assert max(status["step"] for status in training if status["stage"] == "renderer") == 24
    assert any(status["seconds_left"] is not None for status in training)
    assert any(status["figures"].get("dev", {}).keys() == {"full", "head", "mouth"} for status in training)
    assert trained["watcher"].pictures and set(trained["watcher"].pictures) == {(1024, 2048, 3)}
    gaps = np.diff([status["updated"] for status in seen])
    assert gaps.max() < 5, "s"
    assert last.outcome is Outcome.DONE and last.seconds_left == 0 and last.figures["test"].keys()


def test_assets_came_over_the_loopback_server(trained: dict) -> None:
    assert {path.name for path in (trained["folder"] / "assets").iterdir()} == {
        asset.name for asset in (assets.FACE_LANDMARKER, assets.FACE_PARSER, assets.FACE_MODEL)
    }


def command(drawn: Path, bundle: Path, *more: str) -> list[str]:
    dataset, settings = str(drawn / "dataset"), str(drawn / "settings.json")
    options = ["-o", str(bundle), "--config", settings, "--device", "cpu", *more]
    return [sys.executable, "-m", "geneface", "train", dataset, *options]


def environment(served: tuple[Path, str]) -> dict[str, str]:
    here = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), assets.VARIABLE: str(served[0])}
    return {**os.environ, **here, "CUDA_VISIBLE_DEVICES": ""}


def test_stopped_and_killed_it_ends_where_it_would_have(trained: dict, drawn: Path, served, tmp_path: Path) -> None:
    bundle, work = tmp_path / "anna", tmp_path / ".anna.training"
    options = {"env": environment(served), "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}

    def run_until(step: int, number: int, *more: str) -> tuple[int, str]:
        process = subprocess.Popen(command(drawn, bundle, *more), **options)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            try:
                status = json.loads((work / "status.json").read_text())
                if status["stage"] == "renderer" and step <= status["step"]:
                    process.send_signal(number)
                    break
            except FileNotFoundError:
                pass
            time.sleep(0.01)
        return process.wait(60), process.communicate()[0]

    code, told = run_until(3, signal.SIGTERM)
    assert code == 130 and told.strip().endswith(f"stopped; what is done is kept in {work}: go on with --resume")
    assert "Traceback" not in told
    stopped_at = int(max(path.name for path in (work / "renderer/checkpoints").glob("step_*")).removeprefix("step_"))
    status = json.loads((work / "status.json").read_text())
    assert status["detail"] == "stopped" and status["step"] == stopped_at >= 3, "the step that ran is kept"
    assert not bundle.exists()
    again = subprocess.run(command(drawn, bundle), **options)
    assert again.returncode == 2 and "go on with --resume" in again.stdout
    code, told = run_until(12, signal.SIGKILL, "--resume")
    assert code == -signal.SIGKILL and not bundle.exists()
    done = subprocess.run(command(drawn, bundle, "--resume", "--name", "Anna"), **options)
    assert done.returncode == 0, done.stdout
    assert not work.exists() and "done after" in done.stdout
    for name in ("renderer", "post_net"):
        mine, whole = (load_file(folder / name / "model.safetensors") for folder in (bundle, trained["bundle"]))
        assert all(torch.allclose(mine[key].float(), whole[key].float(), atol=2e-3) for key in whole), name


@pytest.mark.slow
def test_several_processes_train_together(trained: dict, drawn: Path, served, tmp_path: Path) -> None:
    # What `accelerate launch` starts for several GPUs; its own several processes on a CPU want MPI.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    rest = command(drawn, tmp_path / "anna")[1:]
    done = subprocess.run([*launch, *rest], env=environment(served), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("done after") == 1
    GeneFacePipeline.from_pretrained(tmp_path / "anna", device="cpu")


def test_a_killed_end_is_seen_to_be_one(tmp_path: Path) -> None:
    bundle, work = tmp_path / "anna", tmp_path / ".anna.training"
    bundle.mkdir()
    work.mkdir()
    request = Request(tmp_path / "video.mp4", bundle, resume=True)
    (work / "status.json").write_text(json.dumps({"stage": "renderer"}))
    with pytest.raises(InputError, match="exists"):
        person.train_person(request)
    (work / "status.json").write_text(json.dumps({"stage": "bundle"}))
    assert person.train_person(request).outcome is Outcome.DONE
    assert not work.exists() and bundle.exists()


def refused(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert main(["train", *arguments]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: ") and told.err.count("\n") == 1
    return told.err


def test_what_cannot_be_used_is_refused_before_anything_is_written(tmp_path: Path, drawn: Path, capsys) -> None:
    target = str(tmp_path / "out" / "anna")
    (tmp_path / "text.mp4").write_text("no video")
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    video = str(drawn / "video.mp4")
    assert "cannot be read" in refused(capsys, str(tmp_path / "none.mp4"), "-o", target)
    assert "text.mp4" in refused(capsys, str(tmp_path / "text.mp4"), "-o", target)
    assert "not a person dataset" in refused(capsys, str(dataset), "-o", target)
    for version, message in ((0, "older"), (99, "newer"), (None, "older")):
        (dataset / "manifest.json").write_text(json.dumps({"version": version}))
        assert message in refused(capsys, str(dataset), "-o", target)
    (dataset / "manifest.json").write_text(json.dumps({"version": 1, "frames": 50}))
    assert "lacks frames.mp4" in refused(capsys, str(dataset), "-o", target)
    for name in ("frames.mp4", "audio.flac", "tracks.safetensors", "masks.safetensors", "background.png"):
        (dataset / name).touch()
    assert "2.0 s long" in refused(capsys, str(dataset), "-o", target)
    assert "exists" in refused(capsys, video, "-o", str(dataset))
    assert "renderer 'slow'" in refused(capsys, video, "-o", target, "--renderer", "slow")
    assert "at least 1" in refused(capsys, video, "-o", target, "--steps", "0")
    assert "device" in refused(capsys, video, "-o", target, "--device", "abacus")
    settings = tmp_path / "settings.json"
    for content, message in (
        ("{", "JSON"),
        ('{"fast": 3}', "settings for each training"),
        ('{"slow": {}}', "unknown training 'slow'"),
        ('{"fast": {"stepz": 3}}', "unknown setting 'stepz'"),
    ):
        settings.write_text(content)
        assert message in refused(capsys, video, "-o", target, "--config", str(settings))
    assert not (tmp_path / "out").exists()


def test_what_was_begun_is_gone_on_with_as_it_was(tmp_path: Path, drawn: Path) -> None:
    request = Request(drawn / "video.mp4", tmp_path / "anna", consent="Yes.", steps=300, device="cpu")
    job = begin_job(request)
    trainings = job.trainings
    assert (trainings.renderer.steps, trainings.post_net.steps) == (300, 3)
    assert Path(trainings.renderer.start).is_dir() and trainings.renderer.mixed_precision == "no"
    assert (trainings.renderer.window, trainings.renderer.learning_rate) == (48, 0.002), "what a CPU changes, and not"
    begin_job(request)  # Nothing was done: nothing is lost by another beginning.
    job.folder.of_stage(Stage.RENDERER).mkdir()
    with pytest.raises(InputError, match="--resume"):
        begin_job(request)
    again = begin_job(replace(request, resume=True, steps=None, consent="", name="Anna"))
    assert again.trainings == job.trainings and (again.name, again.request.consent) == ("Anna", "Yes.")
    for change, message in (({"steps": 301}, "number of steps"), ({"source": drawn / "dataset"}, "another video")):
        if change.get("source") and not change["source"].exists():
            continue
        with pytest.raises(InputError, match=message):
            begin_job(replace(request, resume=True, **change))


def test_a_failure_is_in_the_status(tmp_path: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(job: preprocess_steps.Job) -> None:
        raise InputError("no face was found")

    monkeypatch.setattr(preprocess_steps.Job, "detector", fail)
    monkeypatch.setattr(preprocess_steps.Job, "face", lambda job: None)
    monkeypatch.setattr(preprocess_steps.Job, "asset", lambda job, asset: None)
    with pytest.raises(InputError):
        person.train_person(Request(drawn / "video.mp4", tmp_path / "anna", device="cpu"))
    status = json.loads((tmp_path / ".anna.training/status.json").read_text())
    assert (status["outcome"], status["error"]) == ("failed", "no face was found")
    assert status["stage"] == "preprocess"


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("source", ["vera", "german_20s"])
def test_a_video_of_a_face_becomes_a_person(source: str, shared: Path, drawn: Path, tmp_path: Path) -> None:
    """With MediaPipe, the parser and the face model as they are; the synthetic person's video is made here."""
    pytest.importorskip("mediapipe")
    pytest.importorskip("ai_edge_litert")
    video = shared / "data/person/german_20s.mp4"
    if source == "vera":
        from geneface.hub.persons import PERSONS_DIR, find_person
        from geneface.media.audio import load_audio
        from geneface.pipelines.generate import generate_video

        vera = GeneFacePipeline.from_pretrained(find_person(), device="cpu")
        speech = load_audio(PERSONS_DIR.parent / "audio/welcome.mp3")[: 16000 * 4]
        video = generate_video(vera, speech, tmp_path / "vera.mp4", sampling_rate=16000, seed=0).path
    settings = json.loads((drawn / "settings.json").read_text())
    settings["fast"]["steps"] = 60
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    request = Request(video, tmp_path / "anna", config=tmp_path / "settings.json", device="cpu")
    last = person.train_person(replace(request, assets=shared / "models"))
    assert last.figures["test"]["full"] > 12
    pipe = GeneFacePipeline.from_pretrained(tmp_path / "anna", device="cpu")
    assert len(pipe(np.zeros(3200, np.float32), 16000).frames) == 5
