"""What the post-net does, in a picture (the paper's Fig. 10): t-SNE of LM3D in both domains, real and generated.

    python -m research.landmark_map --dataset DIR --person BUNDLE --corpus DIR ... -o FIGURE.png

Four sets of frames, equally many of each: of the corpus (the part of it that no training saw, where it has one), of
the person's video, and generated for other clips of the corpus, before and after the post-net. t-SNE keeps neighbours
together but neither distances nor sizes; so the same is printed in numbers: of each set, the share of frames whose
nearest neighbour among the real ones is the person's and not the corpus', in all coordinates. For real frames the
nearest neighbour is one of another clip, or at least of another second. Most of what parts the domains is the shape of
the resting face; so the share is given again about the mean of each domain's real frames, where only motion is left.

The eyes are left out: speech does not explain them, and generated ones do not move.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from geneface.bundles.component import read_tensors
from geneface.datasets.corpus import Clip, Corpus
from geneface.datasets.motion import Speech, simulated_speech, tracked_speech
from geneface.errors import InputError, run_script
from geneface.face.ibug68 import EYES
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.utils.files import atomic_write
from geneface.utils.units import FPS, SAMPLING_RATE

CORPUS, PERSON, WITHOUT, WITH = "corpus", "person", "generated, without post-net", "generated, with post-net"
HELD_OUT = ("test", "dev")
FEWEST_CLIPS = 4
"""Half of them for real frames, which must have neighbours in another clip."""


class Frames(NamedTuple):
    points: np.ndarray
    """[N, 56 * 3] in cm"""
    group: np.ndarray
    """[N] frames of one group are too much alike to count as neighbours"""


def frames_of(clips: Iterable[np.ndarray], count: int, seed: int, name: str) -> Frames:
    """`count` frames of LM3D clips [T, 68, 3], from each clip as many as of the others as far as it has them."""
    rng = np.random.default_rng(seed)
    turns, groups, points = [], [], []
    for number, clip in enumerate(clips):
        turns.append(np.argsort(rng.permutation(len(clip))))
        groups.append(np.full(len(clip), number))
        points.append(np.delete(clip, np.arange(68)[EYES], axis=1).reshape(len(clip), -1))
    if sum(map(len, turns)) < count:
        raise InputError(f"{name}: {sum(map(len, turns))} frames are too few for {count} points; ask for fewer")
    chosen = np.argsort(np.concatenate(turns), kind="stable")[:count]
    return Frames(np.concatenate(points)[chosen].astype(np.float64), np.concatenate(groups)[chosen])


class LandmarkMap:
    """The four sets of a person and corpora."""

    def __init__(self, pipe: GeneFacePipeline, corpora: Sequence[Corpus], assets: str | None = None, seed: int = 0):
        self.pipe, self.assets, self.seed = pipe, assets, seed
        found = [(corpus, clip) for corpus in map(held_out, corpora) for clip in corpus.clips]
        if len(found) < FEWEST_CLIPS:
            raise InputError(f"the corpus has {len(found)} clip(s) to look at; it takes {FEWEST_CLIPS} or more")
        order = np.random.default_rng(seed).permutation(len(found))
        self._clips = [found[index] for index in order]

    def sets(self, dataset: Path, count: int) -> dict[str, Frames]:
        """`count` frames of each set."""
        middle = len(self._clips) // 2
        recorded = (speech.lm3d for speech in self._speech(self._clips[:middle]))
        own = read_tensors(dataset / "tracks.safetensors", "dataset")["lm3d"].float().numpy()
        seconds = [own[start : start + FPS] for start in range(0, len(own), FPS)]
        generic = [self._generated(speech) for speech in self._speech(self._clips[middle:])]
        adapted = (self.pipe.adapt_motion(lm3d).float().cpu().numpy() for lm3d in generic)
        return {
            name: frames_of(clips, count, self.seed, name)
            for name, clips in (
                (CORPUS, recorded),
                (PERSON, seconds),
                (WITHOUT, (lm3d.float().cpu().numpy() for lm3d in generic)),
                (WITH, adapted),
            )
        }

    def _speech(self, clips: Sequence[tuple[Corpus, Clip]]) -> Iterator[Speech]:
        mean_landmarks = self.pipe.motion_generator.mean_landmarks.cpu().numpy()
        rng = np.random.default_rng(self.seed)
        face = None
        for corpus, clip in clips:
            if clip.lm3d:
                yield tracked_speech(corpus, clip, mean_landmarks)
                continue
            from geneface.face.articulation import Style
            from geneface.face.face_model import FaceModel
            from geneface.hub import assets

            face = face or FaceModel.load(assets.get_asset(assets.FACE_MODEL, self.assets))
            yield simulated_speech(corpus.audio(clip), clip.phones, face, Style.sample(rng), rng)

    def _generated(self, speech: Speech) -> torch.Tensor:
        features = self.pipe.extract_features(speech.samples, SAMPLING_RATE)
        return self.pipe.generate_motion(features, seed=self.seed)


def held_out(corpus: Corpus) -> Corpus:
    """The part of a corpus that was not trained on: its test part, or else its dev part, or else all of it."""
    splits = {clip.split for clip in corpus.clips}
    return next((corpus.select(split=split) for split in HELD_OUT if split in splits), corpus)


def person_shares(sets: dict[str, Frames]) -> dict[str, float]:
    """Of each set, the share of frames whose nearest neighbour among the real ones is the person's."""
    from scipy.spatial.distance import cdist

    real = np.concatenate([sets[CORPUS].points, sets[PERSON].points])
    owner = np.repeat([0, 1], [len(sets[CORPUS].points), len(sets[PERSON].points)])
    found = {}
    for name, frames in sets.items():
        distance = cdist(frames.points, real)
        if name in (CORPUS, PERSON):
            alike = frames.group[:, None] == frames.group
            distance[:, owner == (name == PERSON)] += np.where(alike, np.inf, 0)
        found[name] = float(np.mean(owner[distance.argmin(1)]))
    return found


def about_means(sets: dict[str, Frames]) -> dict[str, Frames]:
    """The sets about the mean of the real frames of the domain that they are in, or shall be in."""
    domain = {CORPUS: CORPUS, WITHOUT: CORPUS, PERSON: PERSON, WITH: PERSON}
    means = {name: sets[name].points.mean(axis=0) for name in (CORPUS, PERSON)}
    return {name: Frames(frames.points - means[domain[name]], frames.group) for name, frames in sets.items()}


def embed(sets: dict[str, Frames], seed: int) -> dict[str, np.ndarray]:
    """t-SNE of all sets together: [N, 2] of each, in no unit."""
    from sklearn.manifold import TSNE

    points = np.concatenate([frames.points for frames in sets.values()])
    perplexity = min(30.0, (len(points) - 1) / 3)
    flat = TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(points)
    borders = np.cumsum([len(frames.points) for frames in sets.values()])[:-1]
    return dict(zip(sets, np.split(flat, borders), strict=True))


def table(sets: dict[str, Frames]) -> str:
    """Markdown."""
    shares, moves = person_shares(sets), person_shares(about_means(sets))
    rows = [
        f"| {name} | {len(frames.points)} | {100 * shares[name]:.1f}% | {100 * moves[name]:.1f}% |"
        for name, frames in sets.items()
    ]
    head = "| set | frames | nearest real frame is the person's | same, about the means |"
    return "\n".join([head, "| --- | --- | --- | --- |", *rows])


def make_map(
    pipe: GeneFacePipeline,
    dataset: str | Path,
    corpora: Sequence[str | Path],
    target: str | Path,
    *,
    count: int = 500,
    seed: int = 0,
    assets: str | None = None,
) -> str:
    """Draw the picture `target` (a png), and return the same in numbers, as Markdown."""
    from geneface.media.image import write_image
    from research.landmark_picture import draw_map

    target = Path(target)
    if target.suffix.lower() != ".png" or not target.parent.is_dir():
        raise InputError(f"{target} is no place for a picture; give a name that ends in .png, in a folder that exists")
    if not (Path(dataset) / "tracks.safetensors").is_file():
        raise InputError(f"{dataset} is not a person's dataset; make one with `geneface preprocess`")
    if count < 2:
        raise InputError(f"{count} points of each set are too few; ask for two or more")
    sets = LandmarkMap(pipe, [Corpus(folder) for folder in corpora], assets, seed).sets(Path(dataset), count)
    picture = draw_map(embed(sets, seed), person_shares(sets), seed)
    with atomic_write(target) as partial:
        write_image(partial, picture)
    return table(sets)


def main() -> None:
    from geneface.hub.persons import find_person

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="the person's dataset")
    parser.add_argument("--person", help="the person trained from it (default: the embedded one)")
    parser.add_argument("--corpus", required=True, nargs="+", help="corpora, with landmarks or with times of phones")
    parser.add_argument("-o", "--output", required=True, metavar="FIGURE.png")
    parser.add_argument("--points", type=int, default=500, help="of each set (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assets", help="where the face model is, for corpora without landmarks")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best that is there)")
    args = parser.parse_args()
    pipe = GeneFacePipeline.from_pretrained(find_person(args.person), device=args.device)
    print(
        make_map(pipe, args.dataset, args.corpus, args.output, count=args.points, seed=args.seed, assets=args.assets)
    )


if __name__ == "__main__":
    run_script(main)
