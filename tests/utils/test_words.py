"""Durations and messages in words."""

from geneface.utils.words import about, duration, sentence


def test_durations() -> None:
    assert [about(seconds) for seconds in (20, 100, 5400, 7830)] == [
        "less than a minute",
        "about 2 min",
        "about 1 h 30 min",
        "about 2 h 10 min",
    ]
    assert [duration(seconds) for seconds in (0.2, 35.4, 125)] == ["1 s", "35 s", "2 min 05 s"]


def test_sentences() -> None:
    assert sentence("the video is dark") == "The video is dark."
    assert sentence("/tmp/x7.mp4 cannot be read!", {"/tmp/x7.mp4": "the video"}) == "The video cannot be read!"
    assert sentence("vera.mp4 cannot be read") == "vera.mp4 cannot be read.", "a name stays as it is"
