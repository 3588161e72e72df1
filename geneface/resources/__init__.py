"""The files that GeneFace brings along: persons, settings, card templates, example speech, the use policy.

They lie at the top of a clone, under the names by which they are known: `examples/persons/vera`, `hub_configs/train`.
The build maps them into this folder of a wheel under the same names (`pyproject.toml`), so that there is one copy of
each and one name for it.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CLONE = PACKAGE.parents[1]


def resource(name: str) -> Path:
    """The file or folder that GeneFace brings along under `name`, in a wheel and in a clone.

    What lies in the package itself in both, such as `web/page.css`, is found under its name in this folder.
    """
    packed = PACKAGE / name
    return packed if packed.exists() else CLONE / name


def located(path: str | Path) -> Path:
    """Where a path leads: to the user's own file or folder, else to the `resource` of that name if there is one."""
    own, brought = Path(path), resource(str(path))
    return own.resolve() if own.exists() or not brought.exists() else brought


def web(name: str) -> str:
    """A style sheet, a script or a piece of HTML of the page or of a report, such as `page.css`."""
    return resource(f"web/{name}").read_text(encoding="utf-8")
