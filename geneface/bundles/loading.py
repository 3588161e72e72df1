"""A person's bundle on disk: `model_index.json`, the registry of component classes, and links to shared components."""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import torch

from geneface import __version__
from geneface.bundles.card import Card, write_card
from geneface.bundles.component import CLASSES, Part
from geneface.bundles.index import COMPONENTS, FORMAT_VERSION, INDEX, OPTIONAL, PIPELINE, Bundle, Index
from geneface.errors import InputError
from geneface.utils.files import atomic_folder, read_json, write_json

ROOMS = ("geneface.models", "geneface.renderers")
"""Packages whose modules define the components."""


@cache
def component_classes() -> Mapping[str, type[Part]]:
    """All component classes by name: those of `ROOMS`, and whatever else was defined as one before."""
    for room in ROOMS:
        for module in iter_modules(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    return CLASSES


def new_component(place: Path, default: str, **given: object) -> Any:
    """An untrained component from a JSON file of constructor arguments, and those that are given.

    Its `_class_name`, if there is one, takes the place of the class called `default`.
    """
    settings = read_json(place)
    return class_named(settings.pop("_class_name", default), place)(**given, **settings)


def trained_component(place: str | Path) -> Any:
    """The component in a folder, on the CPU; or, from a JSON file with its `_class_name`, one that has nothing to
    learn. A folder of transformers, which names no class, is told by its `model_type`."""
    place = Path(place)
    if place.suffix == ".json":
        return new_component(place, "").eval()
    config = read_json(place / "config.json")
    name = config.get("_class_name") or next(
        (
            name
            for name, each in component_classes().items()
            if (kind := getattr(each, "model_type", None)) and kind == config.get("model_type", kind)
        ),
        str(config.get("model_type")),
    )
    return class_named(name, place).from_pretrained(place)


def class_named(name: object, place: Path) -> type[Part]:
    """The component class of that name; `InputError`, naming `place`, if there is none."""
    classes = component_classes()
    if not isinstance(name, str) or name not in classes:
        raise InputError(f"{place} asks for a {name!r}; the classes are {', '.join(sorted(classes))}")
    return classes[name]


def load_components(bundle: Bundle, given: Mapping[str, Part], *, variant: str | None = None) -> dict[str, Part]:
    """All components of a bundle, those in `given` taken as they are; on the CPU.

    Raises `InputError` if one is missing, damaged, not what it is said to be, or not safe.
    """
    if unknown := sorted(given.keys() - {*COMPONENTS, *OPTIONAL}):
        raise InputError(f"unknown component {unknown[0]!r}; components are {', '.join(COMPONENTS + OPTIONAL)}")
    components = dict(given)
    for name in bundle.index.components:
        if name not in components:
            component_class = _component_class(bundle.index, name, bundle.folder)
            place = bundle.places[name]
            try:
                # What is shared may be of another class by now.
                if bundle.carries(name):
                    components[name] = component_class.from_pretrained(place, variant=variant)
                else:
                    components[name] = trained_component(place)
            except (MemoryError, torch.OutOfMemoryError):
                raise InputError(f"{place} asks for more memory than there is; do not use it") from None
    return components


def save_components(
    folder: Path,
    components: Mapping[str, Part],
    *,
    variant: str | None = None,
    links: dict[str, str] | None = None,
    dtypes: Mapping[str, torch.dtype] | None = None,
    card: Card | None = None,
) -> None:
    """Write a bundle, whole or not at all.

    Args:
        components: By name.
        links: Components that are not written but found in another bundle: "user/repo@revision" or a relative path.
        dtypes: Of a component's floating point weights on disk; as they are if not named.
        card: What is known of the person.
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
        if card:
            write_card(partial, card)


def _component_class(index: Index, name: str, folder: Path) -> type[Part]:
    entry = index.entries.get(name)
    class_name = str(entry[1]) if isinstance(entry, list) and len(entry) == 2 else ""
    found = component_classes().get(class_name)
    if found is None or getattr(found, "slot", "") not in ("", name):
        raise InputError(f"{folder / INDEX}: {name} is {entry!r}, not a component of GeneFace; get the bundle again")
    return found
