"""`geneface generate` and `geneface verify` together, as whoever makes and whoever receives a video uses them."""

import json
from pathlib import Path

import numpy as np
import pytest

from geneface.cli import main
from geneface.media.certificate import (
    ANCHOR_FILE,
    CERTIFICATE,
    CHAIN_FILE,
    KEY,
    KEY_FILE,
    make_development_certificate,
)
from geneface.media.mark import Mark
from geneface.media.provenance import read_provenance
from geneface.media.video import VideoReader, VideoWriter
from geneface.media.watermark import video_number
from geneface.pipelines.generate import generate_video
from research.watermark_changes import encode, resized

RATE = 16000


def test_made_received_and_altered(
    tiny_pipeline, speech: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    studio, stranger = tmp_path / "studio", tmp_path / "stranger"
    for folder in (studio, stranger):
        folder.mkdir()
        make_development_certificate(folder)
    monkeypatch.setenv(CERTIFICATE, str(studio / CHAIN_FILE))
    monkeypatch.setenv(KEY, str(studio / KEY_FILE))
    video = tmp_path / "v.mp4"
    options = {"temperature": 0.5, "pose": "still", "background": "#ff0000"}
    result = generate_video(tiny_pipeline, speech[:RATE], video, sampling_rate=RATE, seed=3, **options)
    assert result.unsigned == ""

    assert main(["verify", str(video)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{video}: AI-generated, and unaltered since it was signed"
    assert "Person     tiny" in lines
    settings = next(line for line in lines if line.startswith("Settings"))
    for words in ("seed 3", "temperature 0.5", "pose still", "background #ff0000", "visible mark yes"):
        assert words in settings

    assert main(["verify", str(video), "--anchor", str(studio / ANCHOR_FILE), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["state"], report["trusted"], report["settings"]["seed"]) == ("valid", True, 3)
    assert main(["verify", str(video), "--anchor", str(stranger / ANCHOR_FILE)]) == 1
    assert "does not come from an authority" in capsys.readouterr().out

    content = bytearray(video.read_bytes())
    content[-100] ^= 1
    video.write_bytes(content)
    assert main(["verify", str(video)]) == 1
    assert capsys.readouterr().out.startswith(f"{video}: altered since it was signed\n")


def test_unsigned_and_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with VideoWriter(tmp_path / "v.mp4", (64, 64)) as writer:
        writer.write(np.zeros((5, 64, 64, 3), np.uint8))
    (tmp_path / "t.mp4").write_text("no video")
    assert main(["verify", str(tmp_path / "v.mp4")]) == 1
    assert ": no Content Credentials\n" in capsys.readouterr().out
    for arguments in (["none.mp4"], ["t.mp4"], ["v.mp4", "--anchor", str(tmp_path / "none.pem")]):
        assert main(["verify", str(tmp_path / arguments[0]), *arguments[1:]]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_watermark_survives_where_credentials_are_lost(
    tiny_pipeline, speech: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    original, copy = tmp_path / "v.mp4", tmp_path / "copy.mp4"
    options = {"sampling_rate": RATE, "seed": 3, "size": 256, "background": "#8090a0"}
    generate_video(tiny_pipeline, speech[:RATE], original, mark=False, **options)
    number = f"{video_number('tiny', 3):08x}"
    assert main(["verify", str(original)]) == 0
    words = "as the credentials say (false alarms: under 1 in 1,000,000,000 videos)"
    assert f"Watermark  GeneFace's, number {number}, {words}" in capsys.readouterr().out.splitlines()

    with VideoReader(original) as reader:
        encode((resized(frame, 320, 320) for frame in reader), copy, 23, 25)
    assert main(["verify", str(copy)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{copy}: AI-generated with GeneFace, by its watermark; no Content Credentials\n")
    assert f"Watermark  GeneFace's, number {number} (" in out
    assert main(["verify", str(copy), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["state"] == "none"
    assert (report["watermark"]["number"], report["watermark"]["fits_credentials"]) == (number, None)
    assert report["watermark"]["false_alarm"] < 1e-9


def test_a_watermark_of_another_video_is_told(
    tiny_pipeline, speech: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("geneface.pipelines.generate.video_number", lambda person, seed: 7)
    options = {"sampling_rate": RATE, "seed": 3, "size": 256}
    generate_video(tiny_pipeline, speech[:RATE], tmp_path / "v.mp4", **options)
    main(["verify", str(tmp_path / "v.mp4")])
    assert "number 00000007, which is not that of the credentials (" in capsys.readouterr().out


def test_without_a_watermark_and_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import wave

    with VideoWriter(tmp_path / "v.mp4", (64, 64)) as writer:
        writer.write(np.zeros((5, 64, 64, 3), np.uint8))
    with wave.open(str(tmp_path / "s.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(2 * RATE))
    main(["verify", str(tmp_path / "v.mp4")])
    assert "Watermark  none found\n" in capsys.readouterr().out
    main(["verify", str(tmp_path / "s.wav")])
    assert "Watermark  not looked for: " in capsys.readouterr().out
    main(["verify", str(tmp_path / "s.wav"), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["watermark"] is None
    assert "no video track" in report["watermark_unread"]


def test_the_mark_is_seen_in_its_corner_alone(tiny_pipeline, speech: np.ndarray, tmp_path: Path) -> None:
    def frames(mark: bool) -> np.ndarray:
        output = tmp_path / "v.mp4"
        options = {"sampling_rate": RATE, "seed": 1, "size": 256, "background": "#ffffff"}
        generate_video(tiny_pipeline, speech[: RATE // 2], output, mark=mark, **options)
        assert read_provenance(output).settings["visible_mark"] is mark
        with VideoReader(output) as reader:
            return np.stack(list(reader)).astype(int)

    difference = np.abs(frames(True) - frames(False)).max((0, 3))
    rows, columns = Mark(256, 256).area
    assert difference[rows, columns].mean() > 40
    # An encoder's blocks are of 16 pixels.
    difference[: rows.stop + 16, : columns.stop + 16] = 0
    assert difference.mean() < 1.5
    assert np.percentile(difference[60:240, 50:200], 99) < 16


def test_no_mark_by_command(tiny_bundle: Path, speech: np.ndarray, tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((speech[:RATE] * 32767).astype("<i2").tobytes())
    fixed = ["generate", str(tmp_path / "speech.wav"), "--person", str(tiny_bundle), "--device", "cpu"]
    for options, mark in ((["--no-mark"], False), ([], True)):
        assert main([*fixed, "-o", str(tmp_path / "v.mp4"), *options]) == 0
        assert read_provenance(tmp_path / "v.mp4").settings["visible_mark"] is mark


def test_a_bad_certificate_is_said_before_any_work(
    tiny_pipeline, speech: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geneface.errors import InputError

    monkeypatch.setenv(CERTIFICATE, str(tmp_path / "none.pem"))
    monkeypatch.setenv(KEY, str(tmp_path / "none.key"))
    monkeypatch.setattr(tiny_pipeline, "stream", lambda *arguments, **options: pytest.fail("work was begun"))
    with pytest.raises(InputError, match=r"none.pem cannot be read"):
        generate_video(tiny_pipeline, speech, tmp_path / "v.mp4", sampling_rate=RATE)
    assert not list(tmp_path.iterdir())


def test_without_c2pa_it_is_said_that_the_video_is_unsigned(
    tiny_pipeline, speech: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geneface.media.provenance.importlib.util.find_spec", lambda name: None)
    result = generate_video(tiny_pipeline, speech[:RATE], tmp_path / "v.mp4", sampling_rate=RATE)
    assert "c2pa-python is not installed" in result.unsigned
    monkeypatch.undo()
    found = read_provenance(tmp_path / "v.mp4")
    assert (found.state, "person=tiny" in found.tag) == ("none", True)
