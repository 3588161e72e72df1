"""What users do with the wheel alone, from an empty folder of an environment that holds what it asks for."""

import importlib.util
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from drawn_person import write_drawn_dataset
from hub_client import ALICE, CONSENT
from hub_server import HubServer
from motion_corpus import write_wave
from tiny import ROOT
from wheel_environment import Environment, build_wheel

from geneface.media.video import probe

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("hatchling"), reason="hatchling, which builds, is not installed"),
]
BROUGHT = ("examples/audio", "examples/persons", "examples/speech", "hub_configs")
LARGEST = 32e6
"""Bytes of the wheel."""
SCRIPT = """
from geneface import GeneFacePipeline, GenerationOptions, InputError

pipe = GeneFacePipeline.from_pretrained("vera")
reveal_type(pipe)
reveal_type(pipe("speech.wav", options=GenerationOptions(seed=7)).fps)
reveal_type(pipe("speech.wav", return_dict=False))
reveal_type(InputError("what, where, what to do"))
GeneFacePipeline.from_pretrained("vera", revision=1)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Without any extra."""
    return Environment(tmp_path_factory.mktemp("installed"), wheel)


@pytest.fixture(scope="module")
def with_page(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("with_page"), wheel, "demo")


def test_the_wheel_holds_all_and_nothing_twice(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        brought = [path for folder in BROUGHT for path in (ROOT / folder).rglob("*") if path.is_file()]
        kept = {path.relative_to(ROOT).as_posix(): path for path in brought if path.suffix not in (".py", ".pyc")}
        kept["USE_POLICY.md"] = ROOT / "USE_POLICY.md"
        for name, path in kept.items():
            assert archive.read(f"geneface/resources/{name}") == path.read_bytes(), name
    assert len(names) == len(set(names))
    assert {name.split("/")[0] for name in names} == {"geneface", wheel.name.split("-py3")[0] + ".dist-info"}
    assert "geneface/py.typed" in names
    assert wheel.stat().st_size < LARGEST


def test_an_editable_install_copies_nothing(tmp_path: Path) -> None:
    build = "import hatchling.build, sys; hatchling.build.build_editable(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("_geneface.pth").decode().strip() == str(ROOT)
        assert [name for name in archive.namelist() if name.startswith("geneface/")] == [
            "geneface/resources/USE_POLICY.md"
        ]


def test_the_metadata_names_all_that_is_needed(installed: Environment, with_page: Environment) -> None:
    installed.check()
    with_page.check()


def test_persons_and_settings(installed: Environment) -> None:
    listed = dict(line.split(maxsplit=1) for line in installed.run("geneface", "persons").splitlines())
    assert listed.keys() == {"theo", "vera"}
    assert all(Path(place).is_relative_to(installed.packages) for place in listed.values())
    loads = """
import json
from geneface import GeneFacePipeline
from geneface.resources import resource
from geneface.training.loop import PLACES, located_settings
from geneface.training.post_net import PostNetConfig
pipe = GeneFacePipeline.from_pretrained("vera", device="cpu")
places = [vars(PostNetConfig("out"))[name] for name in PLACES if name in vars(PostNetConfig("out"))]
for file in resource("hub_configs/train").iterdir():
    for training in json.loads(file.read_text()).values():
        places += [located_settings(training)[name] for name in PLACES if name in training]
print(json.dumps([pipe.name, places]))
"""
    name, places = json.loads(installed.run("python", "-c", loads))
    flat = {path for place in places for path in ([place] if isinstance(place, str) else place)}
    assert name == "vera" and len(flat) >= 7
    assert all(Path(path).exists() and Path(path).is_relative_to(installed.packages) for path in flat), flat


def test_generate(installed: Environment, speech: np.ndarray) -> None:
    write_wave(installed.work / "speech.wav", speech[:16000])
    said = installed.run("geneface", "generate", "speech.wav", "-o", "out.mp4", "--person", "theo", "--device", "cpu")
    assert "25 frames" in said
    assert probe(installed.work / "out.mp4").video_seconds == 1.0


def test_bench(installed: Environment) -> None:
    report = json.loads(installed.run("geneface", "bench", "--seconds", 1, "--runs", 1, "--device", "cpu", "--json"))
    assert report["end_to_end_fps"] > 0 and report["size"] == 512


def test_push(installed: Environment) -> None:
    with HubServer() as hub:
        address = {"HF_ENDPOINT": hub.url, "HF_TOKEN": ALICE, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        installed.run("geneface", "push", "vera", "alice/vera", "--consent", CONSENT, **address)
        files = hub.files("alice/vera")
    assert {"README.md", "LICENSE.md", "model_index.json", "preview.png"} <= files.keys()
    assert files["LICENSE.md"].data == (ROOT / "USE_POLICY.md").read_bytes()


def test_train_a_step(installed: Environment, tmp_path: Path) -> None:
    dataset = write_drawn_dataset(tmp_path)
    asked = ("--device", "cpu", "--steps", 1, "--adapter", "projection")
    installed.run("geneface", "train", dataset, "-o", "anna", *asked)
    card = json.loads((installed.work / "anna" / "card.json").read_text())
    assert "PSNR, head (test part)" in card["figures"] and (installed.work / "anna" / "preview.png").is_file()


def test_the_page_needs_its_extra(installed: Environment) -> None:
    assert "geneface[demo]" in installed.run("geneface", "demo", code=2)


def test_speaking_text_needs_its_extra(installed: Environment) -> None:
    assert "geneface[speech]" in installed.run("geneface", "generate", "--text", "Hi.", "-o", "no.mp4", code=2)


@pytest.fixture
def page(with_page: Environment) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["geneface", "demo", "--port", str(port), "--device", "cpu"]
    log = with_page.work / "log.txt"
    with log.open("w") as words:
        server = subprocess.Popen(
            command, cwd=with_page.work, env=with_page.variables(), stdout=words, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except urllib.error.URLError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(30)


def test_the_page_answers(page: str) -> None:
    with urllib.request.urlopen(f"{page}config") as answer:
        config = answer.read().decode()
    for words in ("vera", "theo", "Tongue twister", "Train", "AI-generated"):
        assert words in config, words


def test_types_for_a_user(installed: Environment) -> None:
    (installed.work / "script.py").write_text(SCRIPT)
    # What other packages say of their types takes a minute to read, and is not asked for.
    others = "torch transformers numpy scipy PIL av huggingface_hub safetensors tqdm accelerate".split()
    skipped = ",".join(f"{name}.*" for name in others)
    (installed.work / "mypy.ini").write_text(f"[mypy]\n[mypy-{skipped}]\nfollow_imports = skip\n")
    command = [sys.executable, "-m", "mypy", "--python-executable", installed.python, "script.py"]
    done = subprocess.run(command, cwd=installed.work, capture_output=True, text=True, timeout=300)
    said = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("script.py:")]
    revealed = (
        "geneface.pipelines.pipeline.GeneFacePipeline",
        "int",
        "tuple[numpy.ndarray",
        "geneface.errors.InputError",
    )
    for line, name in zip(said, revealed, strict=False):
        assert line.startswith(f'note: Revealed type is "{name}'), done.stdout
    assert 'Argument "revision" to "from_pretrained"' in said[4] and len(said) == 5, done.stdout
