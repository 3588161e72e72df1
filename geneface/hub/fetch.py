"""Fetching from the Hub: only the files that a bundle may have, their sizes checked before, their digests after.

What cannot be fetched is said in one sentence. Whatever is in the cache already is not fetched again, and without
a network the cache is enough.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from geneface.bundles.index import (
    HUB_LINK,
    INDEX,
    Bundle,
    beside,
    component_files,
    hub_links,
    person_files,
    read_index,
    refuse_pickles,
)
from geneface.errors import InputError
from geneface.utils.untrusted import LIMITS, MEGABYTE

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

PREVIEW = "preview.png"
NOT_CACHED = "{} is not cached as a whole, and the Hub cannot be reached; go online once"
SHA256_LETTERS = 64
COMMIT = re.compile(r"[0-9a-f]{40}")


class Access(TypedDict, total=False):
    """How the Hub may be asked; see `geneface.hub.persons.open_bundle`."""

    token: str | None
    cache_dir: str | Path | None
    local_files_only: bool


class Place(TypedDict):
    """Which copy of a repository is meant, for the Hub's client."""

    revision: str | None
    token: str | None
    cache_dir: str | Path | None


def open_folder(folder: Path, **access: Unpack[Access]) -> Bundle:
    """The bundle in a folder; components that it links to on the Hub are fetched.

    Raises:
        InputError: if it is no person's, was made by a newer release, or links to a place outside.
    """
    index = read_index(folder)  # First, because a folder that is none may be a whole disk.
    refuse_pickles(folder)
    places = {}
    for name in index.components:
        link = index.links.get(name)
        if link and (match := HUB_LINK.fullmatch(link)):
            places[name] = fetch_components(match[1], [name], revision=match[2], **access) / name
        else:
            places[name] = beside(folder, name, link)
    return Bundle(folder, folder.name, index, places)


def fetch_person(
    repo_id: str, *, revision: str | None = None, variant: str | None = None, **access: Unpack[Access]
) -> Bundle:
    """A person's repository in the cache, with all that its index names; linked components are fetched too.

    Raises:
        InputError: if the Hub does not give it, or if it is not a whole and safe person of a known version.
    """
    repository = Repository(repo_id, revision, **access)
    index = read_index(repository.get([INDEX], missing="is no person of GeneFace"), repo_id)
    links = hub_links(index, repo_id)
    folder = repository.get(*person_files(index, variant))
    places = {name: folder / name for name in index.components}
    for name, (linked, commit) in links.items():
        places[name] = fetch_components(linked, [name], revision=commit, **access) / name
    return Bundle(folder, repo_id, index, places)


def fetch_components(
    repo_id: str, names: Sequence[str], *, revision: str | None = None, **access: Unpack[Access]
) -> Path:
    """The cached folder of a repository of shared components, with those named."""
    required, optional = zip(*map(component_files, names), strict=True)
    return Repository(repo_id, revision, **access).get([*chain(*required)], [*chain(*optional)])


def fetch_preview(repo_id: str, *, revision: str | None = None, **access: Unpack[Access]) -> Path | None:
    """The cached preview picture of a person on the Hub; None if it has none."""
    repository = Repository(repo_id, revision, **access)
    repository.list_files()
    if repository.sizes is not None and PREVIEW not in repository.sizes:
        return None
    return repository.get([PREVIEW]) / PREVIEW


class Repository:
    """One revision of a repository: on the Hub if that can be reached, else in the cache."""

    def __init__(
        self,
        repo_id: str,
        revision: str | None = None,
        *,
        token: str | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ):
        self.repo_id = repo_id
        self.sizes: dict[str, int] | None = None
        self.commit: str | None = None
        self._folder: Path | None = None
        self._digests: dict[str, str] = {}
        self._place = Place(revision=revision, token=token, cache_dir=cache_dir)
        self._pinned = bool(revision and COMMIT.fullmatch(revision))
        self._listed = local_files_only

    def list_files(self) -> None:
        """Ask the Hub, once, what there is; if it cannot be reached, the cache must do."""
        from huggingface_hub import HfApi

        if self._listed:
            return
        self._listed = True

        revision, token = self._place["revision"], self._place["token"]
        with explained(self.repo_id, token=token):
            try:
                info = HfApi(token=token).model_info(self.repo_id, revision=revision, files_metadata=True)
            except Exception as error:
                if unreachable(error):
                    return
                raise
        self.commit = info.sha
        self.sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        self._digests = {file.rfilename: _digest(file) for file in info.siblings or []}

    def get(
        self, required: list[str], optional: Iterable[str] = (), missing: str = "was not uploaded completely"
    ) -> Path:
        """The cached folder with these files in it, fetched if they are not there.

        Raises `InputError` if a required file is not in the repository (`missing` says what that means), if a file
        is larger than its kind may be, or if the Hub does not give it.
        """
        # A commit never changes: if it is whole in the cache, there is nothing to ask the Hub.
        if self._pinned and not self._listed:
            try:
                return self._get(required, optional, missing)
            except InputError:
                self._folder = None
        self.list_files()
        return self._get(required, optional, missing)

    def _get(self, required: list[str], optional: Iterable[str], missing: str) -> Path:
        names = [*required, *optional]
        if self.sizes is not None:
            if absent := [name for name in required if name not in self.sizes]:
                raise InputError(f"{self.repo_id} {missing}: it has no {absent[0]}; ask its author, or name another")
            names = [name for name in names if name in self.sizes]
            for name in names:
                self._check_size(name, self.sizes[name])
        folder = self._folder
        if folder is None or not all((folder / name).is_file() for name in names):
            folder = self._folder = self._download(names)
        if self.sizes is None:
            if any(not (folder / name).is_file() for name in required):
                raise InputError(NOT_CACHED.format(self.repo_id))
        elif folder.name != self.commit:
            raise InputError(f"{self.repo_id} changed while it was being fetched; try again")
        else:
            self._repair(folder, names, self.sizes)
            _sweep(folder)
        return folder

    def _download(self, names: list[str]) -> Path:
        from huggingface_hub import snapshot_download
        from tqdm.auto import tqdm

        class Silent(tqdm):
            def __init__(self, *args: object, **options: object):
                super().__init__(*args, **{**options, "disable": True})

        slow = any(name.endswith(".safetensors") for name in names)
        with explained(self.repo_id, token=self._place["token"]):
            folder = snapshot_download(
                self.repo_id,
                allow_patterns=names,
                local_files_only=self.sizes is None,
                tqdm_class=None if slow else Silent,
                **self._place,
            )
        return Path(folder)

    def _check_size(self, name: str, size: int) -> None:
        limit = LIMITS[Path(name).suffix]
        if size > limit:
            raise InputError(
                f"{self.repo_id}: {name} has {size / MEGABYTE:.0f} MB where at most {limit // MEGABYTE} MB can be "
                "right; do not use it"
            )

    def _repair(self, folder: Path, names: list[str], sizes: dict[str, int]) -> None:
        """Fetch again what the cache holds otherwise than the Hub."""
        from huggingface_hub import hf_hub_download

        def whole(name: str) -> bool:
            path = folder / name
            return path.stat().st_size == sizes[name] and digest_of(path, self._digests[name]) == self._digests[name]

        for name in names:
            if not whole(name):
                place: Place = {**self._place, "revision": self.commit}
                with explained(self.repo_id, token=self._place["token"]):
                    hf_hub_download(self.repo_id, name, force_download=True, **place)
                if not whole(name):
                    raise InputError(f"{self.repo_id}: {name} does not arrive as the Hub has it; try again later")


def _sweep(folder: Path) -> None:
    """Remove what killed downloads of a repository left; the client locks each file that it is fetching."""
    from filelock import FileLock, Timeout

    cached = folder.parents[1]
    for left in (cached / "blobs").glob("*.incomplete"):
        lock = cached.parent / ".locks" / cached.name / f"{left.name.split('.')[0]}.lock"
        with suppress(OSError, Timeout), FileLock(lock, timeout=0):
            left.unlink(missing_ok=True)


def _digest(file: "RepoSibling") -> str:
    """What the Hub says that a file's content is: SHA-256 of a large one, git's SHA-1 of another; "" if nothing."""
    return (file.lfs and file.lfs.sha256) or file.blob_id or ""


def digest_of(path: Path, like: str) -> str:
    """The digest of a file of the kind that `like` is."""
    if not like:
        return ""
    digest = hashlib.sha256() if len(like) == SHA256_LETTERS else hashlib.sha1(usedforsecurity=False)
    if digest.name == "sha1":
        digest.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(MEGABYTE):
            digest.update(block)
    return digest.hexdigest()


def unreachable(error: Exception) -> bool:
    """Whether there is no network, no server, or none that answers, so that the cache must do."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code >= 500
    return isinstance(error, (ConnectionError, HTTPError))


@contextmanager
def explained(repo_id: str, action: str = "fetched from the Hub", token: str | None = None) -> Iterator[None]:
    """Turn what the client raises in the block into an `InputError`.

    Args:
        action: What was being done with the repository, as in "it could not be ...".
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError:
        raise InputError(
            f"{repo_id} is open only to those whom its author admits; ask for access on the Hub"
        ) from None
    except RepositoryNotFoundError:
        if kind := _other_kind(repo_id, token):
            raise InputError(f"{repo_id} is a {kind} on the Hub, not a person; name a person's repository") from None
        raise InputError(
            f"the Hub has no model {repo_id}, or it is private: check the name, or log in as one who may read it"
        ) from None
    except RevisionNotFoundError:
        raise InputError(f"{repo_id} has no such revision; name one of its commits, branches or tags") from None
    except HFValidationError:
        raise InputError(f"{repo_id} cannot be the name of a repository; name one like user/person") from None
    except LocalEntryNotFoundError:
        raise InputError(NOT_CACHED.format(repo_id)) from None
    except HfHubHTTPError as error:
        raise InputError(f"{repo_id} could not be {action}: {_answer(error)}") from None
    except (HTTPError, ConnectionError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"{repo_id} could not be {action}: the Hub cannot be reached ({reason[0]}); try again"
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"{repo_id} could not be {action}: {reason[0]}") from None


def _answer(error: Exception) -> str:
    status = error.response.status_code  # type: ignore[attr-defined]
    known = {
        401: "you are not logged in, or your token is not valid; log in with hf auth login",
        403: "your token does not allow it; log in with one that may write there",
        412: "somebody else changed it at the same time; try again",
        429: "the Hub asks for a pause; try again in some minutes",
    }
    return known.get(status) or f"the Hub answered with error {status}; try again later"


def _other_kind(repo_id: str, token: str | None) -> str | None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError

    try:
        kinds = (kind for kind in ("dataset", "space") if HfApi(token=token).repo_exists(repo_id, repo_type=kind))
        return next(kinds, None)
    except (HTTPError, OSError):
        return None
