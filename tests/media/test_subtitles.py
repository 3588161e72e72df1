from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.media.captions import ABSENT, Captions, find_font
from geneface.media.subtitles import LONGEST_CUE, cues, read_transcript, spread, timed, write_subtitles
from geneface.media.video import VideoReader
from geneface.speaking.speech import Sentence

LONG = (
    "This sentence is so long that nobody could read it in one go, and therefore it is shown in parts, one after the "
    "other, each of them while it is being said, and none of them longer than two lines of a subtitle."
)


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    said = (Sentence("Über 3 < 4 & more", 0.2, 3601.5), Sentence("Two\nlines", 3601.5, 3602.04))
    write_subtitles(tmp_path / f"out{suffix}", said)
    assert read_transcript(tmp_path / f"out{suffix}") == said
    text = (tmp_path / f"out{suffix}").read_text(encoding="utf-8")
    assert ("01:00:01.500" in text) == text.startswith("WEBVTT\n\n") == (suffix == ".vtt")


def test_files_of_other_programs(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_bytes(
        b"\xef\xbb\xbf7\r\n00:00:02,000 --> 00:00:03,000\r\n<i>later</i> {\\an8}on\r\n\r\n"
        b"1\r\n00:00:00,500 --> 00:00:01,000\r\nM\xfcller\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\n\r\n"
    )
    assert read_transcript(tmp_path / "a.srt") == (Sentence("Müller", 0.5, 1.0), Sentence("later on", 2.0, 3.0))
    (tmp_path / "b.vtt").write_text("WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.500 align:start\n<c.red>A</c> &amp; B\n")
    assert read_transcript(tmp_path / "b.vtt") == (Sentence("A & B", 1.0, 2.5),)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.srt", b"hello", "no subtitles that can be read"),
        ("a.vtt", b"", "no subtitles that can be read"),
        ("a.srt", b"#EXTM3U\nhttp://127.0.0.1/x", "no subtitles that can be read"),
        ("a.txt", b"\xff\xfe\x00", "no text in UTF-8"),
        ("a.txt", b" ... ", "no words in it"),
        ("a.txt", b"word " * 500_000, "longer than any recording's words"),
    ],
)
def test_bad_transcripts_are_said(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_transcript(tmp_path / name)
    with pytest.raises(InputError, match="does not exist"):
        read_transcript(tmp_path / f"other-{name}")


def test_long_sentences_are_shown_in_parts_of_like_length() -> None:
    shown = cues([Sentence(LONG, 2.0, 12.0), Sentence("Short.", 12.0, 12.5)])
    assert " ".join(cue.text for cue in shown[:-1]) == LONG and shown[-1] == Sentence("Short.", 12.0, 12.5)
    lengths = [len(cue.text) for cue in shown[:-1]]
    assert max(lengths) <= LONGEST_CUE and min(lengths) > 0.6 * max(lengths)
    assert shown[0].start == 2.0 and shown[-2].end == 12.0
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(shown))
    for cue, length in zip(shown, lengths, strict=False):
        assert cue.end - cue.start == pytest.approx(10 * length / sum(lengths))


def test_words_are_spread_over_what_is_no_pause(speech: np.ndarray) -> None:
    pause = np.zeros(48000, np.float32)
    with open_audio(np.concatenate([pause, speech, pause, speech]), 16000) as source:
        first, second = spread("A longer sentence. A short one.", source)
        assert (first.start, first.end) == (pytest.approx(3, abs=0.25), pytest.approx(5, abs=0.25))
        assert (second.start, second.end) == (pytest.approx(8, abs=0.25), pytest.approx(10, abs=0.25))
        with pytest.raises(InputError, match="nothing tells what the audio says; give its transcript"):
            timed(source, None)
    with open_audio(pause, 16000) as source:
        assert [each.text for each in timed(source, "One. Two.")] == ["One.", "Two."]


def shown(text: str, width: int, height: int, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A grey frame before and within a subtitle."""
    frames = np.full((3, height, width, channels), 128, np.uint8)
    captions = Captions([Sentence(text, 0.4, 0.44)], width, height)
    captions.draw(frames, 9)
    np.testing.assert_array_equal(frames[2], frames[0])
    return frames[0], frames[1]


@pytest.mark.parametrize(("width", "height"), [(512, 512), (910, 512), (512, 910), (1080, 1920), (128, 128)])
@pytest.mark.parametrize("text", ["Short.", LONG[:LONGEST_CUE], "Donaudampfschifffahrtsgesellschaft" * 2])
def test_burnt_in_at_every_shape(width: int, height: int, text: str) -> None:
    """Below the face, within the picture, light on dark."""
    before, during = shown(text, width, height)
    assert (before == 128).all()
    rows, columns = np.nonzero((during != 128).any(-1))
    side = min(width, height)
    assert height - rows.max() > 0.02 * side and rows.min() > height - 0.45 * side
    assert columns.min() > 0.01 * width and columns.max() < 0.99 * width
    assert abs(columns.min() + columns.max() + 1 - width) <= 2, "in the middle"
    ground = during[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert ground.max() > 240 and 0.02 < (ground > 200).mean() < 0.4 and np.median(ground) < 110


def test_burnt_into_transparent_frames() -> None:
    frames = np.zeros((1, 128, 128, 4), np.uint8)
    Captions([Sentence("Hello", 0, 1)], 128, 128).draw(frames, 0)
    assert frames[..., 3].max() == 255 and not frames[0, :64].any()


def test_letters_that_no_font_has_are_said() -> None:
    with pytest.raises(InputError, match=r"no font of this machine has .* written beside the video"):
        find_font([Sentence(f"Hello {ABSENT[:-1]}\ue123\ufdd0", 0, 1)], 16)
    find_font([Sentence("Hello, “world” — it’s 5!", 0, 1)], 16)


def test_a_video_with_subtitles(tiny_pipeline, speech: np.ndarray, tmp_path: Path) -> None:
    from geneface.generate import generate_video

    said = [Sentence("Hello", 0.2, 0.6)]
    common = {"sampling_rate": 16000, "seed": 1, "size": 256, "background": "#808080", "mark": False}
    for how in (None, "burn", "vtt"):
        generate_video(
            tiny_pipeline, speech[:16000], tmp_path / f"{how}.mp4", subtitles=how, transcript=said, **common
        )
    plain, burnt, beside = (list(VideoReader(tmp_path / f"{how}.mp4")) for how in (None, "burn", "vtt"))
    differ = [np.abs(a.astype(int) - b).max() > 60 for a, b in zip(plain, burnt, strict=True)]
    assert [i for i, each in enumerate(differ) if each] == list(range(5, 15))
    np.testing.assert_array_equal(plain, beside)
    assert read_transcript(tmp_path / "vtt.vtt") == tuple(said)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mp4", ".mp4", ".mp4", ".vtt"]
    with pytest.raises(InputError, match="give its transcript"):
        generate_video(tiny_pipeline, speech, tmp_path / "no.mp4", subtitles="srt", **common)
