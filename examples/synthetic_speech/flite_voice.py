"""Speech of flite (`flite -psdur`) with its phone times."""

import subprocess
import tempfile
from pathlib import Path

import soundfile
from timed import TimedSpeech

ARPABET = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "ay": "aɪ", "b": "b", "ch": "tʃ", "d": "d",
    "dh": "ð", "eh": "ɛ", "er": "ɜɹ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ",
    "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "pau": "", "r": "ɹ",
    "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z",
    "zh": "ʒ",
}  # fmt: skip

_MEAN_PITCH = {"slt": 170.0, "rms": 105.0, "awb": 130.0, "kal16": 95.0}


class FliteVoice:
    """One of flite's voices (slt, rms, awb, kal16); `pitch` is a factor on the voice's own mean."""

    def __init__(self, voice: str = "slt", pitch: float = 1.0):
        self.voice, self.pitch = voice, pitch
        self.name = voice if pitch == 1.0 else f"{voice}-{pitch:g}"

    def say(self, text: str, speed: float = 1.0) -> TimedSpeech:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            command = ["flite", "-voice", self.voice, "--setf", f"duration_stretch={1 / speed:.3f}", "-psdur"]
            if self.pitch != 1.0:
                command += ["--setf", f"int_f0_target_mean={_MEAN_PITCH[self.voice] * self.pitch:.1f}"]
            listing = subprocess.run([*command, text, path], capture_output=True, text=True, check=True).stdout
            sound, rate = soundfile.read(path, dtype="float32")
        phones, start = [], 0.0
        for entry in listing.split():
            name, _, end = entry.partition(":")
            phones.append((ARPABET[name], start, float(end)))
            start = float(end)
        return TimedSpeech(sound, rate, phones)
