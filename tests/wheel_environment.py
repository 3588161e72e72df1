"""The wheel, built from the sdist, in an environment that holds what its metadata asks for and nothing else."""

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tiny import ROOT

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def build_wheel(folder: Path) -> Path:
    """The wheel that pip makes of the sdist that hatchling makes of the clone."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder], cwd=ROOT, check=True)
    (sdist,) = folder.glob("geneface-*.tar.gz")
    subprocess.run([*PIP, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, sdist], check=True)
    (wheel,) = folder.glob("geneface-*.whl")
    return wheel


class Environment:
    """A virtual environment with the wheel, and a folder from which the commands run.

    What the wheel needs is not installed again: the files of the tests' own environment are linked, those of the
    packages alone that its metadata leads to. So whatever is not declared is missing.

    Args:
        extras: Optional dependencies of the wheel that are wanted, too.
    """

    def __init__(self, folder: Path, wheel: Path, *extras: str):
        self.folder, self.work = folder, folder / "work"
        self.work.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        self.python = folder / "venv" / "bin" / "python"
        subprocess.run([*PIP, "--python", self.python, "install", "-q", "--no-deps", wheel], check=True)
        variables = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
        self.packages = Path(sysconfig.get_path("purelib", vars=variables))
        (installed,) = distributions(name="geneface", path=[str(self.packages)])
        for needed in _closure(installed, set(extras)).values():
            _link(needed, self.packages)

    def check(self) -> None:
        """Whether all that anything asks for is there, in a version that it accepts."""
        subprocess.run([*PIP, "--python", self.python, "check"], check=True)

    def variables(self, **more: str) -> dict[str, str]:
        """Those of a user who has nothing: an empty home, no network."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GENEFACE"))}
        home = {"HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache"), "OMP_NUM_THREADS": "1"}
        home["PYTHONDONTWRITEBYTECODE"] = "1"  # The packages are linked, not copied.
        return {**kept, **home, "PATH": f"{self.python.parent}:{os.environ['PATH']}", **more}

    def run(self, *command: object, code: int = 0, **variables: str) -> str:
        """What a command prints, run from the empty folder; it must end with `code`."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.work,
            env=self.variables(**variables),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr


def _closure(root: Distribution, extras: set[str]) -> dict[str, Distribution]:
    """Name -> installed distribution of all that `root` with `extras` asks for, directly or not."""
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, frozenset[str]]] = set()
    waiting = [(root, extras)]
    while waiting:
        current, wanted = waiting.pop()
        for line in current.requires or []:
            needed = Requirement(line)
            if needed.marker and not any(needed.marker.evaluate({"extra": extra}) for extra in wanted or {""}):
                continue
            key = (canonicalize_name(needed.name), frozenset(needed.extras))
            if key not in asked:
                asked.add(key)
                found[key[0]] = distribution(needed.name)
                waiting.append((found[key[0]], set(needed.extras)))
    return found


def _link(package: Distribution, target: Path) -> None:
    """Link a package's files; whole folders where they cannot be a namespace that other packages share."""
    files = [file for file in package.files or [] if ".." not in file.parts]
    whole = {file.parts[0] for file in files if file.parts[1:] in (("__init__.py",), ("METADATA",))}
    for place in {Path(file.parts[0]) if file.parts[0] in whole else Path(file) for file in files}:
        # Some packages share their `__init__.py`, such as those of CUDA.
        if not (target / place).exists():
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(package.locate_file(place), target / place)
