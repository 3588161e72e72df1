"""Fetching from the Hub: only the files that a bundle may have, their sizes checked before and after.

What cannot be fetched is said in one sentence. Whatever is in the cache already is not fetched again, and without
a network the cache is enough.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from geneface.errors import InputError
from geneface.hub_errors import NOT_CACHED, explained, unreachable
from geneface.index import INDEX, component_files, hub_links, person_files, read_index

PREVIEW = "preview.png"
COMMIT = re.compile(r"[0-9a-f]{40}")
MEGABYTE = 2**20
LIMITS = {".json": MEGABYTE, ".md": MEGABYTE, ".png": 16 * MEGABYTE, ".safetensors": 4096 * MEGABYTE}
"""The largest file of each kind, in bytes; nothing of another kind is fetched."""


def fetch_person(repo_id: str, *, revision: str | None = None, variant: str | None = None, **access: Any) -> Path:
    """The cached folder of a person's repository, with all that its index names; linked components are fetched too.

    Args:
        access: `token`, `cache_dir` and `local_files_only` of `resolve_bundle`.

    Raises:
        InputError: if the Hub does not give it, or if it is not a whole and safe person of a known version.
    """

    def fetch(repository: Repository) -> Path:
        index = read_index(repository.get([INDEX], missing="is no person of GeneFace"), repo_id)
        links = hub_links(index, repo_id)
        folder = repository.get(*person_files(index, variant))
        for name, (linked, commit) in links.items():
            fetch_components(linked, [name], revision=commit, **access)
        return folder

    return _cached_first(fetch, repo_id, revision, access)


def fetch_components(repo_id: str, names: Sequence[str], *, revision: str | None = None, **access: Any) -> Path:
    """The cached folder of a repository of shared components, with those named."""

    def fetch(repository: Repository) -> Path:
        required, optional = zip(*map(component_files, names), strict=True)
        return repository.get([*chain(*required)], [*chain(*optional)])

    return _cached_first(fetch, repo_id, revision, access)


def fetch_preview(repo_id: str, *, revision: str | None = None, **access: Any) -> Path | None:
    """The cached preview picture of a person on the Hub; None if it has none."""
    repository = Repository(repo_id, revision, **access)
    if repository.sizes is not None and PREVIEW not in repository.sizes:
        return None
    return repository.get([PREVIEW]) / PREVIEW


def _cached_first(
    fetch: Callable[["Repository"], Path], repo_id: str, revision: str | None, access: dict[str, Any]
) -> Path:
    # A commit never changes: if it is whole in the cache, there is nothing to ask the Hub.
    if revision and COMMIT.fullmatch(revision) and not access.get("local_files_only"):
        try:
            return fetch(Repository(repo_id, revision, **{**access, "local_files_only": True}))
        except InputError:
            pass
    return fetch(Repository(repo_id, revision, **access))


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
        self._place: dict[str, Any] = {"revision": revision, "token": token, "cache_dir": cache_dir}
        if not local_files_only:
            self._list_files()

    def _list_files(self) -> None:
        from huggingface_hub import HfApi

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

    def get(
        self, required: list[str], optional: Iterable[str] = (), missing: str = "was not uploaded completely"
    ) -> Path:
        """The cached folder with these files in it, fetched if they are not there.

        Raises `InputError` if a required file is not in the repository (`missing` says what that means), if a file
        is larger than its kind may be, or if the Hub does not give it.
        """
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
        return folder

    def _download(self, names: list[str]) -> Path:
        from huggingface_hub import snapshot_download
        from tqdm.auto import tqdm

        class Silent(tqdm):
            def __init__(self, *args: Any, **options: Any):
                super().__init__(*args, **{**options, "disable": True})

        # Only weights take a while.
        options: dict[str, Any] = (
            {} if any(name.endswith(".safetensors") for name in names) else {"tqdm_class": Silent}
        )
        options |= {"allow_patterns": names, "local_files_only": self.sizes is None, **self._place}
        with explained(self.repo_id, token=self._place["token"]):
            return Path(snapshot_download(self.repo_id, **options))

    def _check_size(self, name: str, size: int) -> None:
        limit = LIMITS[Path(name).suffix]
        if size > limit:
            raise InputError(
                f"{self.repo_id}: {name} has {size / MEGABYTE:.0f} MB where at most {limit // MEGABYTE} MB can be "
                "right; do not use it"
            )

    def _repair(self, folder: Path, names: list[str], sizes: dict[str, int]) -> None:
        """Fetch again what the cache holds in another size than the Hub."""
        from huggingface_hub import hf_hub_download

        for name in names:
            if (folder / name).stat().st_size != sizes[name]:
                place = {**self._place, "revision": self.commit}
                with explained(self.repo_id, token=self._place["token"]):
                    hf_hub_download(self.repo_id, name, force_download=True, **place)
                if (folder / name).stat().st_size != sizes[name]:
                    raise InputError(f"{self.repo_id}: {name} does not arrive in its full size; try again later")
