"""A bundle's `model_index.json`: what it must say, and which files a bundle may have beside it.

Nothing here needs torch, so that persons can be listed and fetched at once.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from geneface.errors import InputError
from geneface.utils.files import read_json
from geneface.utils.untrusted import plain_entries

FORMAT_VERSION = 1
INDEX = "model_index.json"
PIPELINE = "GeneFacePipeline"
COMPONENTS = ("feature_extractor", "motion_generator", "post_net", "renderer")
OPTIONAL = ("phoneme_head",)
"""Components that a bundle may have."""
GENERIC = ("feature_extractor", "motion_generator", "phoneme_head")
"""Components that persons share."""
CARD_FILES = ("README.md", "LICENSE.md", "card.json", "preview.png")
PICKLE_SUFFIXES = {".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth", ".npy", ".npz", ".h5", ".msgpack"}
REPO_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
HUB_LINK = re.compile(rf"({REPO_ID.pattern})@(\w[\w./-]*)")


@dataclass(frozen=True)
class Index:
    """What a bundle's `model_index.json` says."""

    entries: dict[str, object]
    """All of it; of a component [module, class]."""
    links: dict[str, str]
    """Components that the bundle does not carry, and where they are."""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the bundle's components: those that every one has, and those that are named beside them."""
        return COMPONENTS + tuple(name for name in OPTIONAL if name in self.entries)


@dataclass(frozen=True)
class Bundle:
    """A person's bundle, here as a whole."""

    folder: Path
    name: str
    """What it goes by: of one from the Hub its id, for its folder in the cache is named after a commit."""
    index: Index
    places: dict[str, Path]
    """Folder of each component: in the bundle, in one beside it, or in the cache of the Hub."""

    def carries(self, component: str) -> bool:
        return component not in self.index.links


def refuse_pickles(folder: Path) -> None:
    """Raise `InputError` if `folder` holds a file in a format that can carry code, or no file of its own."""
    for path in plain_entries(folder):
        if path.suffix.lower() in PICKLE_SUFFIXES:
            raise InputError(
                f"{path} is in a format that can run code when it is loaded; a bundle holds only JSON and "
                "safetensors: remove the file, or get the bundle from its author again"
            )


def beside(folder: Path, component: str, link: str | None) -> Path:
    """Where a component lies in a bundle, or in the bundle beside it that it links to.

    Raises `InputError` if the link leads anywhere else.
    """
    if not link:
        return folder / component
    try:
        target = (folder / link).resolve()
        is_beside = target.parent == folder.resolve().parent
    except (OSError, ValueError, RuntimeError):  # No file can have such a name.
        is_beside = False
    if not is_beside:
        raise InputError(
            f"{folder / INDEX} links its {component} to {link[:100]!r}, which is not beside the bundle; do not use it"
        )
    return target / component


def read_index(folder: Path, source: str = "") -> Index:
    """The index of a person's bundle, its kind, its version and the form of its links checked.

    Args:
        source: What a message calls the bundle; the index's path if empty.

    Raises:
        InputError: if it is missing, not a person's, or made by a newer release.
    """
    content = read_json(folder / INDEX)
    source = source or str(folder / INDEX)
    if content.get("_class_name") != PIPELINE:
        raise InputError(f"{source} does not describe a {PIPELINE}; name a person's bundle")
    version = content.get("_format_version", 0)
    if type(version) is not int or version > FORMAT_VERSION:
        raise InputError(f"{source} was made by a newer GeneFace; upgrade with pip install -U geneface")
    links = content.get("_links", {})
    index = Index(content, links)
    if not isinstance(links, dict) or not all(
        name in index.components and isinstance(link, str) for name, link in links.items()
    ):
        raise InputError(f"{source}: _links does not name components and their places; get the bundle again")
    return index


def hub_links(index: Index, source: str) -> dict[str, tuple[str, str]]:
    """The linked components of a bundle from the Hub: name -> (repository, revision).

    Raises `InputError` for a link to anything but a pinned repository: a path would leave the bundle.
    """
    matches = {name: HUB_LINK.fullmatch(link) for name, link in index.links.items()}
    for name, match in matches.items():
        if match is None:
            raise InputError(
                f"{source} links its {name} to a place outside the bundle, which is refused; do not use it"
            )
    return {name: (match[1], match[2]) for name, match in matches.items() if match}


def person_files(index: Index, variant: str | None = None) -> tuple[list[str], list[str]]:
    """Paths of the files that a person's bundle must have, and of those that it may have."""
    required, optional = [INDEX], list(CARD_FILES)
    for name in index.components:
        if name not in index.links:
            needed, possible = component_files(name, variant)
            required += needed
            optional += possible
    return required, optional


def component_files(name: str, variant: str | None = None) -> tuple[list[str], list[str]]:
    """Paths in a bundle of a component's files: those that it must have, and those that it may have."""
    return [f"{name}/config.json", f"{name}/{weights_name(variant)}"], [f"{name}/preprocessor_config.json"]


def weights_name(variant: str | None) -> str:
    return f"model.{variant}.safetensors" if variant else "model.safetensors"
