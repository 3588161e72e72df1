"""Speech of espeak-ng (libespeak-ng through ctypes) with its phone times, in over a hundred languages."""

import ctypes
import ctypes.util
from functools import cache, cached_property
from typing import Any

import numpy as np
from timed import Phones, TimedSpeech

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 3
_UTF8_WITH_PHONEMES = 1
_END_OF_LIST, _PHONEME = 0, 7
_RATE, _PITCH, _RANGE = 1, 3, 4

VARIANTS = (
    "", "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "Annie", "anika", "Andrea",
    "belinda", "Diogo", "edward", "Gene", "grandma", "iven", "linda", "Lee", "max", "Michael", "Mike", "norbert",
    "quincy", "steph", "Storm", "travis", "zac",
)  # fmt: skip
"""Variants of a voice that sound like people of different age and sex."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.POINTER(ctypes.c_ubyte)),
        ("identifier", ctypes.c_char_p),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Espeak:
    """The library, which keeps one state for the whole process."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        self.sampling_rate = self.library.espeak_Initialize(_SYNCHRONOUS, 500, None, _PHONEME_EVENTS_IN_IPA)
        if self.sampling_rate <= 0:
            raise RuntimeError("espeak-ng did not start: install espeak-ng with its data")
        self._sound: list[np.ndarray] = []
        self._marks: list[tuple[int, str]] = []
        self._callback = _Callback(self._collect)
        self.library.espeak_SetSynthCallback(self._callback)

    @cached_property
    def files(self) -> dict[str, str]:
        """Language -> the voice's file, by which alone a voice takes a variant."""
        self.library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        voices = self.library.espeak_ListVoices(None)
        found: dict[str, str] = {}
        index = 0
        while voices[index]:
            voice = voices[index].contents
            # One byte of priority before each language, a zero after the last.
            language = ctypes.string_at(ctypes.addressof(voice.languages.contents) + 1).decode()
            found.setdefault(language, voice.identifier.decode())
            index += 1
        return found

    def _collect(self, samples: Any, count: int, event: Any) -> int:
        if samples and count > 0:
            self._sound.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        index = 0
        while event[index].type != _END_OF_LIST:
            if event[index].type == _PHONEME:
                name = bytes(event[index].id.string).split(b"\0")[0].decode("utf-8", "ignore")
                self._marks.append((event[index].sample, name))
            index += 1
        return 0

    def say(self, text: str, language: str, variant: str, speed: int, pitch: int, pitch_range: int) -> TimedSpeech:
        voice = self.files.get(language, language) + (f"+{variant}" if variant else "")
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((_RATE, speed), (_PITCH, pitch), (_RANGE, pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self._sound, self._marks = [], []
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8_WITH_PHONEMES, None, None)
        self.library.espeak_Synchronize()
        sound = np.concatenate(self._sound).astype(np.float32) / 32768 if self._sound else np.zeros(0, np.float32)
        ends = [sample for sample, _ in self._marks[1:]] + [len(sound)]
        phones: Phones = [
            (name, sample / self.sampling_rate, end / self.sampling_rate)
            for (sample, name), end in zip(self._marks, ends, strict=True)
            if end > sample
        ]
        if phones and phones[0][1] > 0:
            phones.insert(0, ("", 0.0, phones[0][1]))
        return TimedSpeech(sound, self.sampling_rate, phones)


@cache
def _espeak() -> _Espeak:
    return _Espeak()


class EspeakVoice:
    """A language of espeak-ng with one of its voice variants."""

    def __init__(self, language: str, variant: str = "", pitch: int = 50, pitch_range: int = 50, speed: int = 165):
        self.language, self.variant = language, variant
        self.name = f"{language}+{variant}" if variant else language
        self.pitch, self.pitch_range, self.speed = pitch, pitch_range, speed

    def say(self, text: str, speed: float = 1.0) -> TimedSpeech:
        return _espeak().say(
            text, self.language, self.variant, round(self.speed * speed), self.pitch, self.pitch_range
        )
