"""Publishing a person: checked as a whole, described by a card, and sent to the Hub in one commit.

Private unless asked otherwise. What the person shown has consented to is part of the card; nothing is published
without it.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from geneface.bundles.card import Card, generic_readme, person_readme, read_card, write_card
from geneface.bundles.component import read_tensors
from geneface.bundles.index import CARD_FILES, COMPONENTS, GENERIC, INDEX, OPTIONAL, REPO_ID, read_index, weights_name
from geneface.bundles.loading import load_components
from geneface.errors import InputError
from geneface.hub.fetch import Repository, explained, fetch_components, open_folder
from geneface.hub.persons import TAGS
from geneface.media.image import read_image, write_image
from geneface.resources import resource
from geneface.utils.files import read_json, write_json

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, ModelInfo

USE_POLICY = resource("USE_POLICY.md")
GENERIC_TAGS = ["geneface", "audio-to-motion"]
EMPTY = {".gitattributes", "README.md"}
STORAGE = {"_class_name", "architectures", "dtype", "transformers_version"}
"""Entries of a component's config that say how it is stored, not what it is."""


def push_to_hub(
    folder: str | Path,
    repo_id: str,
    *,
    consent: str,
    private: bool = True,
    token: str | None = None,
    link_generic: str | None = None,
) -> str:
    """Publish the bundle in `folder`, or update what is published, in one commit; returns the commit's address.

    Args:
        consent: What the person shown has agreed to; or that nobody is shown, if the person is synthetic.
        private: Only for those whom the repository's owner admits.
        link_generic: A repository of the components that all persons share, which the person then names instead of
            carrying them; it is made if it does not exist.

    Raises:
        InputError: for a bundle that does not load, a missing consent, a repository that holds something else, or
            if the Hub refuses.
    """
    folder = Path(folder)
    if not consent.strip():
        raise InputError(
            "the consent of the person shown is not stated; say what they agreed to, or that the person is synthetic"
        )
    for name in filter(None, (repo_id, link_generic)):
        if not REPO_ID.fullmatch(name):
            raise InputError(f"{name!r} is not the name of a repository; name one like user/person")
    bundle = open_folder(folder, token=token)
    parts, places = load_components(bundle, {}), dict(bundle.places)
    card = replace(read_card(folder) or Card(name=folder.resolve().name), consent=consent.strip())

    _check_place(repo_id, private, token)
    index = {name: entry for name, entry in bundle.index.entries.items() if name != "_links"}
    if link_generic:
        shared = [name for name in GENERIC if name in places]
        commit = _share_generic(link_generic, {name: places.pop(name) for name in shared}, private, token)
        index["_links"] = dict.fromkeys(shared, f"{link_generic}@{commit}")

    with tempfile.TemporaryDirectory() as staged:
        stage = Path(staged)
        write_json(stage / INDEX, index)
        write_card(stage, card)
        (stage / "README.md").write_text(person_readme(card, repo_id, TAGS, link_generic), encoding="utf-8")
        # Written anew, a picture has lost what a camera may have put into it beside the pixels.
        picture = folder / "preview.png"
        write_image(stage / "preview.png", read_image(picture) if picture.is_file() else _picture(parts))
        files = {path.name: path for path in stage.iterdir()} | _component_files(places)
        return _commit(repo_id, files, f"Publish {card.name}", private, token).commit_url


def _check_place(repo_id: str, private: bool, token: str | None) -> None:
    """Raise `InputError` if the repository holds something else, or a public person where it must be private."""
    published = _published(repo_id, token)
    if published is None or _files(published) <= EMPTY:
        return
    if INDEX not in _files(published):
        raise InputError(f"{repo_id} holds something else than a person of GeneFace; name another repository")
    read_index(Repository(repo_id, token=token).get([INDEX]), repo_id)
    if private and not published.private:
        raise InputError(
            f"{repo_id} is public; say that the person may be public, or make it private on the Hub first"
        )


def _share_generic(repo_id: str, places: dict[str, Path], private: bool, token: str | None) -> str:
    """The commit of a repository that holds these components; it is made if it does not exist."""
    published = _published(repo_id, token)
    if published is None or _files(published) <= EMPTY:
        with tempfile.TemporaryDirectory() as staged:
            readme = Path(staged) / "README.md"
            readme.write_text(generic_readme(repo_id, GENERIC_TAGS), encoding="utf-8")
            files = {"README.md": readme} | _component_files(places)
            return _commit(repo_id, files, "Publish the shared components", private, token).oid
    if INDEX in _files(published):
        raise InputError(f"{repo_id} is a person, not shared components; name another repository")
    if published.private and not private:
        raise InputError(f"{repo_id} is private, so that a public person cannot name it; make it public first")
    folder = fetch_components(repo_id, list(places), revision=published.sha, token=token)
    for name, place in places.items():
        if not _same(place, folder / name):
            raise InputError(
                f"{repo_id} has another {name} than this person was trained with; name another repository, or let "
                "the person carry its own"
            )
    return str(published.sha)


def _published(repo_id: str, token: str | None) -> "ModelInfo | None":
    """What is in a repository; None if there is none."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    with explained(repo_id, "published", token):
        try:
            return HfApi(token=token).model_info(repo_id)
        except RepositoryNotFoundError:
            return None


def _files(info: "ModelInfo") -> set[str]:
    return {file.rfilename for file in info.siblings or []}


def _component_files(places: dict[str, Path]) -> dict[str, Path]:
    """Path in the repository -> file, of the components and the licence. Each is read, so that it is what it says."""
    files = {"LICENSE.md": USE_POLICY}
    for name, place in places.items():
        for path in sorted((*place.glob("*config.json"), *place.glob("model*.safetensors"))):
            if path.suffix == ".json":
                read_json(path)
            else:
                read_tensors(path)
            files[f"{name}/{path.name}"] = path
    return files


def _commit(repo_id: str, files: dict[str, Path], message: str, private: bool, token: str | None) -> "CommitInfo":
    """Make the repository hold these files and none else of a bundle's, in one commit.

    A new repository becomes public only when everything is in it.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api = HfApi(token=token)
    with explained(repo_id, "published", token):
        api.create_repo(repo_id, private=True, exist_ok=True)
        info = api.model_info(repo_id)
        gone = sorted(name for name in _files(info) - files.keys() if _is_ours(name))
        operations = [CommitOperationAdd(name, path) for name, path in sorted(files.items())]
        commit = api.create_commit(
            repo_id,
            [*operations, *map(CommitOperationDelete, gone)],
            commit_message=message,
            parent_commit=info.sha,
        )
        if info.private and not private:
            api.update_repo_settings(repo_id, private=False)
    return commit


def _is_ours(name: str) -> bool:
    return name in (INDEX, *CARD_FILES) or name.split("/")[0] in COMPONENTS + OPTIONAL


def _same(first: Path, second: Path) -> bool:
    """Whether two folders hold the same component, in whatever precision its weights are stored."""
    configs = [
        {key: value for key, value in read_json(place / "config.json").items() if key not in STORAGE}
        for place in (first, second)
    ]
    mine, theirs = (read_tensors(place / weights_name(None)) for place in (first, second))
    return (
        configs[0] == configs[1]
        and mine.keys() == theirs.keys()
        and all(torch.equal(mine[name].float(), theirs[name].float()) for name in mine)
    )


@torch.no_grad()
def _picture(parts: dict[str, Any]) -> np.ndarray:
    """uint8 [H, W, 3]: the person at rest, looking ahead."""
    post_net, renderer = parts["post_net"], parts["renderer"]
    middle = post_net.context_frames
    rest = post_net(torch.zeros(1, 2 * middle + 1, 68, 3))[0, middle]
    windows = renderer.windows(rest[None])
    rgb = renderer(windows, renderer.scene.reference_pose.view(1, 3, 4), None).rgb[0]
    return rgb.float().mul(255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
