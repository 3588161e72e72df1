"""`geneface generate`: typed text, several recordings, lists, subtitles, shapes."""

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli import COMMAND, ROOT, write_wav
from tones import speak_in_tones

from geneface.batch.manifest import MANIFEST
from geneface.cli import main
from geneface.media.video import probe


@pytest.fixture
def fixed(tiny_bundle: Path) -> list[str]:
    return ["--person", str(tiny_bundle), "--device", "cpu", "--size", "64", "--seed", "1"]


def test_a_text_is_spoken_and_the_credentials_say_so(
    fixed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tones = speak_in_tones(monkeypatch)
    out = str(tmp_path / "out.mp4")
    asked = ["--voice", "bm_george", "--shape", "16:9", "--subtitles", "vtt"]
    assert main(["generate", "--text", "Good day.", "-o", out, *fixed, *asked]) == 0
    assert tones.asked == [("Good day.", "bm_george", 1.0)]
    info = probe(out)
    assert (info.width, info.height) == (114, 64)
    assert "--> " in (tmp_path / "out.vtt").read_text()
    capsys.readouterr()
    assert main(["verify", out]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[2:] if " " in line)
    assert lines["Voice"] == "synthetic, Tones, bm_george"
    assert lines["Settings"] == "seed 1, shape 16:9, size 64, subtitles vtt, visible mark yes"
    assert "Good day" not in (tmp_path / "out.mp4").read_bytes().decode("latin-1"), "what is said is nobody's business"
    assert main(["verify", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["voice"] == "Tones, bm_george"


def test_text_through_a_pipe(fixed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tones = speak_in_tones(monkeypatch)
    monkeypatch.setattr(sys, "stdin", io.StringIO("One.\nTwo.\n"))
    assert main(["generate", "--text", "-", "-o", str(tmp_path / "out.mp4"), *fixed]) == 0
    assert [text for text, _, _ in tones.asked] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "out.mp4"], "give a recording, or a text with --text, and not both"),
        (["a.wav", "--text", "Hi.", "-o", "out.mp4"], "and not both"),
        (["--text", "", "-o", "out.mp4"], "a row needs a recording (audio) or a text"),
        (["--text", "?!", "-o", "out.mp4"], "nothing to say in the text"),
        (["--text", "Hi.", "--voice", "nobody", "-o", "out.mp4"], "no voice 'nobody'; there are af_heart"),
        (["--text", "Hi.", "-o", "out.avi"], "out.avi"),
        (["a.wav", "b.wav", "-o", "out.mp4"], "several videos go into a folder, and out.mp4 is the name of one"),
        (["list.csv", "-o", "out.mp4"], "go into a folder"),
        (["none.csv", "-o", "out"], "none.csv does not exist"),
        (["colours.csv", "-o", "out"], "there is no column 'colour'"),
        (["speech.wav", "--subtitles", "srt", "-o", "out.mp4"], "nothing tells what speech.wav says"),
        (["speech.wav", "--subtitles", "srt", "--transcript", "out.srt", "-o", "out.mp4"], "out.srt"),
    ],
)
def test_bad_requests_are_said_before_a_person_is_loaded(
    arguments: list[str],
    words: str,
    speech: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    speak_in_tones(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("geneface.pipeline.GeneFacePipeline.from_pretrained", None)
    write_wav(tmp_path / "speech.wav", speech)
    (tmp_path / "list.csv").write_text("text\nHi.")
    (tmp_path / "colours.csv").write_text("text,colour\nHi.,red")
    (tmp_path / "out.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHi\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main(["generate", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_several_into_a_folder(
    fixed: list[str],
    speech: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    speak_in_tones(monkeypatch)
    recordings = [str(write_wav(tmp_path / name, speech[:3200])) for name in ("a.wav", "b.wav")]
    (tmp_path / "list.csv").write_text("audio,text,name,size\nb.wav,,,\n,Hi there.,greeting,\nnone.wav,,,128\n")
    out = tmp_path / "out"
    command = ["generate", *recordings, str(tmp_path / "list.csv"), "-o", str(out), *fixed]
    assert main(command) == 1
    said, errors = capsys.readouterr()
    *steps, end = said.splitlines()
    assert [step.split(",")[0] for step in steps] == [
        f"[{number}/5] {out / name}" for number, name in enumerate(("a.mp4", "b.mp4", "b-2.mp4", "greeting.mp4"), 1)
    ]
    assert " left" in steps[0] and end == f"4 made, 1 failed; in {out}"
    assert (
        errors
        == f"error: [5/5] {out / 'none.mp4'}: {tmp_path / 'none.wav'} does not exist; name an audio or video file\n"
    )
    write_wav(tmp_path / "none.wav", speech[:3200])
    assert main(command) == 0
    said, errors = capsys.readouterr()
    assert said.splitlines()[-1] == f"1 made, 4 were there already, 0 failed; in {out}" and not errors
    assert probe(out / "none.mp4").width == 128, "a row's own options go before those of the command"
    # A folder that is there takes a single recording, too.
    assert main(["generate", recordings[0], "-o", str(out), *fixed]) == 0


@pytest.mark.parametrize(("number", "code", "word"), [("SIGTERM", 143, "terminated"), ("SIGINT", 130, "interrupted")])
def test_what_is_made_stays_when_a_batch_is_stopped(
    fixed: list[str], speech: np.ndarray, tmp_path: Path, number: str, code: int, word: str
) -> None:
    write_wav(tmp_path / "short.wav", speech[:3200])
    write_wav(tmp_path / "zlong.wav", np.zeros(16000 * 1200, np.float32))
    out = tmp_path / "out"
    command = [*COMMAND, "generate", *map(str, sorted(tmp_path.glob("*.wav"))), "-o", str(out), *fixed]
    usual = signal.default_int_handler if number == "SIGINT" else signal.SIG_DFL
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(getattr(signal, number), usual),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert b"short.mp4" in process.stdout.readline()
        process.send_signal(getattr(signal, number))
        rest = process.stderr.read().decode()
        assert process.wait(timeout=60) == code
    assert rest == f"error: {word}; 1 of 2 videos are made, and the same command goes on from there\n"
    assert sorted(path.name for path in out.iterdir() if path.name != ".lock") == [MANIFEST, "short.mp4"]
