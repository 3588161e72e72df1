"""The protocol of a training: its folder, and its status as the command line writes it and the page reads it."""

import json
from pathlib import Path

import pytest

from geneface import InputError
from geneface.cli import main
from geneface.training.person import train_person
from geneface.training.person_job import Request
from geneface.training.run import Outcome, Stage, TrainingFolder, TrainingStatus
from geneface.utils.files import locked


def test_a_folder_knows_its_person_and_its_dataset(tmp_path: Path) -> None:
    folder = TrainingFolder.of(tmp_path / "anna")
    assert folder.path == tmp_path / ".anna.training" and folder.bundle == tmp_path / "anna"
    assert TrainingFolder.around(folder.dataset) == folder
    assert TrainingFolder.around(tmp_path / "dataset") is None and TrainingFolder.around(folder.path / "x") is None
    folder.path.mkdir()
    assert TrainingFolder.beside(tmp_path) == [folder]


def test_a_status_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    assert folder.load_status() == TrainingStatus()
    status = TrainingStatus(Stage.RENDERER, step=3, steps=9, figures={"dev": {"head": 27.5}}, warnings=["dark"])
    status.fail(InputError("the disk  is\nfull; make room"))
    status.save(folder.status)
    assert folder.load_status() == status and status.updated
    assert (status.outcome, status.error) == (Outcome.FAILED, "the disk is full; make room")
    status.fail(KeyError("x"))
    assert status.error == "KeyError: 'x'"
    status.fail(OSError(28, "No space left on device", "/data/x"))
    assert status.error.startswith("there is no space left on the disk of /data/x")
    folder.status.write_text(json.dumps({"stage": "renderer", "of a later release": 1}))
    assert folder.load_status() == TrainingStatus(Stage.RENDERER)
    folder.status.write_text(json.dumps({"stage": "lunch"}))
    with pytest.raises(InputError, match="does not hold what it should"):
        TrainingStatus.load(folder.status)


def test_the_command_line_says_to_the_page_why_it_failed(tmp_path: Path) -> None:
    folder, video = TrainingFolder.of(tmp_path / "anna"), tmp_path / "video.mp4"
    video.write_text("no video")
    assert main(["preprocess", str(video), "-o", str(folder.dataset)]) == 2
    assert not folder.status.exists(), "no training was begun"
    folder.path.mkdir(exist_ok=True)
    assert main(["preprocess", str(video), "-o", str(folder.dataset)]) == 2
    status = folder.load_status()
    assert (status.outcome, status.stage, status.parts_done) == (Outcome.FAILED, Stage.PREPROCESS, 0)
    assert "video.mp4" in status.error and status.part == "looking through the video" and status.parts == 9
    folder.status.unlink()
    with pytest.raises(InputError):
        train_person(Request(video, folder.bundle, device="cpu"))
    assert not folder.status.exists(), "without --resume it is not that training which failed"
    with pytest.raises(InputError):
        train_person(Request(video, folder.bundle, device="cpu", resume=True))
    assert folder.load_status().outcome is Outcome.FAILED and "video.mp4" in folder.load_status().error


def test_two_processes_do_not_train_the_same_person(tmp_path: Path) -> None:
    folder = TrainingFolder.of(tmp_path / "anna")
    folder.path.mkdir()
    with locked(folder.path), pytest.raises(InputError, match="another process works in"):
        train_person(Request(tmp_path / "video.mp4", folder.bundle, device="cpu", resume=True))
    assert not folder.status.exists(), "the other one's status is left alone"
