"""Held-out frames of a person, real above generated, at full size, and close-ups of what gives a portrait away.

    python -m research.portrait_sheet --dataset DIR --person BUNDLE [--phones phones.json] -o OUT

writes OUT/sheet.webp, 24 frames of the test part rendered from its own landmarks and pose, and OUT/close-ups.webp.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from geneface.datasets.person import PersonDataset, split_range
from geneface.errors import run_script
from geneface.evaluation.key_frames import KeyFrame, read_phones
from geneface.face.ibug68 import CHIN, EYES, LIPS, NOSE_ROOT
from geneface.media.image import in_rows, write_image
from geneface.pipelines.compare import band
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.training.renderer_figures import Frames
from research.key_poses import key_poses
from research.videos import rendered

COLUMNS = 6
CLOSE = ("p b m", "a", "o u", "smile", "blink half way", "eyes closed", "turned left", "turned right")
"""The kinds of frames that are shown in close-ups, one of each."""
WIDTH, HEIGHT, SCALE = 160, 72, 2
"""Of a close-up in pixels of the frame, and how much it is enlarged."""


def close_up_places(landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Middles (x, y) of the close-ups of a frame's 68 landmarks in pixels."""
    middle, chin = landmarks[NOSE_ROOT], landmarks[CHIN]
    face_height = chin[1] - middle[1]
    return {
        "eyes": landmarks[EYES].mean(0),
        "mouth": landmarks[LIPS].mean(0),
        "hairline": middle - np.array([0, 0.75 * face_height]),
        "collar": chin + np.array([0, 0.35 * face_height]),
    }


def close_ups(real: np.ndarray, made: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """[H, W, 3] of two pictures: each place, real above generated, enlarged."""
    from PIL import Image

    rows = []
    for x, y in close_up_places(landmarks).values():
        left = int(np.clip(x - WIDTH / 2, 0, real.shape[1] - WIDTH))
        top = int(np.clip(y - HEIGHT / 2, 0, real.shape[0] - HEIGHT))
        for picture in (real, made):
            part = Image.fromarray(picture[top : top + HEIGHT, left : left + WIDTH])
            rows.append(np.asarray(part.resize((SCALE * WIDTH, SCALE * HEIGHT), Image.Resampling.BICUBIC)))
    return np.concatenate(rows)


def write_sheets(data: PersonDataset, pipe: GeneFacePipeline, chosen: Sequence[KeyFrame], output: Path) -> None:
    index = np.array([key.frame for key in chosen])
    given = Frames(data, pipe.renderer).conditions(index)
    made = rendered(pipe.renderer, given["windows"], given["pose"], given["torso"])
    cells, closer = [], {}
    for number, key in enumerate(chosen):
        real, generated = data.frames[key.frame], made(number, number + 1)[0]
        cells.append(np.concatenate([band(key.label), real, generated]))
        if key.label in CLOSE and key.label not in closer:
            landmarks = data.tracks["landmarks_2d"][key.frame].float().numpy()
            closer[key.label] = close_ups(real, generated, landmarks)
    output.mkdir(parents=True, exist_ok=True)
    write_image(output / "sheet.webp", in_rows(cells, COLUMNS))
    write_image(output / "close-ups.webp", np.concatenate(list(closer.values()), axis=1))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, help="of the person, from geneface preprocess")
    parser.add_argument("--person", required=True, metavar="BUNDLE", help="trained on it")
    parser.add_argument("--phones", type=Path, help="JSON list of [symbol, start, end] of its recording")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(argv)
    data = PersonDataset(args.dataset)
    pipe = GeneFacePipeline.from_pretrained(args.person, device=args.device)
    mean_landmarks = pipe.motion_generator.mean_landmarks.cpu().numpy()
    phones = (read_phones(args.phones) if args.phones else None) or []
    chosen = key_poses(data, mean_landmarks, list(split_range(len(data), "test")), phones)
    write_sheets(data, pipe, chosen, args.output)


if __name__ == "__main__":
    run_script(main)
