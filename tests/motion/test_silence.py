import numpy as np
import pytest

from geneface.media.audio import load_audio
from geneface.motion.hearing import listen
from geneface.motion.silence import AHEAD, CLOSING, HOLD, SpeechGate
from geneface.resources import resource
from geneface.streaming.audio import ArrayStream
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

FRAMES = 100


def voice(loud: np.ndarray, level: float = 0.1) -> np.ndarray:
    """A vowel of 120 Hz in the frames that are loud, and silence in the others."""
    time = np.arange(len(loud) * SAMPLES_PER_FRAME) / SAMPLING_RATE
    harmonics = sum(np.sin(2 * np.pi * 120 * n * time + n * n) / n for n in range(1, 25))
    return (level * harmonics * np.repeat(loud, SAMPLES_PER_FRAME)).astype(np.float32)


def gate(samples: np.ndarray) -> np.ndarray:
    """What is left of the motion in each frame [T]."""
    speech, sound = SpeechGate(), ArrayStream(samples)
    return np.array([speech.push(heard) for heard in listen(sound, 0, sound.frames + AHEAD)])[AHEAD:]


def speech(*quiet: tuple[int, int]) -> np.ndarray:
    loud = np.ones(FRAMES)
    loud[:5] = 0
    for first, last in quiet:
        loud[first:last] = 0
    return voice(loud)


def noise(level: float, frames: int = FRAMES) -> np.ndarray:
    """White noise of so many dB of full scale."""
    rng = np.random.default_rng(0)
    return (10 ** (level / 20) * rng.standard_normal(frames * SAMPLES_PER_FRAME)).astype(np.float32)


def tone(frequency: float, level: float) -> np.ndarray:
    time = np.arange(FRAMES * SAMPLES_PER_FRAME) / SAMPLING_RATE
    return (np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def test_speech_is_left_alone_and_silence_closes():
    found = gate(speech((40, 60)))
    assert (found[5:40] == 1).all() and (found[58:] == 1).all(), "open before it is heard"
    assert (found[48:53] < 0.1).all() and (found[50:53] == 0).all()
    assert (np.diff(found[39:51]) <= 0).all() and (np.diff(found[53:57]) > 0).all()


def test_after_a_long_silence_the_mouth_is_shut_until_it_is_heard():
    found = gate(speech((40, 80)))
    assert (found[50:80] == 0).all() and (np.diff(found[79:83]) > 0).all() and (found[84:] == 1).all()


def test_short_gaps_are_not_silence():
    assert (gate(speech((20, 25), (50, 58)))[5:] == 1).all()


@pytest.mark.parametrize(
    "samples", [noise(-200), noise(-50), noise(-30), tone(50, -53), tone(50, -25), tone(8, -20), noise(-200) + 0.02]
)
def test_nothing_but_silence(samples: np.ndarray):
    found = gate(samples)
    assert (np.diff(found) <= 0).all() and (found[HOLD + CLOSING :] == 0).all(), "it closes from where it is"


DISTURBED = {
    "offset": lambda clean: 0.8 * clean + 0.002,
    "large offset": lambda clean: 0.8 * clean + 0.01,
    "hum": lambda clean: clean + tone(50, -53),
    "loud hum with harmonics": lambda clean: clean + tone(50, -40) + tone(100, -50) + tone(150, -55),
    "rumble": lambda clean: clean + tone(8, -30),
    "room": lambda clean: clean + noise(-50),
    "street": lambda clean: clean + noise(-40),
    "40 dB too quiet": lambda clean: 0.01 * clean,
    "quiet and noisy": lambda clean: 0.01 * (clean + noise(-50)),
    "noise that begins late": lambda clean: clean + noise(-50) * (np.arange(len(clean)) > 49 * SAMPLES_PER_FRAME),
}


@pytest.mark.parametrize("disturbance", DISTURBED)
def test_disturbed_sound_behaves_as_clean_sound_does(disturbance: str):
    """Relative to the recording's own noise and voice: two seconds of the examples' speech, then a pause."""
    spoken = load_audio(resource("examples/audio/tongue_twister.flac"))[: 50 * SAMPLES_PER_FRAME]
    clean = np.concatenate([np.zeros(4 * SAMPLES_PER_FRAME, np.float32), spoken, np.zeros(46 * 640, np.float32)])
    wanted, found = gate(clean), gate(DISTURBED[disturbance](clean))
    assert (wanted[19:49] == 1).all() and (wanted[64:] == 0).all(), "speech, then a pause"
    assert np.abs(found - wanted).mean() < 0.03
    assert (found[66:] == 0).all() and found[19:49].min() > 0.9


def test_a_voice_that_grows_quiet_is_still_heard():
    loud = np.concatenate([np.ones(50), np.tile([1, 1, 1, 1, 1, 0, 0], 20)])
    samples = voice(loud) * np.repeat(np.where(np.arange(len(loud)) < 50, 1, 0.02), 640).astype(np.float32)
    assert (gate(samples)[60:-8] > 0.9).all()


def test_a_long_note_is_no_noise():
    samples = np.concatenate([noise(-70, 10), voice(np.ones(250))])
    assert (gate(samples)[16:250] == 1).all()
