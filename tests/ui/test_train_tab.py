"""The Train tab through its API and its page, with a stand-in for the command and a small Hub."""

import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from train_machine import CONSENT, Machine

from geneface.ui import train_api
from geneface.ui.train_api import is_offered
from geneface.ui.train_view import likeness, state_card

API = {
    "/train_start": ["video", "name", "consent", "agreed"],
    "/train_status": ["person"],
    "/train_list": [],
    "/train_resume": ["person"],
    "/train_stop": ["person"],
    "/train_discard": ["person"],
    "/train_publish": ["person", "repo_id", "consent", "agreed", "public", "token"],
}


@pytest.fixture
def client(machine_url: str) -> Client:
    return Client(machine_url, verbose=False)


def until(ask: Callable[[], dict[str, Any]], state: str) -> dict[str, Any]:
    end = time.monotonic() + 20
    while (status := ask())["state"] != state:
        assert time.monotonic() < end, status
        time.sleep(0.1)
    return status


def test_api_is_stable_and_documented(client: Client) -> None:
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert sorted(endpoints) == sorted([*API, "/compare", "/generate", "/turn", "/verify"])
    for name, parameters in API.items():
        assert [parameter["parameter_name"] for parameter in endpoints[name]["parameters"]] == parameters
    with urllib.request.urlopen(client.src + "gradio_api/info") as answer:
        info = answer.read()
    for words in (
        b"Take a video of one person who speaks",
        b"what has been learned is kept",
        b"privately unless asked",
    ):
        assert words in info


def test_a_person_by_api(client: Client, machine: Machine, hub: Any) -> None:
    video = handle_file(machine.video())
    person = client.predict(video, "Anna", CONSENT, True, api_name="/train_start")
    assert person == "anna"
    status = until(lambda: client.predict(person, api_name="/train_status"), "review")
    assert status["warnings"] and "preview" not in status
    machine.tell(delay=0.1)
    assert client.predict(person, api_name="/train_resume")["state"] == "training"
    with pytest.raises(AppError, match="Another training runs"):
        client.predict(handle_file(machine.video()), "Bob", CONSENT, True, api_name="/train_start")
    client.predict(person, api_name="/train_stop")
    until(lambda: client.predict(person, api_name="/train_status"), "stopped")
    assert [each["person"] for each in client.predict(api_name="/train_list")] == [person]
    machine.tell(delay=0)
    client.predict(person, api_name="/train_resume")
    until(lambda: client.predict(person, api_name="/train_status"), "done")
    assert client.predict(api_name="/train_list") == []

    publish = {"person": person, "repo_id": "alice/anna", "consent": CONSENT}
    with pytest.raises(AppError, match="Confirm that the person has agreed"):
        client.predict(**publish, api_name="/train_publish")
    with pytest.raises(AppError, match="alice/anna could not be published: you are not logged in"):
        client.predict(**publish, agreed=True, token="hf_wrong", api_name="/train_publish")
    address = client.predict(**publish, agreed=True, api_name="/train_publish")
    assert "alice/anna" in address
    repo = hub.repos["model", "alice/anna"]
    assert repo.private and CONSENT in hub.files("alice/anna")["README.md"].data.decode()


def test_what_is_refused_by_api(client: Client, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(words: str, *given: Any) -> None:
        with pytest.raises(AppError, match=words):
            client.predict(*given, api_name="/train_start")
        assert not list(machine.persons.iterdir())

    video = handle_file(machine.video())
    refused("no video yet", None, "Anna", CONSENT, True)
    refused("Confirm that the person", video, "Anna", CONSENT, False)
    refused(r"still says \[full name\]", video, "Anna", "I am [full name].", True)
    refused("at least one letter", video, "", CONSENT, True)
    monkeypatch.setattr(train_api, "training_needs", lambda: "Training needs a few more packages.")
    refused("a few more packages", video, "Anna", CONSENT, True)
    with pytest.raises(AppError, match="no person called"):
        client.predict("../../etc", api_name="/train_status")
    with pytest.raises(AppError, match="no training of"):
        client.predict("../../etc", api_name="/train_discard")


def test_discard_by_api(client: Client, machine: Machine) -> None:
    person = client.predict(handle_file(machine.video()), "Anna", CONSENT, True, api_name="/train_start")
    client.predict(person, api_name="/train_discard")
    assert not list(machine.persons.glob(".*.training"))


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_api, "find_spec", lambda name: None)
    assert "pip install mediapipe ai-edge-litert" in train_api.training_needs()
    monkeypatch.setattr(train_api, "find_spec", lambda name: True)
    assert train_api.training_needs() == ""


def test_offered_to_the_owner_alone() -> None:
    assert is_offered(None, host="127.0.0.1", share=False)
    assert not is_offered(None, host="0.0.0.0", share=False)
    assert not is_offered(None, host="127.0.0.1", share=True)
    assert is_offered(True, host="0.0.0.0", share=True)
    assert not is_offered(False, host="127.0.0.1", share=False)


def test_words(machine: Machine) -> None:
    assert [likeness(value) for value in (35.0, 29.0, 26.0, 23.0, 12.0, -1.0)] == [
        "lifelike",
        "very close",
        "close",
        "still soft",
        "rough",
        "rough",
    ]
    person = machine.jobs.begin(machine.video(), "<script>x", CONSENT)
    assert "<script>" not in state_card(machine.jobs.status(person))
