import numpy as np
import pytest
from tones import RATE, Tones, speak_in_tones

from geneface.card import Card
from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.speaking.speech import BETWEEN_PARAGRAPHS, BETWEEN_SENTENCES, START, speak
from geneface.stopping import Stopped, StopToken

TEXT = "Hello there. How are you?\n\nFine."


def test_the_times_are_those_of_the_sound() -> None:
    done: list[tuple[int, int]] = []
    speech = speak(TEXT, synthesiser=Tones(), on_sentence=lambda *step: done.append(step))
    assert [each.text for each in speech.sentences] == ["Hello there.", "How are you?", "Fine."]
    first, second, third = speech.sentences
    assert first.start == START
    assert second.start - first.end == pytest.approx(BETWEEN_SENTENCES)
    assert third.start - second.end == pytest.approx(BETWEEN_PARAGRAPHS)
    spoken = np.zeros(len(speech.samples), bool)
    for each in speech.sentences:
        spoken[round(each.start * RATE) : round(each.end * RATE)] = True
    assert np.abs(speech.samples[spoken]).max() > 0.2 and not speech.samples[~spoken].any()
    assert speech.samples.dtype == np.float32 and speech.seconds > third.end
    assert done == [(1, 3), (2, 3), (3, 3)]


def test_speed_shortens_sound_and_pauses() -> None:
    slow, fast = (speak(TEXT, speed=speed, synthesiser=Tones()) for speed in (0.5, 2.0))
    assert slow.sentences[-1].end == pytest.approx(4 * fast.sentences[-1].end, rel=0.01)


def test_the_voice_asked_for_else_the_preferred_one_else_the_first() -> None:
    for voice, preferred, expected in (
        ("am_puck", "bm_george", "am_puck"),
        (None, "bm_george", "bm_george"),
        (None, "somebody_elses", "af_heart"),
        (None, "", "af_heart"),
    ):
        tones = Tones()
        assert speak("Hello.", voice, preferred=preferred, synthesiser=tones).voice == expected
        assert tones.asked == [("Hello.", expected, 1.0)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"voice": "nobody"}, "no voice 'nobody'; there are af_heart, "),
        ({"speed": 3}, "between 0.5 and 2"),
        ({"text": "你好"}, "Chinese"),
    ],
)
def test_bad_requests_are_said_before_anything_is_spoken(arguments: dict, words: str) -> None:
    tones = Tones()
    with pytest.raises(InputError, match=words):
        speak(**{"text": "Hello.", "synthesiser": tones, **arguments})
    assert not tones.asked


@pytest.mark.parametrize("sound", [[], [[0.1]], [float("nan")]])
def test_a_synthesiser_that_gives_no_sound(sound: list) -> None:
    class Mute(Tones):
        def synthesize(self, *args: object, **kwargs: object) -> tuple[np.ndarray, int]:
            return np.array(sound, np.float32), RATE

    with pytest.raises(InputError, match='gave no sound for "Hello'):
        speak("Hello.", synthesiser=Mute())


def test_nothing_is_louder_than_full_scale() -> None:
    class Loud(Tones):
        def synthesize(self, *args: object, **kwargs: object) -> tuple[np.ndarray, int]:
            return np.full(RATE, -3.0, np.float32), RATE

    assert np.abs(speak("Hello.", synthesiser=Loud()).samples).max() == pytest.approx(0.95)


def test_it_stops_before_the_next_sentence() -> None:
    stop, tones = StopToken(), Tones()
    with pytest.raises(Stopped):
        speak(TEXT, synthesiser=tones, stop=stop, on_sentence=lambda *_: stop.stop())
    assert len(tones.asked) == 1


def test_it_may_be_given_as_a_recording() -> None:
    speech = speak(TEXT, synthesiser=Tones())
    with open_audio(speech) as source:
        assert source.seconds == pytest.approx(speech.seconds, abs=0.01)
        assert source.synthetic == "Tones, af_heart" and source.sentences == speech.sentences
    with open_audio(speech.samples, speech.sampling_rate) as source:
        assert not source.synthetic and not source.sentences


def test_the_pipeline_speaks_in_the_persons_voice(tiny_pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    tones = speak_in_tones(monkeypatch)
    tiny_pipeline.card = Card("Tiny", voice="bm_george")
    output = tiny_pipeline.speak("Hi.", seed=1, size=64)
    assert tones.asked == [("Hi.", "bm_george", 1.0)]
    speech = speak("Hi.", "bm_george", synthesiser=tones)
    np.testing.assert_array_equal(output.frames, tiny_pipeline(speech, seed=1, size=64).frames)
    tiny_pipeline.speak("Hi.", "af_bella", speed=2.0, synthesiser=tones, size=64)
    assert tones.asked[-1] == ("Hi.", "af_bella", 2.0)


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geneface.speaking.kokoro.is_installed", lambda: False)
    with pytest.raises(InputError, match=r"pip install 'geneface\[speech\]'"):
        speak("Hello.")
