"""A person's bundle on disk: `model_index.json`, the table of component classes, and links to shared components."""

import importlib
from pathlib import Path
from typing import Any

from geneface import __version__
from geneface.bundle import FORMAT_VERSION, atomic_folder, read_json, refuse_pickles, write_json
from geneface.errors import InputError
from geneface.hub import REPO_ID, resolve_bundle

INDEX = "model_index.json"
PIPELINE = "GeneFacePipeline"
COMPONENTS = ("feature_extractor", "motion_generator", "post_net", "renderer")
# Names in a bundle resolve through this table alone; nothing that a file names is imported.
CLASSES = {
    "FeatureExtractor": "geneface.models.feature_extractor",
    "MotionGenerator": "geneface.models.motion_generator",
    "PostNet": "geneface.models.post_net",
    "FastRenderer": "geneface.rendering.fast",
}


def load_components(
    folder: Path, given: dict[str, Any], *, variant: str | None = None, hub: dict[str, Any] | None = None
) -> dict[str, Any]:
    """All four components of a bundle, those in `given` taken as they are.

    Raises `InputError` if the bundle is not a person's, was made by a newer release, or is incomplete.
    """
    if unknown := sorted(given.keys() - set(COMPONENTS)):
        raise InputError(f"unknown component {unknown[0]!r}; components are {', '.join(COMPONENTS)}")
    refuse_pickles(folder)
    index = read_json(folder / INDEX)
    if index.get("_class_name") != PIPELINE:
        raise InputError(f"{folder / INDEX} does not describe a {PIPELINE}; name a person's bundle")
    if index.get("_format_version", 0) > FORMAT_VERSION:
        raise InputError(f"{folder} was made by a newer GeneFace; upgrade with pip install -U geneface")
    links = index.get("_links", {})
    components = dict(given)
    for name in COMPONENTS:
        if name not in components:
            carried = name not in links
            bundle = folder if carried else _follow_link(folder, str(links[name]), hub or {})
            component_class = _component_class(index, name, folder)
            components[name] = component_class.from_pretrained(bundle / name, variant=variant if carried else None)
    return components


def save_components(
    folder: Path,
    components: dict[str, Any],
    *,
    variant: str | None = None,
    links: dict[str, str] | None = None,
    dtypes: dict[str, Any] | None = None,
) -> None:
    """Write a bundle, whole or not at all.

    Args:
        components: By name.
        links: Components that are not written but found in another bundle: "user/repo@revision" or a relative path.
        dtypes: Of a component's floating point weights on disk; as they are if not named.
    """
    links = links or {}
    with atomic_folder(folder) as partial:
        for name, component in components.items():
            if name not in links:
                component.save_pretrained(partial / name, variant=variant, dtype=(dtypes or {}).get(name))
        classes = {name: [type(part).__module__, type(part).__name__] for name, part in components.items()}
        index = {
            "_class_name": PIPELINE,
            "_geneface_version": __version__,
            "_format_version": FORMAT_VERSION,
            **classes,
        }
        write_json(partial / INDEX, {**index, "_links": links} if links else index)


def _component_class(index: dict[str, Any], name: str, folder: Path) -> Any:
    entry = index.get(name)
    class_name = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    if class_name not in CLASSES:
        raise InputError(f"{folder / INDEX}: {name} is {entry!r}, not a component of GeneFace; get the bundle again")
    return getattr(importlib.import_module(CLASSES[class_name]), class_name)


def _follow_link(folder: Path, link: str, hub: dict[str, Any]) -> Path:
    """The bundle that a link names: "user/repo@revision" on the Hub, or a path relative to a local bundle."""
    repo_id, _, revision = link.partition("@")
    if revision and REPO_ID.fullmatch(repo_id):
        return resolve_bundle(repo_id, revision=revision, **hub)
    return resolve_bundle(folder / link)
