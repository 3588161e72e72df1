"""The model card: what is known of a person, as `card.json` in a bundle and as `README.md` on the Hub."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from string import Template

from geneface.errors import InputError
from geneface.resources import resource
from geneface.utils.files import read_json, write_json

CARD = "card.json"
TEMPLATES = resource("hub_configs/cards")
UNKNOWN = "Not stated."


@dataclass(frozen=True)
class Figure:
    """Something that was measured."""

    value: float
    unit: str = ""
    digits: int = 1
    """After the point, when it is said."""

    def __str__(self) -> str:
        return f"{self.value:.{self.digits}f} {self.unit}".rstrip()


@dataclass(frozen=True)
class Card:
    """What a person's card says, in words; `figures` maps a held-out figure to its value, in words or as a number."""

    name: str
    about: str = ""
    consent: str = ""
    training_data: str = ""
    figures: dict[str, Figure | str] = field(default_factory=dict)
    limits: str = ""


def read_card(folder: Path) -> Card | None:
    """The card of a bundle; None if it has none. Raises `InputError` if it is damaged."""
    path = folder / CARD
    if not path.is_file():
        return None
    content = read_json(path)
    words = {entry.name: content[entry.name] for entry in fields(Card) if entry.name in content}
    figures = words.pop("figures", {})
    if "name" not in words or not all(isinstance(value, str) for value in words.values()):
        raise InputError(f"{path} is not a card: it needs a name, and holds words; write it again")
    try:
        return Card(**words, figures={what: _figure(value) for what, value in figures.items()})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path}: figures must map what was measured to its value; write it again") from None


def _figure(value: object) -> Figure | str:
    if not isinstance(value, dict):
        return str(value)
    return Figure(float(value["value"]), str(value.get("unit", "")), int(value.get("digits", 1)))


def write_card(folder: Path, card: Card) -> None:
    write_json(folder / CARD, asdict(card))


def person_readme(card: Card, repo_id: str, tags: list[str], generic: str | None = None) -> str:
    """The model card of a person at `repo_id`, whose shared components are in the repository `generic`, if in any."""
    rows = [f"| {_cell(what)} | {_cell(str(value))} |" for what, value in card.figures.items()]
    shared = f"the ones of [{generic}](https://huggingface.co/{generic}), fetched once for all persons"
    return _fill(
        "person.md",
        tags,
        name=" ".join(card.name.split()),
        repo_id=repo_id,
        about=card.about or "A person of GeneFace: speech in, talking portrait out.",
        consent="\n".join(f"> {line}".rstrip() for line in card.consent.splitlines()),
        training_data=card.training_data or UNKNOWN,
        figures="\n".join(["| figure | value |", "| --- | --- |", *rows]) if rows else UNKNOWN,
        limits=card.limits or UNKNOWN,
        generic=shared if generic else "carried in this repository",
    )


def generic_readme(repo_id: str, tags: list[str]) -> str:
    """The model card of a repository of shared components."""
    return _fill("generic.md", tags, repo_id=repo_id)


def _fill(template: str, tags: list[str], **words: str) -> str:
    from huggingface_hub import ModelCardData

    metadata = ModelCardData(
        license="other",
        license_name="geneface-use-policy",
        license_link="LICENSE.md",
        library_name="geneface",
        tags=tags,
    )
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return f"---\n{metadata.to_yaml()}\n---\n\n{Template(text).substitute(words)}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
