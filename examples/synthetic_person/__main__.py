"""Render a synthetic talking person as a training video.

    python -m examples.synthetic_person FACE_MODEL SPEECH -o DIR [--frames N] [--seed S]

FACE_MODEL is ICT-FaceKit, converted; SPEECH is a folder with audio.flac and phones.json, made by
examples/synthetic_speech/person_speech.py. DIR becomes a person dataset.
"""

import argparse
import json
import math
import sys
from pathlib import Path

from geneface.errors import InputError
from geneface.face.face_model import FaceModel
from geneface.media.audio import SAMPLES_PER_FRAME, load_audio

from .actor import choose_identity, perform
from .dataset import write_dataset
from .parts import ActorMesh
from .renderer import Renderer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("face_model", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--frames", type=int, help="stop after so many; all by default")
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()

    samples = load_audio(args.speech / "audio.flac")
    try:
        phones = [tuple(phone) for phone in json.loads((args.speech / "phones.json").read_text(encoding="utf-8"))]
    except (OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{args.speech / 'phones.json'} is not a list of timed phones ({error}); make it again"
        ) from None
    frames = math.ceil(len(samples) / SAMPLES_PER_FRAME)
    performance = perform(samples, phones, min(frames, args.frames or frames), args.seed)
    renderer = Renderer(ActorMesh(FaceModel.load(args.face_model), choose_identity(args.seed)), args.seed)
    write_dataset(args.output, renderer, performance, samples, {"seed": args.seed})


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
