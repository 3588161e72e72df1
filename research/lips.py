"""Do lips that must meet, meet? And are they round, where they must be? On the motion, and in the pixels.

    python -m research.lips --persons vera theo [--speech DIR --split test --minutes 3] [--pixels] -o OUT

On the tongue twister of the examples, and on a corpus of transcribed speech or a folder with `metadata.csv` (the pack
of the examples if none is given; take speakers that no training heard). Recordings without phoneme times are aligned
by the phoneme head. OUT gets `lips.json` and `lips.md`; the measures are those of docs/measures.md.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from geneface import metrics
from geneface.corpora.align import align_features
from geneface.datasets.corpus import Clip, Corpus
from geneface.errors import run_script
from geneface.face.landmarks import LandmarkDetector
from geneface.face.parsing import FaceParser
from geneface.face.phonemes import normalise
from geneface.hub import assets
from geneface.hub.persons import find_person
from geneface.media.audio import load_audio
from geneface.motion.face_motion import FaceMotion
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.resources import resource
from geneface.training.motion_figures import LABIALS, OPEN_VOWELS
from geneface.utils.files import write_json, write_text
from geneface.utils.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE
from research.speech import LEAST_AGREEMENT, open_speech, some_clips

TWISTER = "bˈɒbz bɹˈaʊn bˈiːz bˈʌz pˈast ðə bˈɪɡ blˈuː bˈɑːn fˈɔː flˈʌfi fˈɒksɪz fˈɛtʃ ðə vˈɪkəz vˈɛlvɪt hˈat"
"""What `tongue_twister.flac` says, as espeak-ng reads it."""
DENTALS, ROUND, SPREAD = (
    frozenset("fv"),
    frozenset(("o", "u", "ʊ", "ɔ", "y", "w")),
    frozenset(("i", "ɪ", "e", "ɛ", "æ")),
)
CLOSED, CLOSED_PIXELS, INTERIOR = 0.05, 1.5, 0.05
"""Lips are closed under so many cm, and pixels at 512, more than at rest, and with such a share of an open vowel's
pixels inside the mouth."""
REACH = 2
"""Frames beside a phoneme's middle."""
SEED = 1


class Spoken(NamedTuple):
    """Samples [N] at 16 kHz with what is said when: (symbol, frame of its middle)."""

    samples: np.ndarray
    middles: list[tuple[str, int]]


class Seen(NamedTuple):
    """A generated face in frames [T], beyond the closed mouth, in cm, and in pixels of 512 if there are pictures."""

    gap: np.ndarray
    width: np.ndarray
    pixels: np.ndarray | None
    interior: np.ndarray | None
    """Pixels inside the mouth, of those that the parser sees; NaN where it was not asked."""


def with_silence(samples: np.ndarray, seconds: float = 2.0) -> tuple[np.ndarray, int, int]:
    """[N] with digital silence put into its middle, and the silence's first frame and the frame after it."""
    start = len(samples) // 2 // SAMPLES_PER_FRAME
    silence = np.zeros(int(seconds * SAMPLING_RATE), samples.dtype)
    middle = start * SAMPLES_PER_FRAME
    longer = np.concatenate([samples[:middle], silence, samples[middle:]])
    return longer, start, start + len(silence) // SAMPLES_PER_FRAME


def spoken(pipe: GeneFacePipeline, corpus: Corpus, clips: list[Clip]) -> Iterator[Spoken]:
    """The tongue twister, then the clips; those that do not agree with their text are left out."""
    twister = load_audio(resource("examples/audio/tongue_twister.flac"))
    items = [(twister, normalise(TWISTER), []), *((corpus.audio(c), c.phonemes, list(c.phones)) for c in clips)]
    for samples, phonemes, phones in items:
        if not phones and pipe.phoneme_head is not None:
            found = align_features(pipe.extract_features(samples, SAMPLING_RATE), phonemes, pipe.phoneme_head)
            phones = found.phones if found is not None and found.score >= LEAST_AGREEMENT else []
        middles = [(symbol, int((start + stop) / 2 * FPS)) for symbol, start, stop in phones]
        frames = len(samples) // SAMPLES_PER_FRAME
        if middles := [(symbol, middle) for symbol, middle in middles if middle < frames]:
            yield Spoken(samples, middles)


class Looker:
    """Sees what a person's generated face does."""

    def __init__(self, pipe: GeneFacePipeline, assets_folder: str | None = None, pictures: bool = False):
        self.pipe, self.mean = pipe, pipe.person.mean_landmarks.numpy()
        rest = pipe.person.rest.numpy()[None]
        self.rest = metrics.lm3d_opening(rest, self.mean)[0], metrics.lm3d_width(rest, self.mean)[0]
        self.landmarker = assets.get_asset(assets.FACE_LANDMARKER, assets_folder) if pictures else None
        if pictures:
            self.parser = FaceParser(assets.get_asset(assets.FACE_PARSER, assets_folder))
            _, points = self._pictures(np.zeros(SAMPLING_RATE, np.float32))
            self.closed = float(np.median(metrics.mediapipe_opening(points)[-FPS // 2 :]))
            """Of the face's height, in silence."""

    def _pictures(self, samples: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        assert self.landmarker is not None
        stream = self.pipe.stream(samples, SAMPLING_RATE, seed=SEED, blink="none")
        frames = [frame for chunk in stream for frame in chunk.frames]
        with LandmarkDetector(self.landmarker) as detector:
            return frames, detector.detect(iter(frames)).points

    def look(self, said: Spoken) -> Seen:
        motion = FaceMotion.join(list(self.pipe.motion(said.samples, SAMPLING_RATE, seed=SEED, blink="none")))
        lm3d = motion.landmarks.numpy()
        gap, width = metrics.lm3d_opening(lm3d, self.mean), metrics.lm3d_width(lm3d, self.mean)
        pixels = interior = None
        if self.landmarker is not None:
            frames, points = self._pictures(said.samples)
            height = np.linalg.norm(points[:, 10, :2] - points[:, 152, :2], axis=-1) * 512 / frames[0].shape[0]
            pixels = (metrics.mediapipe_opening(points) - self.closed) * height
            interior = np.full(len(frames), np.nan)
            for symbol, middle in said.middles:
                if symbol in LABIALS | OPEN_VOWELS:
                    place = _least(pixels, middle) if symbol in LABIALS else middle
                    interior[place] = self.parser.mouth_interior(frames[place])
        return Seen(gap - self.rest[0], width - self.rest[1], pixels, interior)


def _least(curve: np.ndarray, middle: int) -> int:
    """The frame with the least value within `REACH` of a middle."""
    first = max(0, middle - REACH)
    return first + int(np.argmin(curve[first : middle + REACH + 1]))


def lip_figures(looker: Looker, recordings: list[Spoken]) -> dict[str, float]:
    """Shares of phonemes whose lips meet, mean gaps of f and v, and how much narrower round vowels are."""
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    inside: list[float] = []
    for said in recordings:
        seen = looker.look(said)
        labials = [middle for symbol, middle in said.middles if symbol in LABIALS]
        curves = {"motion": (seen.gap, CLOSED, "cm"), "pixels": (seen.pixels, CLOSED_PIXELS, "px")}
        for symbol, middle in said.middles:
            for kind, (curve, limit, unit) in curves.items():
                if curve is None:
                    continue
                least = float(curve[_least(curve, middle)])
                if symbol in LABIALS:
                    note(f"p, b, m closed, {kind}", least <= limit)
                elif symbol in OPEN_VOWELS:
                    note(f"open vowels closed, {kind}", curve[middle] <= limit)
                    if all(abs(middle - labial) > 2 * REACH for labial in labials):
                        note(f"open vowels closed within {REACH} frames, no p, b, m near, {kind}", least <= limit)
                elif symbol in DENTALS:
                    note(f"least gap of f, v, {kind}, {unit}", least)
            if symbol in ROUND | SPREAD:
                note(f"width of {'round' if symbol in ROUND else 'spread'} vowels, motion, cm", seen.width[middle])
            if seen.interior is not None and seen.pixels is not None:
                if symbol in LABIALS:
                    inside.append(float(seen.interior[_least(seen.pixels, middle)]))
                elif symbol in OPEN_VOWELS:
                    note("inside of the mouth in open vowels, pixels", float(seen.interior[middle]))
    figures = {name: float(np.mean(values)) for name, values in found.items()}
    figures |= {f"{name}, count": len(values) for name, values in found.items() if name.endswith("closed, motion")}
    if inside:
        open_mouth = float(np.median(found["inside of the mouth in open vowels, pixels"]))
        unseen = np.array(inside) <= INTERIOR * open_mouth
        figures["p, b, m with no inside of the mouth to be seen"] = float(unseen.mean())
    return figures


def table(found: dict[str, dict[str, float]]) -> str:
    """Markdown, a column for each person."""
    names = list(next(iter(found.values())))
    lines = [f"| | {' | '.join(found)} |", f"| --- {'| --- ' * len(found)}|"]
    return "\n".join([*lines, *(f"| {n} | {' | '.join(f'{row[n]:.2f}' for row in found.values())} |" for n in names)])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", nargs="+", default=["vera"])
    parser.add_argument("--speech", type=Path, default=resource("examples/speech"), help="transcribed recordings")
    parser.add_argument("--split", default="train", help="of them; train is all of the pack")
    parser.add_argument("--minutes", type=float, default=3.0, help="of them")
    parser.add_argument("--pixels", action="store_true", help="render, too (slow)")
    parser.add_argument("--assets", help="folder of the third-party models; that of `geneface assets` if not given")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args(argv)

    corpus = open_speech(args.speech)
    found: dict[str, Any] = {}
    for name in args.persons:
        pipe = GeneFacePipeline.from_pretrained(find_person(name), device="cpu")
        recordings = list(spoken(pipe, corpus, some_clips(corpus, args.split, args.minutes)))
        found[name] = lip_figures(Looker(pipe, args.assets, args.pixels), recordings)
    args.output.mkdir(parents=True, exist_ok=True)
    write_json(args.output / "lips.json", found)
    write_text(args.output / "lips.md", table(found) + "\n")
    print(table(found))


if __name__ == "__main__":
    run_script(main)
