"""A corpus of synthetic speech in many voices and languages, with the time of every phone.

    python examples/synthetic_speech/make_corpus.py OUT --minutes 60 [--kokoro package/voices] [--texts metadata.csv]

OUT is a `geneface.datasets.corpus.Corpus`. espeak-ng and flite speak, or, with --kokoro, Kokoro (slower, natural). The
same arguments give the same speakers, texts and times.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile
from espeak_voice import VARIANTS, EspeakVoice
from flite_voice import FliteVoice
from sentences import load_texts
from timed import TimedSpeech, Voice, joined, levelled, pause

from geneface.datasets.corpus import Clip

SAMPLING_RATE = 16000
SAMPLES_PER_FRAME = 640
ENGLISH_SHARE = 0.25
_KOKORO_VOICES = (
    "af_heart af_bella af_nicole af_aoede af_kore af_sarah af_nova af_sky af_alloy af_jessica af_river am_michael "
    "am_fenrir am_puck am_echo am_eric am_liam am_onyx am_adam bf_emma bf_isabella bf_alice bf_lily bm_george "
    "bm_fable bm_lewis bm_daniel ef_dora em_alex ff_siwis if_sara im_nicola pf_dora pm_alex hf_alpha hf_beta hm_omega "
    "hm_psi"
)


class Speaker:
    """A voice with the sentences that it may say and the pace at which it says them."""

    def __init__(self, name: str, source: str, language: str, voice: Voice, texts: list[str], pace: float):
        self.name, self.source, self.language = name, source, language
        self.voice, self.texts, self.pace = voice, texts, pace

    def clip(self, rng: np.random.Generator, seconds: float) -> TimedSpeech:
        """About `seconds` of sentences, with pauses between them and silence at both ends."""
        parts: list[TimedSpeech] = []
        length = 0.0
        while length < seconds:
            speed = self.pace * float(rng.uniform(0.93, 1.07))
            sentence = self.voice.say(str(rng.choice(self.texts)), speed=speed).in_inventory()
            parts += [pause(float(rng.uniform(0.15, 0.9)), sentence.sampling_rate), sentence]
            length += parts[-1].seconds + parts[-2].seconds
        parts.append(pause(float(rng.uniform(0.2, 0.8)), parts[-1].sampling_rate))
        return levelled(joined(parts).resampled(SAMPLING_RATE), float(rng.uniform(-29.0, -19.0))).in_inventory()


def kokoro_speakers(voices: Path, texts: dict[str, list[str]], rng: np.random.Generator) -> list[Speaker]:
    """The voices whose language has sentences."""
    from kokoro_voice import KokoroVoice

    cast = []
    for name in _KOKORO_VOICES.split():
        voice = KokoroVoice(voices, name)
        pace = float(rng.uniform(0.9, 1.15))
        if voice.espeak_voice in texts:
            cast.append(Speaker(name, "kokoro", voice.language, voice, texts[voice.espeak_voice], pace))
    return cast


def formant_speakers(count: int, texts: dict[str, list[str]], rng: np.random.Generator) -> list[Speaker]:
    """The four voices of flite at three pitches each, then random settings of espeak-ng in all languages."""
    cast: list[Speaker] = []
    for name in ("slt", "rms", "awb", "kal16"):
        for pitch in (1.0, 0.88, 1.15):
            flite = FliteVoice(name, pitch)
            cast.append(
                Speaker(f"flite-{flite.name}", "flite", "en", flite, texts["en-us"], float(rng.uniform(0.9, 1.15)))
            )
    languages = sorted(set(texts) - {"en-us", "en-gb"})
    while len(cast) < count:
        number = len(cast)
        is_english = rng.random() < ENGLISH_SHARE
        language = str(rng.choice(["en-us", "en-gb"])) if is_english else languages[number % len(languages)]
        espeak = EspeakVoice(
            language,
            variant=str(rng.choice(VARIANTS)),
            pitch=int(rng.integers(30, 75)),
            pitch_range=int(rng.integers(35, 80)),
            speed=int(rng.integers(135, 205)),
        )
        code = language.split("-")[0]
        cast.append(Speaker(f"espeak{number:03d}-{espeak.name}", "espeak-ng", code, espeak, texts[language], 1.0))
    return cast


def write_clip(out: Path, name: str, speech: TimedSpeech, speaker: Speaker, split: str) -> Clip:
    """Ogg Opus of whole video frames."""
    sound = np.pad(speech.sound, (0, -len(speech.sound) % SAMPLES_PER_FRAME))
    path = f"audio/{name}.opus"
    soundfile.write(out / path, sound, SAMPLING_RATE, format="OGG", subtype="OPUS", compression_level=0.955)
    seconds = len(sound) / SAMPLING_RATE
    phones = [(symbol, round(start, 4), round(end, 4)) for symbol, start, end in speech.phones]
    phones[-1] = (phones[-1][0], phones[-1][1], seconds)
    return Clip(
        name=name,
        audio=path,
        seconds=seconds,
        speaker=speaker.name,
        language=speaker.language,
        source=speaker.source,
        split=split,
        phones=phones,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--speakers", type=int, default=160)
    parser.add_argument("--kokoro", type=Path, help="folder of Kokoro's voices, which then speak instead")
    parser.add_argument("--texts", type=Path, help="CSV with the columns espeak_voice, g2p_text and split")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    texts, rng = load_texts(args.texts), np.random.default_rng(args.seed)
    cast = kokoro_speakers(args.kokoro, texts, rng) if args.kokoro else formant_speakers(args.speakers, texts, rng)
    cast = [cast[index] for index in rng.permutation(len(cast))]
    (args.out / "audio").mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    seconds, number = 0.0, 0
    with (args.out / "clips.jsonl").open("w", encoding="utf-8") as lines:
        while seconds < 60 * args.minutes:
            index = number % len(cast)
            chance = np.random.default_rng([args.seed, number])
            speech = cast[index].clip(chance, float(chance.uniform(4.0, 9.0)))
            split = "dev" if index % 12 == 5 else "train"
            clip = write_clip(args.out, f"{number:04d}-{cast[index].source}", speech, cast[index], split)
            lines.write(json.dumps(asdict(clip), ensure_ascii=False) + "\n")
            clips.append(clip)
            seconds += clip.seconds
            number += 1
    languages = {clip.language for clip in clips}
    print(f"{seconds / 60:.1f} min, {len(clips)} clips, {len(cast)} speakers, {len(languages)} languages: {args.out}")


if __name__ == "__main__":
    main()
