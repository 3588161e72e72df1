"""The law of the house: rooms import downwards only, there is no circle, and the floors are few."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from tiny import ROOT

PACKAGE = ROOT / "geneface"
MOST_FLOORS = 9
MOST_IN_ROOT = 6
DOORS = {"__init__", "__main__"}
"""What only re-exports, or only starts the command."""


def room(module: str) -> str:
    """Of a module's name: the package or the module right under `geneface`."""
    return module.split(".")[1]


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports when it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module == "geneface":
            found |= {f"geneface.{name.name}" for name in node.names if name.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("geneface."):
            found.add(str(node.module))
    return found


def below() -> dict[str, set[str]]:
    """The rooms that each room stands on."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        own = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if own not in DOORS:
            rooms[own] |= {room(module) for module in imports(path)} - {own}
    return rooms


def test_no_circle_and_few_floors() -> None:
    rooms = below()
    floors: dict[str, int] = {}
    waiting = set(rooms)
    while waiting:
        ready = {each for each in waiting if rooms[each] <= floors.keys()}
        assert ready, f"rooms that stand on each other: {sorted(waiting)}"
        floors |= {each: 1 + max((floors[other] for other in rooms[each]), default=0) for each in ready}
        waiting -= ready
    highest = {each: floor for each, floor in floors.items() if floor > MOST_FLOORS}
    assert not highest, f"more than {MOST_FLOORS} floors: {highest}"


def test_few_modules_in_the_root() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_IN_ROOT


def test_the_package_stands_without_the_research() -> None:
    """`research` is not in the wheel."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert "research" not in {name.split(".")[0] for name in names}, path


def test_the_table_in_contributing() -> None:
    """It names every room once, and on a floor above all that the room stands on."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", page, re.MULTILINE)
    named = [(name, int(floor)) for floor, rooms in rows for name in re.findall(r"`(\w+)`", rooms)]
    rooms, floors = below(), dict(named)
    assert sorted(name for name, _ in named) == sorted(rooms)
    for name, others in rooms.items():
        too_high = sorted(other for other in others if floors[other] >= floors[name])
        assert not too_high, f"{name} of floor {floors[name]} imports {', '.join(too_high)}"


def test_no_circle_of_modules() -> None:
    known = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    known = {name.removesuffix(".__init__"): path for name, path in known.items() if name != "geneface.__init__"}
    stands_on = {name: imports(path) & known.keys() for name, path in known.items()}
    while free := {name for name, others in stands_on.items() if not others}:
        stands_on = {name: others - free for name, others in stands_on.items() if name not in free}
    assert not stands_on, f"modules that import each other: {sorted(stands_on)}"


def test_what_a_gpu_machine_lacks_is_imported_late() -> None:
    """These rooms import with torch, numpy, scipy and Hugging Face's packages alone."""
    lacking = {"av", "gradio", "librosa", "mediapipe", "moviepy", "PIL", "cv2", "c2pa", "sklearn", "cryptography"}
    for folder in ("models", "renderers", "motion", "streaming", "training"):
        for path in (PACKAGE / folder).rglob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
                names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                assert not {name.split(".")[0] for name in names} & lacking, path
