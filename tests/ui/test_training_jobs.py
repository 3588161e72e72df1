"""Trainings as processes, by a stand-in for the command: what starts, stops, fails, and is found again."""

import os
import stat
import time
from pathlib import Path

import pytest
from train_machine import CONSENT

from geneface import InputError
from geneface.bundles.card import read_card


def test_from_a_video_to_a_person(machine):
    video = machine.video()
    machine.tell(delay=0.2)
    person = machine.jobs.begin(video, "  Anna  Berg ", CONSENT)
    assert person == "anna-berg" and machine.jobs.running() == person and machine.jobs.latest == person
    work = machine.persons / ".anna-berg.training"
    assert not video.exists() and (work / "video.mp4").is_file(), "the upload has been moved"
    assert stat.S_IMODE(work.stat().st_mode) == 0o700, "and only its owner may read it"
    seen = machine.wait(person, "preparing", lambda status: status.step > 1)
    assert seen.detail and seen.steps == 9
    status = machine.wait(person, "review")
    assert status.contact_sheet.is_file() and status.warnings[0].startswith("21 s are little")
    assert not machine.jobs.running()

    machine.jobs.resume(person)
    status = machine.wait(person, "training", lambda status: bool(status.figures))
    assert status.preview.is_file() and status.stage == "renderer" and 0 < status.step < status.steps == 20
    assert status.seconds_left and status.figures["head"] > 27
    status = machine.wait(person, "done")
    assert status.name == "Anna Berg" and status.preview.is_file()
    card = read_card(machine.persons / person)
    assert (card.name, card.consent) == ("Anna Berg", CONSENT)
    assert not work.exists() and not machine.jobs.unfinished(), "nothing is left of the video"


def test_stop_and_resume(machine):
    person = machine.prepared()
    machine.tell(delay=0.1)
    machine.jobs.resume(person)
    machine.wait(person, "training", lambda status: status.step > 2)
    machine.jobs.stop(person)
    stopped = machine.wait(person, "stopped")
    assert not stopped.error and stopped.step > 2 and not machine.jobs.running()
    machine.tell(delay=0.0)
    machine.jobs.resume(person)
    machine.wait(person, "done")
    assert (machine.control / "resumed").read_text() == f"renderer {stopped.step}"


def test_what_does_not_stop_is_ended(machine):
    machine.tell(delay=30, stubborn="")
    machine.jobs = machine.server(patience=1.0)
    person = machine.jobs.begin(machine.video(), "Anna", CONSENT)
    while not (machine.persons / ".anna.training" / ".dataset.unfinished").exists():
        time.sleep(0.05)
    machine.jobs.stop(person)
    assert machine.jobs.status(person).state == "stopping"
    assert not machine.wait(person, "stopped").error


def test_a_restarted_server_finds_what_runs_and_what_is_left(machine):
    machine.tell(delay=0.1)
    person = machine.jobs.begin(machine.video(), "Anna", CONSENT)
    restarted = machine.server()
    assert restarted.running() == person and restarted.status(person).state == "preparing"
    with pytest.raises(InputError, match="Another training runs"):
        restarted.begin(machine.video(), "Bob", CONSENT)
    with pytest.raises(InputError, match="Another training runs"):
        restarted.resume(person)
    restarted.stop(person)
    machine.wait(person, "stopped", jobs=restarted)
    assert [status.person for status in restarted.unfinished()] == [person]
    machine.tell(delay=0.0)
    restarted.resume(person)
    machine.wait(person, "review", jobs=restarted)
    assert restarted.consent(person) == CONSENT


def test_closing_the_server_stops_the_training(machine):
    machine.tell(delay=0.1)
    person = machine.jobs.begin(machine.video(), "Anna", CONSENT)
    machine.jobs.close()
    assert not machine.wait(person, "stopped", jobs=machine.server()).error


def test_failures_are_sentences(machine):
    machine.tell(error=f"only 20% of {machine.persons}/.anna.training/video.mp4 shows a face; give another part")
    person = machine.jobs.begin(machine.video(), "Anna", CONSENT)
    status = machine.wait(person, "failed")
    assert status.error == "Only 20% of the video shows a face; give another part."
    assert machine.server().status(person).error == status.error, "also after a restart"
    machine.forget("error")
    machine.jobs.resume(person)
    machine.wait(person, "review")
    machine.tell(delay=0.1)
    machine.jobs.resume(person)
    machine.wait(person, "training", lambda status: status.step > 2)
    machine.tell(error="the memory of the device is too small")
    status = machine.wait(person, "failed")
    assert (status.error, status.stage) == ("The memory of the device is too small.", "renderer")
    machine.forget("error")
    machine.tell(crash="")
    machine.jobs.resume(person)
    assert "memory ran out" in machine.wait(person, "failed").error


def test_discard_leaves_nothing(machine):
    machine.tell(delay=0.1)
    person = machine.jobs.begin(machine.video(), "Anna", CONSENT)
    machine.jobs.discard(person)
    assert [path.name for path in machine.persons.iterdir()] == [".training.lock"]
    assert not machine.jobs.running() and not machine.jobs.latest
    with pytest.raises(InputError, match="no person"):
        machine.jobs.status(person)


def test_what_is_refused(machine):
    def refused(words: str, video: Path, name: str = "Anna", consent: str = CONSENT) -> None:
        with pytest.raises(InputError, match=words):
            machine.jobs.begin(video, name, consent)
        assert not list(machine.persons.glob(".*.training"))

    refused("5 s long; give 10 seconds to 10 minutes", machine.video(5))
    refused("no sound", machine.video(sound=False))
    refused("at least one letter", machine.video(), name=" ../.. ")
    refused("whose face", machine.video(), consent="  ")
    (machine.uploads / "notes.mp4").write_text("Not a video.")
    refused("not a video", machine.uploads / "notes.mp4")
    (machine.persons / "anna").mkdir()
    refused("a person called Anna already", machine.video())
    (machine.persons / "anna").rmdir()
    person = machine.prepared()
    with pytest.raises(InputError, match="was begun and is not finished"):
        machine.jobs.begin(machine.video(), "Anna", CONSENT)
    os.symlink(machine.persons / ".anna.training", machine.persons.parent / ".evil.training")
    for other in ("nobody", f"x/../../{person}", "../machine/.evil", ""):
        for ask in (machine.jobs.status, machine.jobs.resume, machine.jobs.stop, machine.jobs.discard):
            with pytest.raises(InputError, match=r"no (person|training)"):
                ask(other)
