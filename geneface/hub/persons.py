"""Where persons are found: embedded ones, local folders, the Hugging Face Hub and its cache."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Unpack

from geneface.bundles.index import INDEX, REPO_ID, Bundle, person_files, read_index
from geneface.errors import InputError
from geneface.hub.fetch import Access, explained, fetch_person, open_folder
from geneface.resources import resource
from geneface.utils.files import recover
from geneface.utils.untrusted import is_folder

PERSONS_DIR = resource("examples/persons")
DEFAULT_PERSON = "vera"
TAGS = ["geneface", "talking-head"]


@dataclass(frozen=True)
class HubPerson:
    """A person found on the Hub."""

    repo_id: str
    private: bool
    downloads: int
    updated: datetime | None


def list_persons(folder: Path = PERSONS_DIR) -> list[str]:
    """Names of the persons in a folder of bundles."""
    return sorted(index.parent.name for index in folder.glob("*/model_index.json"))


def cached_persons(cache_dir: str | Path | None = None) -> dict[str, Path]:
    """The persons from the Hub that are on this machine: Hub id -> folder of the newest copy."""
    from huggingface_hub import constants

    found = {}
    cache = Path(cache_dir or constants.HF_HUB_CACHE)
    indexes = cache.glob(f"models--*--*/snapshots/*/{INDEX}")
    for path in sorted(indexes, key=lambda path: path.parent.stat().st_mtime):
        try:
            required, _ = person_files(read_index(path.parent))
        except InputError:
            continue
        if all((path.parent / name).is_file() for name in required):
            found[path.parents[2].name.removeprefix("models--").replace("--", "/")] = path.parent
    return dict(sorted(found.items()))


def search_persons(query: str = "", *, token: str | None = None, limit: int = 20) -> list[HubPerson]:
    """Persons on the Hub whose name matches `query`, the most downloaded first.

    Raises `InputError` if the Hub cannot be reached.
    """
    from huggingface_hub import HfApi, constants, get_session

    with explained("the list of persons", token=token):
        # The list itself is asked for six times, in 23 s, before it fails.
        get_session().head(constants.ENDPOINT)
        models = HfApi(token=token).list_models(search=query or None, filter=TAGS, sort="downloads", limit=limit)
        return [
            HubPerson(model.id, bool(model.private), model.downloads or 0, model.last_modified) for model in models
        ]


def find_person(name: str | None = None) -> str:
    """`name` itself when it is a folder or a Hub id, or the bundle of an embedded person of that name.

    Raises `InputError` that lists the known persons.
    """
    if name and is_folder(name):
        return name
    name = name or DEFAULT_PERSON
    if name in list_persons():
        return str(PERSONS_DIR / name)
    if REPO_ID.fullmatch(name):
        return name
    known = ", ".join(list_persons()) or "none"
    raise InputError(f"unknown person {name!r}; embedded: {known}; or give a folder or a Hub id like user/person")


def resolve_bundle(path_or_id: str | Path, *, revision: str | None = None, **access: Unpack[Access]) -> Path:
    """The folder of `open_bundle`."""
    return open_bundle(path_or_id, revision=revision, **access).folder


def open_bundle(
    path_or_id: str | Path,
    *,
    revision: str | None = None,
    variant: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> Bundle:
    """The bundle in a folder, of an embedded person by name, or of a Hub id, which is fetched into the cache whole.

    It is looked for in this order.

    Raises `InputError` if it is none of these, or if the Hub does not give it.
    """
    access = Access(token=token, cache_dir=cache_dir, local_files_only=local_files_only)
    embedded = str(path_or_id) in list_persons()
    if not embedded and not is_folder(path_or_id):
        recover(Path(path_or_id))
    if is_folder(path_or_id):
        return open_folder(Path(path_or_id), **access)
    if embedded:
        return open_folder(PERSONS_DIR / path_or_id, **access)
    if not REPO_ID.fullmatch(str(path_or_id)):
        known = ", ".join(list_persons()) or "none"
        raise InputError(
            f"{path_or_id} is neither a folder nor a Hub id like user/person; name one of these, or an embedded "
            f"person: {known}"
        )
    return fetch_person(str(path_or_id), revision=revision, variant=variant, **access)
