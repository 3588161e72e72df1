"""Render many heads of nobody, from all sides that a talking head shows: what a person's renderer starts from.

    python -m examples.synthetic_person.heads FACE_MODEL -o DIR [--heads N] [--frames N] [--samples K] [--first N]

DIR gets a person dataset for each head, `head_00` and so on, silent: every shape, skin, hair, light and room is drawn
at random, and so are the expressions and poses, more widely than a person would show in speech.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from geneface.errors import run_script
from geneface.face.articulation import INDEX
from geneface.face.face_model import FaceModel
from geneface.utils.units import SAMPLES_PER_FRAME

from .actor import NECK, TORSO_SHARE, Manner, Performance, look_at_camera
from .camera import rest_pose, turn
from .cast import THEO, VERA
from .dataset import write_dataset
from .identity import choose_identity
from .parts import ActorMesh
from .recipe import Recipe
from .renderer import Renderer

TURNS = np.radians([14.0, 22.0, 7.0])
"""Standard deviation of pitch, yaw and roll at their widest."""
SKINS = ((0.62, 0.42, 0.33), (0.50, 0.31, 0.22), (0.34, 0.19, 0.12), (0.16, 0.085, 0.055))
HAIRS = ((0.012, 0.009, 0.007), (0.05, 0.027, 0.015), (0.16, 0.085, 0.04), (0.36, 0.24, 0.11), (0.30, 0.29, 0.28))
TOGETHER = ("eyeBlink", "eyeSquint", "eyeWide", "browDown", "browOuterUp", "mouthSmile", "mouthStretch", "cheekSquint")
"""Moved alike on both sides."""
WIDEST = {"jawOpen": 1.0, "eyeBlink": 1.0, "mouthFunnel": 0.8, "mouthPucker": 0.8, "mouthSmile": 0.8}
"""Of expressions; the others go to 0.5."""
UNUSED = ("PupilDilate", "eyeLook", "cheekPuff")


def random_recipe(seed: int) -> Recipe:
    """A person of the cast's making, of whom nothing is as it was."""
    rng = np.random.default_rng(seed)
    base = (VERA, THEO)[seed % 2]

    def colour(choices: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
        one, other = rng.choice(len(choices), 2)
        mixed = rng.uniform(0.7, 1.3) * (0.7 * np.array(choices[one]) + 0.3 * np.array(choices[other]))
        return tuple(mixed.tolist())  # type: ignore[return-value]

    skin, hair = colour(SKINS), colour(HAIRS)
    lip = tuple((np.array(skin) * [0.9, 0.55, 0.6]).tolist())
    towards = np.array(base.studio.directions) * [rng.choice([-1, 1]), 1, 1] + rng.normal(0, 0.15, (3, 3))
    return replace(
        base,
        name=f"head_{seed:02d}",
        identity=1000 + seed,
        seed=1000 + seed,
        character=1.2,
        traits={},
        skin=replace(base.skin, base=skin, lip=lip, freckles=rng.uniform(0, 0.5), age=rng.uniform(0, 0.6)),
        hair=replace(
            base.hair,
            colour=hair,
            second=tuple(min(1.0, 2.2 * part) for part in hair),
            brow_colour=tuple(0.7 * part for part in hair),
            parting=rng.uniform(-3.5, 3.5),
            hairline=str(rng.choice(["full", "round", "receding"])),
            stubble=float(base is THEO and rng.random() < 0.5),
        ),
        outfit=replace(base.outfit, colours=tuple(colour(HAIRS) for _ in base.outfit.colours)),
        studio=replace(base.studio, directions=tuple(map(tuple, towards.tolist()))),
        manner=Manner(),
        neck=rng.uniform(0.85, 1.0),
    )


def random_performance(frames: int, names: tuple[str, ...], seed: int) -> Performance:
    """Expressions and poses that wander about, each at a pace of its own."""
    rng = np.random.default_rng(seed)

    def wandering(pace: float) -> np.ndarray:
        track = gaussian_filter1d(rng.standard_normal(frames), pace, mode="wrap")
        return np.clip((track - track.mean()) / track.std(), -1.8, 1.8)

    expression = np.zeros((frames, len(names)))
    for name in sorted({name.removesuffix("_L").removesuffix("_R") for name in names}):
        if name.startswith(UNUSED):
            continue
        sides = [index for index, full in enumerate(names) if full in (name, f"{name}_L", f"{name}_R")]
        shared = wandering(2.0)
        for index in sides:
            track = shared if name in TOGETHER else 0.7 * shared + 0.7 * wandering(2.0)
            expression[:, index] = WIDEST.get(name, 0.5) * np.clip(0.7 * track - 0.5, 0, 1)
    lids = expression[:, [INDEX["eyeBlink_L"], INDEX["eyeBlink_R"]]].mean(1)
    turned = Rotation.from_rotvec(np.stack([wandering(4.0) for _ in range(3)], 1) * TURNS).as_matrix()
    shift = np.stack([wandering(6.0) for _ in range(3)], 1) * [0.5, 0.4, 0.8]
    look_at_camera(expression, turned)
    head = np.stack([turn(rest_pose(), r, NECK, s) for r, s in zip(turned, shift, strict=True)])
    follows = Rotation.from_rotvec(TORSO_SHARE * Rotation.from_matrix(turned).as_rotvec()).as_matrix()
    foot = np.array([0.0, -30.0, -3.0])
    torso = np.stack([turn(rest_pose(), r, foot, TORSO_SHARE * s) for r, s in zip(follows, shift, strict=True)])
    parts = (np.clip(expression, 0, 1), head, torso, lids)
    return Performance(*(part.astype(np.float32) for part in parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("face_model", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--frames", type=int, default=120, help="of each head")
    parser.add_argument("--samples", type=int, default=2, help="a pixel has this many squared")
    args = parser.parse_args()
    model = FaceModel.load(args.face_model)
    for seed in range(args.first, args.first + args.heads):
        recipe = random_recipe(seed)
        mesh = ActorMesh(model, choose_identity(model, recipe.identity, recipe.character), recipe.neck)
        performance = random_performance(args.frames, model.expression_names, seed)
        silence = np.zeros(args.frames * SAMPLES_PER_FRAME, np.float32)
        renderer = Renderer(mesh, recipe, args.samples)
        write_dataset(args.output / recipe.name, renderer, performance, silence, {"head": seed})


if __name__ == "__main__":
    run_script(main)
