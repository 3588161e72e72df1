"""Do the lips follow the speech? Measured on the pixels of generated videos, with MediaPipe.

    python -m research.lips --landmarker face_landmarker.task \
        --reference real.mp4 --recordings speech/*.flac > lips.json

For the reference video: r of the mouth opening generated from its own sound, and from each other recording
(chance). For every recording: whether the mouth closes in two seconds of silence put into its middle.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geneface.errors import run_script
from geneface.face.landmarks import LandmarkDetector
from geneface.hub.persons import find_person
from geneface.media.audio import load_audio
from geneface.media.video import VideoReader
from geneface.metrics import correlation, mediapipe_opening, silence_opening, spread
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE


def with_silence(samples: np.ndarray, seconds: float = 2.0) -> tuple[np.ndarray, int, int]:
    """[N] with digital silence put into its middle, and the silence's first frame and the frame after it."""
    start = len(samples) // 2 // SAMPLES_PER_FRAME
    silence = np.zeros(int(seconds * SAMPLING_RATE), samples.dtype)
    middle = start * SAMPLES_PER_FRAME
    longer = np.concatenate([samples[:middle], silence, samples[middle:]])
    return longer, start, start + len(silence) // SAMPLES_PER_FRAME


def generated_opening(
    pipe: GeneFacePipeline, samples: np.ndarray, landmarker: Path, seed: int, **options: Any
) -> np.ndarray:
    """Mouth opening [T] seen in the video made from samples [N] at 16 kHz; `options` are those of the pipeline."""

    def frames() -> Iterator[np.ndarray]:
        for chunk in pipe.stream(samples, SAMPLING_RATE, seed=seed, **options):
            yield from chunk.frames

    with LandmarkDetector(landmarker) as detector:
        return mediapipe_opening(detector.detect(frames()).points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landmarker", type=Path, required=True, help="MediaPipe's face_landmarker.task")
    parser.add_argument("--reference", type=Path, required=True, help="a real video of a speaker, with sound")
    parser.add_argument("--recordings", type=Path, nargs="+", required=True)
    parser.add_argument("--person")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, ... of the reference's own sound")
    parser.add_argument("--temperature", type=float, default=1.0)
    args = parser.parse_args()

    pipe = GeneFacePipeline.from_pretrained(find_person(args.person))
    with VideoReader(args.reference) as reader, LandmarkDetector(args.landmarker) as detector:
        real = mediapipe_opening(detector.detect(reader).points)
    speech = load_audio(args.reference)

    def compare(samples: np.ndarray, seed: int) -> tuple[float, float]:
        samples = np.resize(samples, len(speech))
        opening = generated_opening(pipe, samples, args.landmarker, seed, temperature=args.temperature)
        length = min(len(real), len(opening))
        return correlation(real[:length], opening[:length]), spread(real[:length], opening[:length])

    own = [compare(speech, seed) for seed in range(args.seeds)]
    report: dict[str, Any] = {
        "temperature": args.temperature,
        "r": [r for r, _ in own],
        "spread": [ratio for _, ratio in own],
        "chance": {},
        "opening_in_silence": {},
    }
    for path in args.recordings:
        samples = load_audio(path)
        report["chance"][path.stem] = compare(samples, 0)[0]
        longer, start, stop = with_silence(samples)
        opening = generated_opening(pipe, longer, args.landmarker, 0, temperature=args.temperature)
        report["opening_in_silence"][path.stem] = silence_opening(opening, start, stop)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    run_script(main)
