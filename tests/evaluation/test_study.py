import json
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from study_folder import CLIPS, METHODS, write_clip, write_study

from geneface.cli import main
from geneface.errors import InputError
from geneface.evaluation.study import QUESTIONS, Item, Plan, Study, parse_plan
from geneface.evaluation.study_results import as_markdown, as_page, mean_score, tally
from geneface.evaluation.study_votes import Votes
from geneface.media.video import VideoReader, probe

ALL_FIVE = dict.fromkeys(QUESTIONS, 5)


@pytest.fixture(scope="session")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("filmed"))


@pytest.fixture
def folder(filmed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filmed, tmp_path / "study"))


def named_study(folder: Path, methods: int, clips: list[str], plan: Plan) -> Study:
    """A study of empty files, for what looks at names alone."""
    for method in range(methods):
        for clip in clips:
            path = folder / f"m{method}" / f"{clip}.mp4"
            path.parent.mkdir(exist_ok=True)
            path.touch()
    return Study(folder, plan, "secret")


def test_order(tmp_path: Path) -> None:
    clips = [f"{language}_{number}" for language in ("en", "de", "zh") for number in range(4)]
    study = named_study(tmp_path, 3, clips, Plan(clips=6))
    orders = {rater: study.order(rater) for rater in "abcd"}
    assert orders["a"] == Study(tmp_path, Plan(clips=6), "secret").order("a")
    assert len({tuple(order) for order in orders.values()}) == 4
    for order in orders.values():
        assert len(order) == len(set(order)) == 18 == study.videos
        assert {item.method for item in order} == {"m0", "m1", "m2"}
        chosen = {item.clip for item in order}
        assert Counter(clip[:2] for clip in chosen) == {"en": 2, "de": 2, "zh": 2}
        for turn in range(3):
            assert {item.clip for item in order[6 * turn : 6 * turn + 6]} == chosen
    firsts = Counter(study.order(str(number))[0].method for number in range(300))
    assert min(firsts.values()) > 70


def test_plan() -> None:
    assert parse_plan([]) == Plan(clips=10, languages=3, raters=20)
    assert parse_plan(["raters=5"], Plan(clips=4)) == Plan(clips=4, raters=5)
    for wrong in ("raters", "raters=0", "raters=-1", "votes=3", "raters=2.5"):
        with pytest.raises(InputError, match="is no part of a plan; give clips=N, languages=N, raters=N"):
            parse_plan([wrong])


def test_what_the_plan_lacks(tmp_path: Path) -> None:
    assert named_study(tmp_path, 2, ["en_a", "de_a", "plain"], Plan(clips=3, languages=2)).lacks() == []
    lacks = Study(tmp_path, Plan(), "secret").lacks()
    assert [text.split(",")[0] for text in lacks] == ["the plan has 10 clips", "the plan has 3 languages"]


def test_unusable_folders(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def error(*arguments: str) -> str:
        assert main(["study", *arguments]) == 2
        found = capsys.readouterr().err
        assert found.count("\n") == 1
        return found

    assert "is not a folder" in error(str(tmp_path / "nothing"))
    (tmp_path / "one" / "a").mkdir(parents=True)
    assert "has 1 method; make two or more" in error(str(tmp_path / "one"))
    (tmp_path / "one" / "b").mkdir()
    assert "has no clips" in error(str(tmp_path / "one"))
    assert "nobody has voted" in error(str(folder), "--results")
    assert not (folder / "study.sqlite").exists()
    assert "'x=1' is no part of a plan" in error(str(folder), "--plan", "x=1")

    clip = folder / "wav2lip" / "en_one.mp4"
    clip.unlink()
    assert f"{clip} is missing; every method needs the same clips" in error(str(folder))
    write_clip(clip, sound=False)
    assert f"{clip} has no sound" in error(str(folder))
    clip.write_text("no video")
    assert f"{clip} cannot be read" in error(str(folder))


def test_codec_that_browsers_do_not_play(folder: Path) -> None:
    import av
    import numpy as np

    path = folder / "wav2lip" / "en_one.mp4"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        made.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(InputError, match="is coded as mpeg4, which browsers do not play"):
        Study(folder, Plan(), "secret").check()


def test_blind_copies(folder: Path, tmp_path: Path) -> None:
    named = folder / "geneface" / "en_one.mp4"
    with VideoReader(named) as reader:
        frames = list(reader)
    import av

    with av.open(str(named)) as given, av.open(str(tmp_path / "named.mp4"), "w") as made:
        made.metadata["comment"] = "made by geneface"
        copies = {track.index: made.add_stream_from_template(track) for track in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                made.mux(packet)
    (tmp_path / "named.mp4").replace(named)
    assert b"geneface" in named.read_bytes()

    study, target = Study(folder, Plan(), "secret"), tmp_path / "copies"
    target.mkdir()
    assert study.check() == pytest.approx(1.0, abs=0.05)
    study.copy_to(target)
    copies = {path.stem: path for path in target.iterdir()}
    assert set(copies) == set(study.items)
    assert len(copies) == len(METHODS) * len(CLIPS)
    for path in copies.values():
        assert not any(name.encode() in path.read_bytes() + path.name.encode() for name in (*METHODS, *CLIPS))
    copy = copies[study.token(Item("geneface", "en_one"))]
    info = probe(copy)
    assert (info.video_codec, info.audio_codec, info.video_seconds) == ("h264", "aac", 1.0)
    with VideoReader(copy) as reader:
        assert all((a == b).all() for a, b in zip(reader, frames, strict=True))
    assert Study(folder, Plan(), "other").token(Item("geneface", "en_one")) != copy.stem


def test_no_vote_twice(tmp_path: Path) -> None:
    votes, item = Votes(tmp_path, create=True), Item("m", "c")
    assert votes.add("a", item, ALL_FIVE)
    assert not votes.add("a", item, dict.fromkeys(QUESTIONS, 1))
    again = Votes(tmp_path, create=True)
    assert (again.secret, again.plan) == (votes.secret, Plan())
    assert [vote.scores for vote in again.all()] == [ALL_FIVE]
    added = []
    threads = [
        threading.Thread(target=lambda: added.append(Votes(tmp_path).add("b", item, ALL_FIVE))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 7 + [True]
    assert again.rated("b") == {item}
    again.keep_plan(Plan(raters=3))
    assert Votes(tmp_path).plan == Plan(raters=3)
    with pytest.raises(InputError, match="cannot be used"):
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "study.sqlite").write_text("no database" * 1000)
        Votes(tmp_path / "broken")


def test_scores_out_of_range_are_refused(tmp_path: Path) -> None:
    import sqlite3

    votes = Votes(tmp_path, create=True)
    for score in (0, 6):
        with pytest.raises(sqlite3.IntegrityError):
            votes.add("a", Item("m", "c"), {**ALL_FIVE, "realness": score})
    assert votes.all() == []


VOTER = """
import sys
from geneface.evaluation.study import QUESTIONS, Item
from geneface.evaluation.study_votes import Votes
votes = Votes(sys.argv[1])
for number in range(10**6):
    votes.add("rater", Item("m", str(number)), dict.fromkeys(QUESTIONS, 3))
    print(number, flush=True)
"""


def test_no_vote_is_lost_when_killed(tmp_path: Path) -> None:
    Votes(tmp_path, create=True)
    voter = subprocess.Popen([sys.executable, "-c", VOTER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert voter.stdout is not None
    told = [voter.stdout.readline() for _ in range(20)]
    voter.send_signal(signal.SIGKILL)
    told += voter.stdout.readlines()
    voter.wait()
    kept = [int(vote.item.clip) for vote in Votes(tmp_path).all()]
    # A vote may be kept that nobody was told of; none that somebody was told of may be missing.
    assert kept == list(range(len(kept)))
    assert len(told) <= len(kept) <= len(told) + 1


def test_mean_score() -> None:
    # Means 3, 4, 5: deviation 1, t(0.975; 2) = 4.302653, so 4.302653 / sqrt(3).
    score = mean_score([3.0, 4.0, 5.0])
    assert (score.mean, score.raters) == (4.0, 3)
    assert score.half == pytest.approx(2.484138, abs=1e-6)
    # Deviation sqrt(0.5), t(0.975; 1) = 12.706205: 12.706205 * sqrt(0.5) / sqrt(2).
    assert mean_score([2.0, 3.0]).half == pytest.approx(6.353102, abs=1e-6)
    assert mean_score([4.0] * 5).half == 0
    assert mean_score([4.0]).half is None


def test_results(tmp_path: Path) -> None:
    study, votes = named_study(tmp_path, 2, ["a", "b"], Plan(clips=2, raters=4)), Votes(tmp_path, create=True)

    def rate(rater: str, method: str, *scores: int) -> None:
        for clip, score in zip(("a", "b"), scores, strict=False):
            votes.add(rater, Item(method, clip), {**ALL_FIVE, "lip_sync": score})

    rate("x", "m0", 5, 3)
    rate("x", "m1", 1, 1)
    rate("y", "m0", 2, 4)
    rate("y", "m1", 2, 3)
    rate("z", "m0", 5)
    votes.add("z", Item("gone", "a"), ALL_FIVE)
    results = tally(study, votes.all())
    assert (results.votes, results.finished, results.begun, results.missing) == (9, 2, 1, 2)
    # m0: raters' means 4, 3, 5, not the mean of five votes (3.8).
    assert results.scores["m0"]["lip_sync"].mean == pytest.approx(4.0)
    assert results.scores["m0"]["lip_sync"].half == pytest.approx(2.484138, abs=1e-6)
    assert results.scores["m1"]["lip_sync"].mean == pytest.approx(1.75)
    assert results.scores["m1"]["realness"].half == 0
    text = as_markdown(results)
    assert "| m0 | 4.00 ± 2.48 | 5.00 ± 0.00 | 5.00 ± 0.00 | 3 |" in text
    assert "2 of 4 raters have finished, 2 still missing, and 1 under way (counted); 9 votes." in text
    assert "t-interval over raters" in text


def test_results_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "<img src=x>"
    study = named_study(tmp_path, 2, ["a"], Plan())
    (tmp_path / evil).mkdir()
    (tmp_path / evil / "a.mp4").touch()
    votes = Votes(tmp_path, create=True)
    assert main(["study", str(tmp_path), "--results"]) == 0
    assert "0 of 20 raters have finished, 20 still missing; 0 votes." in capsys.readouterr().out
    for method in (*study.methods, evil):
        votes.add("x", Item(method, "a"), ALL_FIVE)
    assert main(["study", str(tmp_path), "--results", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["finished"], found["missing"], found["votes"]) == (1, 19, 3)
    assert found["scores"]["m0"]["lip_sync"] == {"mean": 5.0, "half": None, "raters": 1}
    page = (tmp_path / "results.html").read_text()
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page
    assert page == as_page(tally(Study(tmp_path, Plan(), votes.secret), votes.all()))
