"""The pages tell the truth: code blocks run, and what commands, links and sentences name is there.

A block that cannot run here says why: ```bash no-run: REASON. Its names are checked nevertheless.
"""

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from motion_corpus import write_wave as write_wav
from tiny import ROOT

from geneface import metrics
from geneface.cli import build_parser, main

README, CONTRIBUTING, DOCS = ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs"
OTHERS = (ROOT / "hub_configs" / "README.md", *sorted((ROOT / "examples").glob("*/README.md")))
PAGES = (README, CONTRIBUTING, *sorted(DOCS.glob("*.md")), *OTHERS)
TOYS = DOCS / "extending.md"
"""Its pieces name files that are not there; tests/test_extending.py runs them."""
MOST_WORDS = 1000
BLOCK = re.compile(r"^```(bash|python|json|text)(?: no-run: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STARTS = re.compile(r'^if __name__ == "__main__":$', re.MULTILINE)


class Block(NamedTuple):
    language: str
    reason: str
    """Why it is not run; empty if it is."""
    text: str

    def commands(self) -> Iterator[list[str]]:
        """The words of each command of a shell's block."""
        for line in self.text.replace("\\\n", " ").splitlines():
            words: list[str] = []
            for word in [*shlex.split(line, comments=True), "&&"]:
                if word != "&&":
                    words.append(word)
                elif words:
                    yield words
                    words = []


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    text = read(page)
    found = [Block(*groups) for groups in BLOCK.findall(text)]
    fences = len(re.findall(r"^```", text, re.MULTILINE))
    assert fences == 2 * len(found), (
        f"{page.name}: a block begins with a language, and no-run: REASON if it cannot run"
    )
    return found


def prose(page: Path) -> str:
    return BLOCK.sub("", read(page))


def spoken(words: list[str]) -> list[str] | None:
    """What a command gives to `geneface`; None if it is another one."""
    if words[0] == "geneface":
        return words[1:]
    if words[0] in ("python", "accelerate") and "geneface" in words:
        return words[words.index("geneface") + 1 :]
    return None


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def empty(tmp_path: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with nothing in it but a fifth of a second of speech."""
    write_wav(tmp_path / "speech.wav", speech[:3200])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def runnable(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in ("bash", "python") and not block.reason]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page != TOYS and runnable(page)], ids=name)
def test_blocks_run(page: Path, empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In order, as a reader pastes them: shell lines, and Python in one session."""
    session: dict[str, object] = {}
    for block in runnable(page):
        if block.language == "python":
            exec(compile(block.text, name(page), "exec"), session)
            continue
        for words in block.commands():
            arguments = spoken(words)
            assert arguments is not None, f"{shlex.join(words)}: mark the block no-run with a reason"
            assert main(arguments) == 0, f"{shlex.join(words)}: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_name_what_is_there(page: Path) -> None:
    for block in blocks(page):
        if block.language == "bash":
            for words in block.commands():
                check_command(words)
        elif block.language == "python" and page != TOYS:
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("geneface"):
                    module = importlib.import_module(str(node.module))
                    assert all(hasattr(module, each.name) for each in node.names), ast.unparse(node)


def check_command(words: list[str]) -> None:
    """That its arguments parse, or that the files and targets that it names are here."""
    line = shlex.join(words)
    if (arguments := spoken(words)) is not None:
        try:
            build_parser().parse_args(arguments)
        except SystemExit as stop:
            raise AssertionError(f"geneface does not take: {line}") from stop
    elif words[0] in ("python", "accelerate"):
        check_tool(words)
    elif words[0] == "bash":
        assert (ROOT / words[1]).is_file(), line
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", read(ROOT / "Makefile"), re.MULTILINE), line
    elif words[:2] == ["pip", "install"]:
        files = [word for before, word in pairwise(words) if before == "-r"]
        assert all((ROOT / file).is_file() for file in files), line


def tool(words: list[str]) -> Path:
    """The file that `python -m MODULE ...` or `python FILE ...` starts."""
    if "-m" not in words:
        return ROOT / words[1]
    place = ROOT / words[words.index("-m") + 1].replace(".", "/")
    return place / "__main__.py" if place.is_dir() else place.with_suffix(".py")


def check_tool(words: list[str]) -> None:
    line, file = shlex.join(words), tool(words)
    assert file.is_file() and STARTS.search(read(file)), f"nothing to start: {line}"
    source = read(file)
    if "parse_config(" in source and "ArgumentParser(" not in source:
        source += read(ROOT / "geneface" / "training" / "loop.py")
    taken = re.findall(r'add_argument\(\s*((?:"-[\w-]+"(?:, )?)+)(.*)', source)
    spellings = [re.findall(r'"(-[\w-]+)"', names) for names, _ in taken]
    options = [word for word in words[words.index("-m") + 2 if "-m" in words else 2 :] if re.match(r"--?[a-z]", word)]
    known = {each for names in spellings for each in names}
    if 'add_argument(f"--{' in source:  # One option for each of some names.
        known |= {f"--{each.replace('_', '-')}" for each in re.findall(r'"([a-z_]+)"', source)}
    assert {*options} <= known, f"not among its options: {line}"
    for names, (_, rest) in zip(spellings, taken, strict=True):
        assert "required=True" not in rest or {*names} & {*options}, f"lacks {names[0]}: {line}"
    for word in words[2:]:
        if word.startswith(("hub_configs/", "examples/")):
            assert (ROOT / word).exists(), line


def test_all_tools_are_listed() -> None:
    """Once each, with a command that names what there is."""
    listed = [shlex.split(line) for line in re.findall(r"`(python [^`]+)`", prose(DOCS / "tools.md"))]
    listed = [words for words in listed if words != ["python", "-m"]]
    files = [
        ROOT / "app.py",
        *(file for top in ("geneface", "research", "examples", "docs") for file in (ROOT / top).rglob("*.py")),
    ]
    tools = [file for file in files if STARTS.search(read(file))]
    assert sorted(map(tool, listed)) == sorted(tools)
    for words in listed:
        check_tool(words)


def slugs(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r'\]\(([^)\s]+)\)|src="([^"]+)"', prose(page)):
        target, _, anchor = "".join(link).partition("#")
        if target.startswith(("https:", "http:")):
            continue
        place = (page.parent / target) if target else page
        assert place.exists(), f"{name(page)} links to {target}"
        assert not anchor or anchor in slugs(place), f"{name(page)} links to {target}#{anchor}"


def commands_and_options() -> tuple[set[str], set[str]]:
    """Of `geneface`, and the options of the tools, too."""
    (commands,) = [action.choices for action in build_parser()._actions if isinstance(action.choices, dict)]
    options = {option for sub in commands.values() for action in sub._actions for option in action.option_strings}
    files = [
        file for top in ("geneface", "research", "examples", "tests/campaign") for file in (ROOT / top).rglob("*.py")
    ]
    return set(commands), options.union(*(re.findall(r'"(--[\w-]+)"', read(file)) for file in files))


@pytest.mark.parametrize("page", [page for page in PAGES if page != TOYS], ids=name)
def test_sentences_name_what_is_there(page: Path) -> None:
    for dotted in set(re.findall(r"\bgeneface(?:\.[a-zA-Z_]\w*)+", prose(page))):
        parts, place = dotted.split("."), ROOT
        while parts and (place / parts[0]).is_dir():
            place /= parts.pop(0)
        if parts and (place / f"{parts[0]}.py").is_file():
            place /= f"{parts.pop(0)}.py"
        source = read(place if place.is_file() else place / "__init__.py")
        assert all(re.search(rf"\b{part}\b", source) for part in parts), f"{name(page)} speaks of {dotted}"
    known, options = commands_and_options()
    for command in re.findall(r"`geneface ([a-z][\w-]*)", prose(page)):
        assert command in known, f"{name(page)} speaks of geneface {command}"
    for option in re.findall(r"`(--[a-z][\w-]*)", prose(page)):
        assert option in options, f"{name(page)} speaks of {option}"
    for path in set(re.findall(r"(?<![\w/.])(?:geneface|tests|docs|scripts)/[\w/.]+\w", prose(page))):
        assert (ROOT / path).exists(), f"{name(page)} speaks of {path}"


def test_the_readme_is_short() -> None:
    """As `awk '/^```/ {code = !code; next} !code' README.md | wc -w` counts."""
    assert len(prose(README).split()) <= MOST_WORDS


def test_two_commands_do_all() -> None:
    """The README names both, and CI calls exactly the second."""
    lines = [words for block in blocks(README) if block.language == "bash" for words in block.commands()]
    assert ["bash", "scripts/first_video"] in lines and ["bash", "scripts/check"] in lines
    assert re.findall(r"^[^#\n].*$", read(ROOT / ".ci" / "run"), re.MULTILINE) == [
        'cd "$(dirname "$0")/.." && exec bash scripts/check'
    ]


def test_all_measures_are_defined() -> None:
    page = read(DOCS / "measures.md")
    measures = [each for each, value in vars(metrics).items() if callable(value) and each.islower()]
    assert len(measures) > 20
    assert not [each for each in measures if f"`{each}`" not in page]


def test_citations_of_measures() -> None:
    """The sections of docs/measures.md that sources and pages cite are there."""
    headings = set(re.findall(r"^## (.+)$", read(DOCS / "measures.md"), re.MULTILINE))
    sources = [file for top in ("geneface", "research", "tests", "docs") for file in (ROOT / top).rglob("*.[mp][dy]")]
    cited = {section for file in sources for section in re.findall(r"measures\.md, ([A-Z][\w' ]+)\)", read(file))}
    assert cited and cited <= headings
