"""Videos of a person's test part, real and generated, in the folders that `geneface evaluate` takes.

    python -m research.held_out --dataset DIR --person BUNDLE -o METHODS
    geneface evaluate METHODS/reference METHODS -o REPORT

METHODS/tracked_landmarks is rendered from the test part's own landmarks, head pose and torso: what the renderer can
do. METHODS/speech_alone has its head pose alone and the sound: what the whole chain does.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from geneface.datasets.person import PersonDataset, split_range
from geneface.errors import InputError, run_script
from geneface.media.audio import load_audio
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.training.renderer_figures import Frames
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE
from research.videos import rendered, write_video

CLIP = "test.mp4"


def write_held_out(data: PersonDataset, samples: np.ndarray, pipe: GeneFacePipeline, output: Path, split: str) -> None:
    """Write `output`/{reference,tracked_landmarks,speech_alone}/test.mp4; `samples` [N] at 16 kHz of all frames.

    Raises:
        InputError: if the output is there already.
    """
    if output.exists():
        raise InputError(f"{output} is there already; remove it, or name another folder")
    index = np.array(split_range(len(data), split))
    sound = samples[index[0] * SAMPLES_PER_FRAME : (index[-1] + 1) * SAMPLES_PER_FRAME]
    given = Frames(data, pipe.renderer).conditions(index)
    spoken = pipe.stream(sound, SAMPLING_RATE, pose=given["pose"].numpy(), temperature=0.0)
    spoken_frames = np.concatenate([chunk.frames for chunk in spoken])
    write_video(output / "reference" / CLIP, lambda a, b: data.frames[index[a:b]], len(index), sound, synthetic=False)
    tracked = rendered(pipe.renderer, given["windows"], given["pose"], given["torso"])
    write_video(output / "tracked_landmarks" / CLIP, tracked, len(index), sound)
    write_video(output / "speech_alone" / CLIP, lambda a, b: spoken_frames[a:b], len(index), sound)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, help="of the person, from geneface preprocess")
    parser.add_argument("--person", required=True, metavar="BUNDLE", help="trained on it")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(argv)
    pipe = GeneFacePipeline.from_pretrained(args.person, device=args.device)
    write_held_out(PersonDataset(args.dataset), load_audio(args.dataset / "audio.flac"), pipe, args.output, args.split)


if __name__ == "__main__":
    run_script(main)
