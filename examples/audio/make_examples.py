"""The three recordings of this folder: synthetic speech of Kokoro-82M, see README.md.

PYTHONPATH=. python examples/audio/make_examples.py --voices package/voices
"""

import argparse
import sys
from pathlib import Path

import soundfile

FOLDER = Path(__file__).parent
sys.path.append(str(FOLDER.parent / "synthetic_speech"))

from kokoro_voice import KokoroVoice  # noqa: E402
from timed import joined, levelled, pause  # noqa: E402

EXAMPLES = (
    (
        "welcome.mp3",
        "af_heart",
        (
            "Hello, and welcome! It is lovely to see you here.",
            "Bring me a recording of any voice, in any language, and I will gladly give it a face.",
        ),
        24000,
        {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.7},
    ),
    (
        "bonjour.fr.opus",
        "ff_siwis",
        (
            "Bonjour à tous, et bienvenue !",
            "Ce matin, un petit bateau blanc quitte le port, et la mer est parfaitement calme.",
        ),
        24000,
        {"format": "OGG", "subtype": "OPUS", "compression_level": 0.9},
    ),
    (
        "tongue_twister.flac",
        "bm_george",
        (
            "Bob's brown bees buzz past the big blue barn.",
            "Four fluffy foxes fetch the vicar's velvet hat.",
        ),
        16000,
        {"format": "FLAC", "subtype": "PCM_16"},
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, required=True, help="folder package/voices of kokoro-js")
    voices = parser.parse_args().voices
    for name, voice, sentences, rate, options in EXAMPLES:
        speaker = KokoroVoice(voices, voice)
        parts = [pause(0.2, 24000)]
        for sentence in sentences:
            parts += [levelled(speaker.say(sentence), -20.0), pause(0.35, 24000)]
        speech = joined(parts).resampled(rate)
        soundfile.write(FOLDER / name, speech.sound, rate, **options)
        size = (FOLDER / name).stat().st_size
        print(f"{name}: {speech.seconds:.1f} s, {size / 1000:.0f} kB, peak {abs(speech.sound).max():.2f}")


if __name__ == "__main__":
    main()
