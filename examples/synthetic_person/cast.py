"""The actors: one recipe each. None is the likeness of anybody."""

from geneface.face.articulation import Style

from .actor import Manner
from .backdrop import Backdrop
from .garment import Outfit
from .groom import HairLook
from .recipe import EyeLook, Recipe
from .skin import SkinLook
from .studio import Studio

VERA = Recipe(
    name="vera",
    identity=3,
    seed=3,
    traits={
        **{"jaw_width": -0.55, "chin_width": -0.35, "chin_height": -0.15, "nose_width": -0.12, "upper_lip": 0.06},
        **{"lower_lip": 0.08, "eye_opening": 0.07, "eye_width": 0.06, "face_width": -0.2, "mouth_width": -0.05},
    },
    skin=SkinLook(
        base=(0.52, 0.320, 0.232), lip=(0.42, 0.135, 0.125), freckles=0.6, oil=0.48, flush=0.75, age=0.10, liner=0.8
    ),
    hair=HairLook(
        style="bob",
        hairline="round",
        ragged=0.10,
        colour=(0.085, 0.042, 0.022),
        count=26000,
        second=(0.20, 0.105, 0.050),
        grey=0.16,
        brow=0.72,
        brow_colour=(0.105, 0.058, 0.034),
        brow_density=0.38,
    ),
    eyes=EyeLook(inner=(0.17, 0.13, 0.055), outer=(0.075, 0.115, 0.085)),
    outfit=Outfit(kind="sweater", colours=((0.045, 0.095, 0.150),), shoulders=0.88),
    backdrop=Backdrop(room="loft"),
    studio=Studio(),
    manner=Manner(
        style=Style(amplitude=1.12, asymmetry=0.05),
        mood={
            "mouthClose": 0.04,
            "mouthSmile_L": 0.20,
            "mouthSmile_R": 0.18,
            "cheekSquint_L": 0.12,
            "cheekSquint_R": 0.12,
            "eyeWide_L": 0.14,
            "eyeWide_R": 0.14,
        },
    ),
    neck=0.90,
)

THEO = Recipe(
    name="theo",
    identity=8,
    seed=55,
    character=1.1,
    traits={"nose_width": 0.1, "lower_lip": -0.12, "upper_lip": -0.08, "nose_length": 0.15, "chin_height": 0.1},
    skin=SkinLook(
        base=(0.225, 0.122, 0.076),
        lip=(0.150, 0.062, 0.052),
        flush=0.45,
        shade=(0.72, 0.68, 0.68),
        mottle=1.4,
        pores=1.15,
        age=1.3,
        oil=0.42,
        liner=0.45,
    ),
    hair=HairLook(
        style="crop",
        colour=(0.068, 0.060, 0.054),
        count=44000,
        hairline="receding",
        second=(0.200, 0.191, 0.184),
        grey=0.70,
        scalp=0.55,
        brow=1.15,
        arch=0.55,
        brow_colour=(0.040, 0.032, 0.027),
        brow_density=0.36,
        stubble=1.0,
        stubble_colour=(0.080, 0.064, 0.055),
    ),
    eyes=EyeLook(inner=(0.075, 0.038, 0.016), outer=(0.035, 0.018, 0.010), white=(0.54, 0.48, 0.43), lashes=0.55),
    outfit=Outfit(kind="jacket", colours=((0.055, 0.06, 0.07), (0.25, 0.32, 0.43)), shoulders=1.0),
    backdrop=Backdrop(room="evening", blur=13.0),
    studio=Studio(
        directions=((0.66, -0.50, -0.66), (-0.80, -0.05, -0.60), (-0.80, -0.45, 0.70)),
        colours=((2.30, 2.02, 1.72), (0.30, 0.33, 0.40), (1.60, 1.75, 2.05)),
        above=(0.40, 0.38, 0.38),
        below=(0.22, 0.18, 0.15),
        exposure=0.74,
    ),
    manner=Manner(
        style=Style(amplitude=1.15, asymmetry=-0.05, jaw=1.05),
        mood={
            "mouthClose": 0.04,
            "mouthSmile_L": 0.15,
            "mouthSmile_R": 0.17,
            "cheekSquint_L": 0.1,
            "cheekSquint_R": 0.1,
            "eyeWide_L": 0.06,
            "eyeWide_R": 0.06,
        },
        liveliness=0.9,
    ),
)

CAST = {recipe.name: recipe for recipe in (VERA, THEO)}
