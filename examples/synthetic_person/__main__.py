"""Render a synthetic talking person as a training video.

    python -m examples.synthetic_person FACE_MODEL SPEECH -o DIR [--actor vera] [--frames N] [--seed S] [--samples K]

FACE_MODEL is ICT-FaceKit, converted; SPEECH is a folder with audio.flac and phones.json, made by
examples/synthetic_speech/person_speech.py. DIR becomes a person dataset.
"""

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

from geneface.errors import InputError
from geneface.face.face_model import FaceModel
from geneface.media.audio import load_audio
from geneface.utils.units import SAMPLES_PER_FRAME

from .actor import perform
from .cast import CAST
from .dataset import write_dataset
from .identity import choose_identity
from .parts import ActorMesh
from .renderer import Renderer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("face_model", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--actor", choices=sorted(CAST), default="vera", help="whose recipe (default: vera)")
    parser.add_argument("--frames", type=int, help="stop after so many; all by default")
    parser.add_argument("--seed", type=int, help="another face and another performance, with the actor's look")
    parser.add_argument("--samples", type=int, default=3, help="a pixel has this many squared (default: 3)")
    args = parser.parse_args()

    samples = load_audio(args.speech / "audio.flac")
    try:
        phones = [tuple(phone) for phone in json.loads((args.speech / "phones.json").read_text(encoding="utf-8"))]
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{args.speech / 'phones.json'} is not a list of timed phones ({error}); make it again"
        ) from None
    frames = math.ceil(len(samples) / SAMPLES_PER_FRAME)
    recipe = CAST[args.actor]
    if args.seed is not None:
        recipe = replace(recipe, seed=args.seed, identity=args.seed, traits={})
    performance = perform(samples, phones, min(frames, args.frames or frames), recipe.manner, recipe.seed)
    model = FaceModel.load(args.face_model)
    identity = choose_identity(model, recipe.identity, recipe.character, recipe.traits)
    renderer = Renderer(ActorMesh(model, identity, recipe.neck), recipe, args.samples)
    settings = {"actor": recipe.name, "seed": recipe.seed, "samples": args.samples}
    write_dataset(args.output, renderer, performance, samples, settings)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
