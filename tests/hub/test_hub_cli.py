"""The registry's commands: push, pull, persons."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_client import ALICE, BOB, CONSENT

from geneface.cli import main

ROOT = Path(__file__).resolve().parents[2]


def test_a_round_by_command(hub, tiny_bundle, tmp_path):
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": ALICE,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
    }

    def run(*arguments: object, **variables: str) -> str:
        command = [sys.executable, "-m", "geneface", *map(str, arguments)]
        place = {**environment, **variables}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=place, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    url = run("push", tiny_bundle, "alice/tiny", "--consent", CONSENT)
    assert url == f"{hub.url}/alice/tiny/commit/{hub.repos['model', 'alice/tiny'].head}"
    folder = Path(run("pull", "alice/tiny"))
    assert folder.is_relative_to(tmp_path / "home") and (folder / "renderer" / "model.safetensors").is_file()
    again = run("pull", "alice/tiny", HF_HUB_DISABLE_PROGRESS_BARS="0")
    assert again == str(folder), "without a bar, for there is nothing to fetch"
    assert run("persons", "--search", "tin").split() == ["alice/tiny", "3", "downloads,", "private"]
    assert f"alice/tiny  {folder}" in run("persons").splitlines()


def test_options(hub, tiny_bundle, capsys):
    bundle = str(tiny_bundle)
    assert main(["push", bundle, "alice/tiny", "--consent", CONSENT, "--public", "--link-generic", "alice/gen"]) == 0
    first = hub.repos["model", "alice/tiny"].head
    assert not hub.repos["model", "alice/tiny"].private and ("model", "alice/gen") in hub.repos
    assert main(["push", bundle, "bob/tiny", "--consent", CONSENT, "--token", BOB]) == 0
    assert hub.repos["model", "bob/tiny"].private
    assert main(["push", "alice/tiny", "alice/copy", "--consent", CONSENT]) == 0
    hub.upload("alice/tiny", {"README.md": b"changed"})
    capsys.readouterr()
    assert main(["pull", "alice/tiny", "--revision", first]) == 0
    assert Path(capsys.readouterr().out.strip()).name == first
    assert main(["pull", "bob/tiny"]) == 2
    assert main(["pull", "bob/tiny", "--token", BOB]) == 0
    assert main(["persons", "--search", "nobody"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no person on the Hub matches 'nobody'"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pull", "alice/nothing"], "the Hub has no model alice/nothing"),
        (["pull", "nothing"], "neither a folder nor a Hub id"),
        (["push", "{bundle}", "alice/tiny", "--consent", " "], "the consent of the person shown is not stated"),
        (["push", "{bundle}", "tiny", "--consent", "yes"], "'tiny' is not the name of a repository"),
        (["push", "nobody", "alice/tiny", "--consent", "yes"], "unknown person 'nobody'"),
        (["push", "{bundle}", "bob/tiny", "--consent", "yes"], "bob/tiny could not be published: your token"),
        (["generate", "{audio}", "-o", "out.mp4", "--person", "alice/nothing"], "the Hub has no model alice/nothing"),
    ],
)
def test_what_goes_wrong_is_one_line(hub, tiny_bundle, arguments, words, capsys):
    places = {"bundle": tiny_bundle, "audio": ROOT / "examples" / "audio" / "welcome.mp3"}
    assert main([argument.format(**places) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and words in error


def test_consent_is_asked_for(tiny_bundle, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["push", str(tiny_bundle), "alice/tiny"])
    assert stopped.value.code == 2
    assert "--consent" in capsys.readouterr().err
