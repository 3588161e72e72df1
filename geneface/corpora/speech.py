"""Transcribed speech of many languages (a folder with `metadata.csv`) as a corpus of clips with phonemes.

python -m geneface.corpora.speech SOURCE -o DIR --hours 3
"""

import argparse
import csv
import os
import shutil
from pathlib import Path

from geneface.datasets.corpus import Clip, Corpus, choose, write_clips
from geneface.errors import InputError, run_script
from geneface.face.phonemes import normalise
from geneface.utils.files import atomic_folder

HELD_OUT = ("el", "ka", "ta", "tr", "vi")
"""Languages that are never trained on, so that they show how the features carry over."""
PHONEMES_PER_SECOND = (4.0, 20.0)
"""Outside of this, text and recording do not belong together, or most of the recording is silence."""


def read_speech(folder: str | Path) -> Corpus:
    """The clips that `metadata.csv` in `folder` lists, in the splits train, test and heldout.

    Needs the columns path, language, speaker, seconds, split, source, licence and espeak_ipa.
    """
    folder = Path(folder)
    path = folder / "metadata.csv"
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            clips = [_clip(row) for row in csv.DictReader(lines)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a list of transcribed recordings ({error!r}); name another folder") from None
    slowest, fastest = PHONEMES_PER_SECOND
    return Corpus(folder, [c for c in clips if 0 < slowest * c.seconds <= len(c.phonemes) <= fastest * c.seconds])


def _clip(row: dict[str, str]) -> Clip:
    return Clip(
        name=Path(row["path"]).stem,
        audio=row["path"],
        seconds=float(row["seconds"]),
        speaker=row["speaker"],
        language=row["language"],
        source=f"{row['source']}, {row['licence']}",
        split="heldout" if row["language"] in HELD_OUT else row["split"],
        phonemes=normalise(row["espeak_ipa"]),
    )


def write_corpus(corpus: Corpus, target: str | Path, *, link: bool = False) -> None:
    """Write the clips and copies of their recordings (symbolic links with `link`) as a new folder."""
    with atomic_folder(Path(target)) as folder:
        for clip in corpus.clips:
            source, copy = (corpus.folder / clip.audio).absolute(), folder / clip.audio
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.symlink(source, copy) if link else shutil.copyfile(source, copy)
            except OSError as error:
                raise InputError(f"cannot copy {source} ({error.strerror}); is the corpus complete?") from None
        write_clips(folder, corpus.clips)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a folder with metadata.csv and recordings")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the corpus folder to write")
    parser.add_argument("--hours", type=float, help="this much of the split train, balanced over the languages")
    parser.add_argument("--languages", nargs="+", help="only these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--link", action="store_true", help="link to the recordings instead of copying them")
    arguments = parser.parse_args(argv)
    clips = read_speech(arguments.source).clips
    if arguments.languages:
        clips = [clip for clip in clips if clip.language in arguments.languages]
    train = [clip for clip in clips if clip.split == "train"]
    if arguments.hours is not None:
        train = choose(train, arguments.hours, arguments.seed)
    clips = train + [clip for clip in clips if clip.split != "train"]
    write_corpus(Corpus(arguments.source, clips), arguments.output, link=arguments.link)
    for split in sorted({clip.split for clip in clips}):
        seconds = sum(clip.seconds for clip in clips if clip.split == split)
        print(f"{split}: {sum(clip.split == split for clip in clips)} clips, {seconds / 3600:.2f} h")


if __name__ == "__main__":
    run_script(main)
