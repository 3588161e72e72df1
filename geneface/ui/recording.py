"""A visitor's recording: what is taken, told before anybody brings one; and whether anybody speaks in it."""

import re
from pathlib import Path

from geneface.errors import InputError
from geneface.media.audio import AudioSource
from geneface.motion.hearing import listen
from geneface.motion.silence import SpeechGate
from geneface.utils.units import FPS

LEAST_SPEECH = 5
"""Frames in which speech must be heard, a fifth of a second: a short word."""
BLOCK = 10 * FPS
"""Frames that are listened to at once."""
NO_SPEECH = "no speech is heard in the recording: bring one in which somebody speaks, or come closer to the microphone"
LONGEST_NAME = 40


def limits(most_seconds: float) -> str:
    """What is taken, in words."""
    longest = f"{most_seconds / 60:g} min" if most_seconds >= 60 else f"{most_seconds:g} s"
    return f"Up to {longest} of speech: a sound file, or a video with sound."


def check_speech(source: AudioSource) -> None:
    """`InputError` if nobody speaks: silence, noise, or next to nothing."""
    gate, heard = SpeechGate(), 0
    for first in range(0, source.frames, BLOCK):
        for frame in listen(source, first, min(first + BLOCK, source.frames)):
            gate.push(frame)
            heard += gate.heard_speech
            if heard >= LEAST_SPEECH:
                return
    raise InputError(NO_SPEECH)


def video_stem(person: str, audio: str, seed: int) -> str:
    """A name that tells videos apart once they are downloaded: who speaks, which recording, which take."""
    parts = [re.sub(r"\W+", "-", part).strip("-")[:LONGEST_NAME] for part in (person, Path(audio).stem)]
    return "-".join([*filter(None, parts), str(seed)])
