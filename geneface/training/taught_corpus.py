"""Recordings with their phonemes -> a corpus whose mouths are those that the teacher hears.

    python -m geneface.training.taught_corpus SPEECH -o DIR --teacher WHISPER --mouth RUN/mouth_teacher --minutes 120

The few tracked faces teach a few small regressions what Whisper's features mean for the mouth (`mouth_teacher`); these
say how the mouth moves in recordings of many speakers and languages. Regressions blur closures, so where the aligned
phonemes say p, b or m, the lips are made to meet.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from geneface.components import trained_component
from geneface.data.align import GENERIC, LEAST_SCORE, align_features
from geneface.data.corpus import Clip, Corpus, write_clips
from geneface.data.motion import features_of
from geneface.data.speech import choose
from geneface.errors import run_script
from geneface.files import atomic_folder
from geneface.models.phoneme_head import PhonemeHead
from geneface.streaming.audio import ArrayStream
from geneface.training.mouth_teacher import MouthTeacher
from geneface.training.teacher import Teacher
from geneface.units import FPS

LABIALS = frozenset("pbm")
LIPS, JAW = slice(48, 68), slice(3, 14)


def close_lips(lm3d: np.ndarray, phones: list[tuple[str, float, float]]) -> np.ndarray:
    """LM3D [T, 68, 3] whose lips meet (come to the closed mouth's height) at each p, b and m, the jaw half-way."""
    share = np.zeros(len(lm3d), np.float32)
    times = np.arange(len(lm3d)) + 0.5
    for symbol, start, end in phones:
        if symbol in LABIALS:
            # Shut in the frames that the phone touches, and on the way in those beside it.
            away = np.maximum(0, np.maximum(start * FPS - 0.5 - times, times - end * FPS - 0.5))
            share = np.maximum(share, np.clip(1 - away / 2, 0, 1))
    closed = lm3d.copy()
    closed[:, LIPS, 1] *= 1 - share[:, None]
    closed[:, JAW, 1] *= 1 - 0.5 * share[:, None]
    return closed


@torch.no_grad()
def teach(
    corpus: Corpus,
    clips: list[Clip],
    target: Path,
    teacher: Teacher,
    mouth: MouthTeacher,
    extractor: torch.nn.Module,
    head: PhonemeHead,
) -> int:
    """Write `clips` with landmarks and phones to `target`, with links to their recordings; how many agreed."""
    written = []
    with atomic_folder(target) as folder:
        (folder / "tracks").mkdir()
        for number, clip in enumerate(tqdm(clips, "taught", unit="clip", disable=None)):
            samples = corpus.audio(clip)
            phones = clip.phones
            if not phones:
                found = align_features(features_of(samples, extractor).cpu(), clip.phonemes, head)  # type: ignore[arg-type]
                if found is None or found.score < LEAST_SCORE:
                    continue
                phones = found.phones
            features = teacher.extract(ArrayStream(samples))
            lm3d = close_lips(mouth(features[None])[0].cpu().numpy(), phones)
            track = f"tracks/{number:06d}.safetensors"
            save_file({"lm3d": torch.from_numpy(lm3d).half()}, folder / track)
            copy = folder / clip.audio
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.symlink((corpus.folder / clip.audio).absolute(), copy)
            written.append(replace(clip, phones=phones, lm3d=track))
        write_clips(folder, written)
    return len(written)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", type=Path, help="a corpus with phonemes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the corpus folder to write")
    parser.add_argument("--teacher", type=Path, required=True, help="folder of Whisper's encoder")
    parser.add_argument("--layers", type=int, nargs="+", default=[3, 4])
    parser.add_argument("--mouth", type=Path, required=True, help="the mouth teacher that a distillation wrote")
    parser.add_argument("--minutes", type=float, default=120, help="of the split train, balanced over the languages")
    parser.add_argument("--generic", type=Path, default=GENERIC, help="folder of feature_extractor and phoneme_head")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teacher = Teacher(arguments.teacher, arguments.layers).to(device)
    mouth = MouthTeacher.from_pretrained(arguments.mouth).to(device)
    extractor = trained_component(arguments.generic / "feature_extractor").to(device)
    head = PhonemeHead.from_pretrained(arguments.generic / "phoneme_head")
    corpus = Corpus(arguments.speech)
    clips = [clip for clip in corpus.clips if clip.split == "train"]
    clips = choose(clips, arguments.minutes / 60, arguments.seed)
    count = teach(corpus, clips, arguments.output, teacher, mouth, extractor, head)
    print(f"{count} of {len(clips)} clips taught")


if __name__ == "__main__":
    run_script(main)
