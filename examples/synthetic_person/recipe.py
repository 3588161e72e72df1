"""A recipe: everything that makes one actor this actor."""

from dataclasses import dataclass, field

from .actor import Manner
from .backdrop import Backdrop
from .garment import Outfit
from .groom import Colour, HairLook
from .skin import SkinLook
from .studio import Studio


@dataclass(frozen=True)
class EyeLook:
    """Linear colours of the iris near the pupil and towards its rim, and of the white."""

    inner: Colour
    outer: Colour
    white: Colour = (0.60, 0.555, 0.53)
    lashes: float = 1.0
    """Length and thickness; 1 is usual for a woman."""


@dataclass(frozen=True)
class Recipe:
    """`identity` seeds the face's shape, `character` its distance from the mean face; `seed` all that is random."""

    name: str
    identity: int
    seed: int
    skin: SkinLook
    hair: HairLook
    eyes: EyeLook
    outfit: Outfit
    backdrop: Backdrop
    studio: Studio
    manner: Manner
    character: float = 1.0
    traits: dict[str, float] = field(default_factory=dict)
    """How the face is then changed: see `identity.choose_identity`."""
    neck: float = 1.0
    """Width of the neck, as a share of the face model's."""
