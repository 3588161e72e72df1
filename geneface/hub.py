"""Where persons are found: embedded ones, local folders, the Hugging Face Hub."""

import re
from pathlib import Path

from geneface.errors import InputError

PERSONS_DIR = Path(__file__).resolve().parent.parent / "examples" / "persons"
DEFAULT_PERSON = "vera"
FILES = ["model_index.json", "README.md", "preview.png", "*/config.json", "*/*.safetensors"]
REPO_ID = re.compile(r"[\w.-]+/[\w.-]+")


def list_persons(folder: Path = PERSONS_DIR) -> list[str]:
    """Names of the persons in a folder of bundles."""
    return sorted(index.parent.name for index in folder.glob("*/model_index.json"))


def find_person(name: str | None = None) -> str:
    """The bundle of an embedded person by name, or `name` itself when it is a folder or a Hub id.

    Raises `InputError` that lists the known persons.
    """
    name = name or DEFAULT_PERSON
    if name in list_persons():
        return str(PERSONS_DIR / name)
    if Path(name).is_dir() or REPO_ID.fullmatch(name):
        return name
    known = ", ".join(list_persons()) or "none"
    raise InputError(f"unknown person {name!r}; embedded: {known}; or give a folder or a Hub id like user/person")


def resolve_bundle(
    path_or_id: str | Path,
    *,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> Path:
    """A local folder for a folder or a Hub id; only JSON, safetensors, the card and the preview are fetched.

    Raises `InputError` if it is neither, or if the Hub does not give it.
    """
    if Path(path_or_id).is_dir():
        return Path(path_or_id)
    if not REPO_ID.fullmatch(str(path_or_id)):
        raise InputError(f"{path_or_id} is neither a folder nor a Hub id like user/person; name one of these")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        folder = snapshot_download(
            str(path_or_id),
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            allow_patterns=FILES,
        )
    except RepositoryNotFoundError:
        raise InputError(f"the Hub has no model {path_or_id}, or it is private: check the name, or log in") from None
    except LocalEntryNotFoundError:
        raise InputError(f"{path_or_id} is not cached and the Hub cannot be reached; go online once") from None
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise InputError(f"{path_or_id} could not be fetched from the Hub: {str(error).splitlines()[0]}") from None
    return Path(folder)
