"""Ten minutes of synthetic speech in many voices and languages: the voices with which a post-net is trained.

    python examples/synthetic_speech/make_pack.py examples/speech --kokoro package/voices

Kokoro speaks its own languages, espeak-ng all others, and flite a little English: in turn, one clip each. The same
arguments give the same speakers, texts and times.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from make_corpus import Speaker, formant_speakers, kokoro_speakers, write_clip
from sentences import load_texts

from geneface.datasets.corpus import Clip, write_clips

FORMANT_VOICES = 60
KOKORO_SHARE = 0.6


def interleaved(natural: Sequence[Speaker], formant: Sequence[Speaker], count: int) -> list[Speaker]:
    """`count` turns, `KOKORO_SHARE` of them of natural voices; every voice once before any twice."""
    turns: list[Speaker] = []
    spoken = {"natural": 0, "formant": 0}
    for turn in range(count):
        kind = "natural" if spoken["natural"] <= KOKORO_SHARE * turn else "formant"
        cast = natural if kind == "natural" else formant
        turns.append(cast[spoken[kind] % len(cast)])
        spoken[kind] += 1
    return turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kokoro", type=Path, required=True, help="folder of Kokoro's voices")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    texts, rng = load_texts(None), np.random.default_rng(args.seed)
    natural = kokoro_speakers(args.kokoro, texts, rng)
    languages = {speaker.language for speaker in natural}
    # The first twelve are flite's voices at three pitches; one of each voice is enough.
    others = formant_speakers(12 + FORMANT_VOICES, texts, rng)
    formant = [*others[:12:3], *(speaker for speaker in others[12:] if speaker.language not in languages)]
    natural = [natural[index] for index in rng.permutation(len(natural))]
    formant = [formant[index] for index in rng.permutation(len(formant))]
    (args.out / "audio").mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    for number, speaker in enumerate(interleaved(natural, formant, 10_000)):
        chance = np.random.default_rng([args.seed, number])
        speech = speaker.clip(chance, float(chance.uniform(3.0, 6.0)))
        clips.append(write_clip(args.out, f"{number:03d}-{speaker.source}", speech, speaker, "train"))
        if sum(clip.seconds for clip in clips) >= 60 * args.minutes:
            break
    write_clips(args.out, clips)
    minutes = dict.fromkeys(sorted({clip.source for clip in clips}), 0.0)
    for clip in clips:
        minutes[clip.source] += clip.seconds / 60
    voices, spoken = len({clip.speaker for clip in clips}), sorted({clip.language for clip in clips})
    print(f"{len(clips)} clips, {voices} voices, {len(spoken)} languages ({' '.join(spoken)}), minutes: {minutes}")


if __name__ == "__main__":
    main()
