import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pages import start_page

from geneface.errors import InputError
from geneface.media.image import write_image
from geneface.ui.persons import Persons, display_name


def add_person(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "model_index.json").write_text("{}")
    write_image(folder / name / "preview.png", np.full((64, 64, 3), 90, np.uint8))
    return folder / name


def test_new_persons_can_be_called_at_once(tmp_path: Path, speech_wav: Path) -> None:
    fixed = {"grey": add_person(tmp_path / "fixed", "grey")}
    persons = Persons(fixed, tmp_path / "mine")
    assert persons.names == ["grey"]
    pipe = FakePipeline()
    demo = start_page(lambda name: pipe if persons.bundle(name) else None, persons)
    try:
        client = Client(demo.local_url, verbose=False)
        with pytest.raises(AppError, match="not in the list of choices"):
            client.predict(person="anna_maria", audio=handle_file(speech_wav), api_name="/generate")
        add_person(tmp_path / "mine", "anna_maria")
        assert persons.refresh() == [("Grey", "grey"), ("Anna Maria", "anna_maria")]
        assert client.predict(person="anna_maria", audio=handle_file(speech_wav), seed=4, new_seed=False,
                              api_name="/generate")[1] == 4  # fmt: skip
        assert "/search_persons" not in client.view_api(return_format="dict")["named_endpoints"]
    finally:
        demo.close()
    assert persons.pictures("#person").count("data:image/webp") == 2
    shutil.rmtree(tmp_path / "mine")
    persons.refresh()
    with pytest.raises(InputError, match="no person 'anna_maria' here; choose one of grey"):
        persons.bundle("anna_maria")


def test_persons_of_the_hub(published, tmp_path: Path) -> None:
    persons = Persons({"grey": add_person(tmp_path, "grey")}, hub=True)
    demo = start_page(FakePipeline(), persons)
    try:
        client = Client(demo.local_url, verbose=False)
        assert [row[0] for row in client.predict(query="tin", api_name="/search_persons")] == ["alice/tiny"]
        assert client.predict(query="nobody-of-this-name", api_name="/search_persons") == []
        assert client.predict(repo_id="alice/tiny", api_name="/pull_person") == "alice/tiny"
        assert persons.bundle("alice/tiny") == "alice/tiny"
        with pytest.raises(AppError, match="no id of the Hub"):
            client.predict(repo_id="../etc", api_name="/pull_person")
        with pytest.raises(AppError, match="The Hub has no model alice/nobody"):
            client.predict(repo_id="alice/nobody", api_name="/pull_person")
    finally:
        demo.close()


def test_strangers_do_not_see_the_owners_persons(published, tmp_path: Path) -> None:
    fixed = {"grey": add_person(tmp_path, "grey")}
    Persons(fixed, hub=True).pull("alice/tiny")
    assert Persons(fixed, hub=True).names == ["grey"]
    assert Persons(fixed, hub=True, own=True).names == ["grey", "alice/tiny"]
    assert Persons(fixed, hub=True).token is False and Persons(fixed, hub=True, own=True).token is None


def test_names() -> None:
    assert [display_name(name) for name in ("anna_maria", "jo-ann", "alice/tiny")] == [
        "Anna Maria", "Jo Ann", "alice/tiny",
    ]  # fmt: skip
