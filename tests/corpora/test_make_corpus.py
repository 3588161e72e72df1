"""`geneface corpus` with a detector that sees a bright square as a face: no MediaPipe needed."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from square_detector import SquareDetector

from geneface.cli import main
from geneface.corpora import make_corpus as module
from geneface.corpora.corpus_video import Filter, Tools, out_of_sync
from geneface.corpora.fit_corpus import Fitted, Track, yaw_angles
from geneface.corpora.make_corpus import find_videos, make_corpus, speaker_of, split_of
from geneface.datasets.corpus import Corpus
from geneface.datasets.in_step import OFFSETS
from geneface.errors import InputError
from geneface.utils.files import read_json


def film(path: Path, frames: int = 100, face: int = 100, blank: int = 10**6, sound: bool = True) -> Path:
    """A grey scene with a white square, missing in every `blank`-th frame, and a tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        tone = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        for index in range(frames):
            picture = np.full((240, 320, 3), 60, np.uint8)
            if index % blank != blank - 1:
                picture[60 : 60 + face, 100 : 100 + face] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
        if tone:
            samples = (3000 * np.sin(np.arange(640 * frames) / 10)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
            frame.sample_rate = 16000
            container.mux(tone.encode(frame))
            container.mux(tone.encode())
    return path


class Counted:
    """Tools that count the fits; yaw and offset are what a test wants."""

    def __init__(self, yaw: float = 5.0, offset: int = 0, agreement: float = 0.2):
        self.fits = 0
        self.yaw, self.offset, self.rise = yaw, offset, agreement

    def fit(self, track: Track) -> Fitted:
        self.fits += 1
        frames = len(track.valid)
        return Fitted(torch.zeros(frames, 68, 3), 1.0, 1.0, np.full(frames, self.yaw))

    def agreement(self, lm3d: torch.Tensor, samples: np.ndarray) -> np.ndarray:
        assert len(samples) == 640 * len(lm3d)
        return 0.3 + self.rise * (np.array(OFFSETS) == self.offset)

    def tools(self) -> Tools:
        return Tools(lambda: SquareDetector(points=478), self.fit, self.agreement)


def test_videos_become_clips_of_their_speakers(tmp_path: Path) -> None:
    film(tmp_path / "in/ann/one.mp4", 240)
    film(tmp_path / "in/ann/two.mp4", 80)
    film(tmp_path / "in/bob.mp4", 80)
    counted = Counted()
    summary = make_corpus(tmp_path / "in", tmp_path / "out", counted.tools(), Filter(piece=4.0), language="en")
    corpus = Corpus(tmp_path / "out")
    assert [(clip.name, clip.speaker, clip.seconds) for clip in corpus.clips] == [
        ("ann-one_mp4-000", "ann", 4.0),
        ("ann-one_mp4-001", "ann", 4.0),
        ("ann-two_mp4-000", "ann", 3.2),
        ("bob_mp4-000", "bob", 3.2),
    ]
    assert all(len(corpus.audio(clip)) == 640 * len(corpus.lm3d(clip)) for clip in corpus.clips)
    assert {clip.split for clip in corpus.clips} <= {"train", "dev", "test"}
    assert {clip.language for clip in corpus.clips} == {"en"}
    assert "4 clips" in summary.text() and "2 speakers" in summary.text()
    # A finished corpus of the same videos is left as it is; other settings need another name.
    assert make_corpus(tmp_path / "in", tmp_path / "out", counted.tools(), Filter(piece=4.0), language="en") == summary
    with pytest.raises(InputError, match="something else"):
        make_corpus(tmp_path / "in", tmp_path / "out", counted.tools(), language="en")
    assert counted.fits == 4


def test_a_killed_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        film(tmp_path / f"in/{name}.mp4", 80)
    counted, take = Counted(), module.take_video

    def killed(video: Path, *rest: object) -> object:
        if video.stem == "b":
            raise KeyboardInterrupt
        return take(video, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "take_video", killed)
    with pytest.raises(KeyboardInterrupt):
        make_corpus(tmp_path / "in", tmp_path / "out", counted.tools())
    assert not (tmp_path / "out").exists() and counted.fits == 1
    monkeypatch.setattr(module, "take_video", take)
    assert make_corpus(tmp_path / "in", tmp_path / "out", counted.tools()).clips == 3
    assert counted.fits == 3
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    film(tmp_path / "in/good.mp4", 80)
    film(tmp_path / "in/mute.mp4", 80, sound=False)
    film(tmp_path / "in/nobody.mp4", 80, blank=1)
    film(tmp_path / "in/small.mp4", 80, face=70)
    film(tmp_path / "in/away.mp4", 100, blank=4)
    (tmp_path / "in/broken.mp4").write_bytes(b"no video")
    summary = make_corpus(tmp_path / "in", tmp_path / "out", Counted().tools(), Filter(face=80))
    said = {video: " ".join(reasons) for video, reasons in summary.left_out.items()}
    assert "no sound" in said["mute.mp4"] and "no face" in said["nobody.mp4"]
    assert "80 are asked for" in said["small.mp4"] and "only 75% of the frames" in said["away.mp4"]
    assert said.keys() == {"mute.mp4", "nobody.mp4", "small.mp4", "away.mp4", "broken.mp4"}
    assert read_json(tmp_path / "out/report.json")["left_out"] == summary.left_out
    assert "left out of mute.mp4" in summary.text()


@pytest.mark.parametrize(
    ("counted", "reason"),
    [
        (Counted(yaw=55), "turned 55 degrees"),
        (Counted(offset=5), "5 frames apart"),
        (Counted(agreement=0.001), "do not follow"),
    ],
)
def test_the_filter_refuses(tmp_path: Path, counted: Counted, reason: str) -> None:
    film(tmp_path / "in/a.mp4", 80)
    with pytest.raises(InputError, match=reason):
        make_corpus(tmp_path / "in", tmp_path / "out", counted.tools())
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]


def test_sync_needs_a_peak_near_zero() -> None:
    flat = np.full(len(OFFSETS), 0.4)
    peak = lambda offset: flat + 0.1 * (np.array(OFFSETS) == offset)  # noqa: E731
    assert out_of_sync(peak(0), Filter()) == out_of_sync(peak(-2), Filter()) == ""
    assert "3 frames apart" in out_of_sync(peak(3), Filter())
    assert "do not follow" in out_of_sync(flat, Filter()) and "do not follow" in out_of_sync(peak(8), Filter())


def test_yaw_is_seen_from_above() -> None:
    turn = np.radians(30)
    frontal = np.diag([1.0, -1.0, -1.0])
    around = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    pose = np.concatenate([np.stack([frontal, frontal @ around]), np.zeros((2, 3, 1))], axis=-1)
    assert np.allclose(np.abs(yaw_angles(pose)), [0, 30])


def test_speakers_and_splits(tmp_path: Path) -> None:
    assert (
        speaker_of(tmp_path / "ann/2020/x.mp4", tmp_path) == "ann" and speaker_of(tmp_path / "x.mp4", tmp_path) == "x"
    )
    splits = [split_of(f"speaker {number}") for number in range(2000)]
    assert 0.03 < splits.count("dev") / 2000 < 0.07 and 0.03 < splits.count("test") / 2000 < 0.07


def test_a_folder_without_videos_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="holds no videos"):
        find_videos(tmp_path)
    for name in ("a.mp4", "._a.mp4"):  # macOS writes the second one beside the first.
        (tmp_path / name).touch()
    assert find_videos(tmp_path) == [tmp_path / "a.mp4"]
    assert main(["corpus", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err
