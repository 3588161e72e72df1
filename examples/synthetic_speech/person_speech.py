"""The voice of the synthetic person: about three minutes of English with the time of every phone.

    python examples/synthetic_speech/person_speech.py OUT --voices package/voices     # Kokoro
    python examples/synthetic_speech/person_speech.py OUT                             # flite

writes OUT/audio.flac (16 kHz), OUT/audio_full.flac (the voice's own rate) and OUT/phones.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile
from flite_voice import FliteVoice
from timed import TimedSpeech, Voice, joined, levelled, pause

TEXT = """\
Good morning, and thank you for coming by.
My name does not matter much, because nobody ever gave me one.
I was drawn by a computer, and this voice was made by another.
Between the two of them, they produced a person who was never born.
Perhaps that sounds strange, but it has some very pleasant advantages.
I am never late, I never lose my keys, and I do not mind the weather.
Please take a moment to watch my mouth while I keep talking.
When I say apple, bubble, or maple, both of my lips must meet.
For five, seven, or coffee, the lower lip touches the upper teeth.
Who would choose a smooth blue moon over two good wooden spoons?
She usually measures the treasure with unusual pleasure and precision.
The judge enjoyed a large orange and a cheap cheese sandwich at lunch.
A thin leather strap held the feathers together through the whole month.
Young Yolanda yelled yes, and the yellow yacht turned toward the yard.
Bring back the big brown bag before Bob makes a bad mistake.
Peter's puppy peeped at the purple paper parrot on the piano.
My mother made some warm milk for the small, grumpy man next door.
Every evening, seven brave fishermen fix five heavy nets by the river.
Quick foxes quietly question the clever queen about her quilt.
Could you cook a good pudding, or should we look for another bakery?
How now, said the owl, as it bowed down to the crowd around the tower.
The boy enjoyed the noise of coins and toys in the oily machine.
Either father or brother gathers those other things on Thursday.
Strong winds whistled across the northern wall, and the water whirled.
Let us count together: one, two, three, four, five, six, seven, eight, nine, ten.
The garden is full of roses, lilies, poppies, violets and wild mint.
In spring the bees move in, and by July the whole place hums.
Nobody remembers who built the old stone bridge beyond the mill.
People say that a baker walked over it each night, carrying warm bread.
He gave the first loaf to the ferryman, and the last one to the birds.
What a wonderful way to begin a day, don't you think?
Now, imagine a train that leaves the city a little before noon.
It rolls past farms and forests, over valleys, and up into the hills.
A girl in a green jacket opens the window, and fresh air pours in.
She counts the sheep, then the clouds, then the poles beside the track.
By the time she arrives, she has numbers and sunlight in her hair.
Her uncle waves from the platform, with a huge umbrella under his arm.
Welcome, he calls, you brought the good weather with you!
Maybe you noticed that I sometimes pause, and sometimes hurry along.
Real people do that too, and it would be odd to leave it out.
Above all, remember that everything you see and hear of me is synthetic.
If you would like a face like mine to speak for you, give it your own words.
Thank you very much for your patience, and have a marvellous afternoon.
""".strip().splitlines()

SILENT_AFTER = 24
"""Number of the sentence after which the person says nothing for two seconds."""


def speak(voice: Voice, seed: int) -> TimedSpeech:
    """The whole text, with pauses of 0.3 to 1 s between sentences."""
    rng = np.random.default_rng(seed)
    sentences = [levelled(voice.say(line, speed=float(rng.uniform(0.92, 1.08)))) for line in TEXT]
    rate = sentences[0].sampling_rate
    parts = [pause(0.5, rate)]
    for number, sentence in enumerate(sentences):
        parts += [sentence, pause(2.0 if number == SILENT_AFTER else float(rng.uniform(0.2, 0.85)), rate)]
    return joined([*parts, pause(0.5, rate)]).in_inventory()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--voices", type=Path, help="folder of Kokoro's voices; without it, flite speaks")
    parser.add_argument("--voice", help="af_heart of Kokoro or slt of flite, if not said otherwise")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.voices:
        from kokoro_voice import KokoroVoice

        voice: Voice = KokoroVoice(args.voices, args.voice or "af_heart")
    else:
        voice = FliteVoice(args.voice or "slt")
    speech = speak(voice, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    soundfile.write(args.out / "audio_full.flac", speech.sound, speech.sampling_rate)
    soundfile.write(args.out / "audio.flac", speech.resampled(16000).sound, 16000)
    (args.out / "phones.json").write_text(json.dumps(speech.phones, ensure_ascii=False), encoding="utf-8")
    print(f"{speech.seconds:.1f} s, {len(speech.phones)} phones")


if __name__ == "__main__":
    main()
