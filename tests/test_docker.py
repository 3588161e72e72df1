"""The Dockerfiles, read as Docker would: there is no Docker on the tests' machines, so nothing is built in one."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.specifiers import SpecifierSet
from tiny import ROOT

from geneface.cli import build_parser

FILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


class Step(NamedTuple):
    word: str
    rest: str


def steps(file: Path) -> list[Step]:
    """The instructions, their lines joined and without comments."""
    lines = [line for line in file.read_text().splitlines() if line.strip() and not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in whole.splitlines()]


def rests(file: Path, word: str) -> list[str]:
    return [step.rest for step in steps(file) if step.word == word]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a file out: the last line counts that fits the path, or a folder of it."""
    parts = Path(path).parts
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    found = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if pattern and not pattern.startswith("#"):
            anywhere = pattern.removeprefix("**/")
            fits = (fnmatch(each.rsplit("/")[-1] if anywhere != pattern else each, anywhere) for each in above)
            found = not line.startswith("!") if any(fits) else found
    return found


def copied(file: Path) -> list[tuple[list[str], str]]:
    """Sources in the repository, and target, of each COPY that is not from another stage."""
    found = [shlex.split(rest) for rest in rests(file, "COPY")]
    return [(words[:-1], words[-1]) for words in found if not words[0].startswith("--from=")]


def test_one_for_each_kind_of_machine() -> None:
    assert [file.name for file in FILES] == ["cpu.Dockerfile", "cuda.Dockerfile"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_copied_is_there_and_goes_along(file: Path) -> None:
    sources = [source for each, _ in copied(file) for source in each]
    assert sources and all((ROOT / source).exists() and not ignored(source) for source in sources)
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert set(sources) <= kept
    assert (
        ignored(".git/config") and ignored("shared/x") and ignored("geneface/__pycache__/a.pyc") and ignored("x.mp4")
    )
    assert not ignored("geneface/cli.py") and not ignored("examples/persons/vera/card.json")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_versions_are_those_of_the_requirements(file: Path) -> None:
    """No version of a package stands in a Dockerfile; Python's is one that the package takes."""
    bases = [rest.split()[0] for rest in rests(file, "FROM")]
    for base in bases:
        version = re.fullmatch(r"python:(\d+\.\d+)-slim-\w+", base)
        assert version and version[1] in SpecifierSet(PROJECT["requires-python"])
    text = "\n".join(rests(file, "RUN"))
    assert not re.findall(r"[\w-]+==[\d.]+", text)
    named = re.findall(r"-r /requirements/(\S+)", text)
    assert "requirements.txt" in named and "requirements-speech.txt" in named
    ((brought, _),) = [each for each in copied(file) if each[1] == "/requirements/"]
    assert sorted(brought) == sorted(named)
    # What `grep` takes from there is one requirement.
    for pattern in re.findall(r"grep '([^']+)' /requirements/requirements\.txt", text):
        assert len(re.findall(pattern, (ROOT / "requirements.txt").read_text(), re.MULTILINE)) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_shell_lines_hold(file: Path) -> None:
    for line in rests(file, "RUN"):
        subprocess.run(["sh", "-n", "-c", line], check=True)
        assert ("|" not in line and "sudo" not in line and "--no-cache-dir" in line) or "apt-get" in line
        if "apt-get" in line:
            assert "--no-install-recommends" in line and line.endswith("rm -rf /var/lib/apt/lists/*")
    users = [step.rest for step in steps(file) if step.word == "USER"]
    assert users == ["geneface"], "not as root"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_starts_the_page(file: Path) -> None:
    (entry,), (command,) = rests(file, "ENTRYPOINT"), rests(file, "CMD")
    assert entry == '["geneface"]' and "geneface" in PROJECT["scripts"]
    arguments = build_parser().parse_args(re.findall(r'"([^"]+)"', command))
    (port,) = rests(file, "EXPOSE")
    assert arguments.port == int(port)
    assert "GRADIO_SERVER_NAME=0.0.0.0" in rests(file, "ENV")[0]


def first_stage(file: Path) -> str:
    return file.read_text().split("FROM ")[1]


@pytest.mark.slow
def test_the_wheel_can_be_built_of_what_is_copied(tmp_path: Path) -> None:
    """The first stage, which is the same in both, done in a folder."""
    pytest.importorskip("hatchling")
    assert len({*map(first_stage, FILES)}) == 1

    def skipped(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if ignored(str(Path(folder, name).relative_to(ROOT)))]

    for sources, target in copied(FILES[0])[:-1]:
        for source in sources:
            if target == "./":
                (tmp_path / "source").mkdir(exist_ok=True)
                shutil.copy(ROOT / source, tmp_path / "source" / source)
            else:
                shutil.copytree(ROOT / source, tmp_path / "source" / target, ignore=skipped)
    (line,) = [line for line in rests(FILES[0], "RUN") if line.startswith("pip wheel")]
    words = shlex.split(line.replace("/wheels", str(tmp_path / "wheels")))
    subprocess.run([sys.executable, "-m", *words, "--no-build-isolation"], cwd=tmp_path / "source", check=True)
    (wheel,) = (tmp_path / "wheels").iterdir()
    assert wheel.stat().st_size > 15e6, "with the persons"
