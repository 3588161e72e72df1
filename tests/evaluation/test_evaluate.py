"""From drawn videos to figures, a report and the command's exit code; the detector and the parser are fakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from evaluation.drawn_faces import draw, drawn_tools, opening_curve, write_face

from geneface.cli import main
from geneface.errors import InputError
from geneface.evaluation.clips import plan_clips
from geneface.evaluation.evaluate import Evaluation, evaluate
from geneface.evaluation.key_frames import KeyFrame, key_frames
from geneface.evaluation.measures import MEASURES
from geneface.evaluation.page import ClipPage, html_page
from geneface.evaluation.report import as_json, check_report, write_report
from geneface.evaluation.table import Cell, Row, Table, as_text, make_table

FRAMES = 50


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).normal(size=70 * 640)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sound: np.ndarray) -> Path:
    """METHODS with a reference of two clips, and four methods."""
    folder = tmp_path_factory.mktemp("methods")
    curve, other = opening_curve(70), opening_curve(26, 1)
    voice, second = sound[: FRAMES * 640], sound[20 * 640 : 46 * 640]
    write_face(folder / "reference" / "one.mp4", curve[10:60], sound[10 * 640 : 60 * 640])
    write_face(folder / "reference" / "two.mp4", other, second)
    write_face(folder / "same" / "one.mp4", curve[10:60], sound[10 * 640 : 60 * 640])
    write_face(folder / "same" / "two.mp4", other, second)
    write_face(folder / "late" / "one.mp4", curve[7:57], sound[10 * 640 : 60 * 640])
    write_face(folder / "early" / "one.mp4", curve[:FRAMES], voice)
    write_face(folder / "frozen" / "one.mp4", [20.0] * 26, side=192)
    write_face(folder / "frozen" / "stray.mp4", [20.0] * 3)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Evaluation:
    return evaluate(folder / "reference", folder, tools=drawn_tools())


def test_clips_are_matched_by_name(folder: Path) -> None:
    plan = plan_clips(folder / "reference", folder)
    assert {method: list(clips) for method, clips in plan.methods.items()} == {
        "early": ["one"],
        "frozen": ["one"],
        "late": ["one"],
        "same": ["one", "two"],
    }
    assert "frozen: no reference for stray, which is left out" in plan.notes
    assert "late: has no two; its figures are those of the other clips" in plan.notes
    single = plan_clips(folder / "reference" / "one.mp4", folder / "late" / "one.mp4")
    assert list(single.methods) == ["generated"] and list(single.reference) == ["one"]
    assert list(plan_clips(folder / "reference", folder / "same").methods) == ["same"]


def test_what_cannot_be_matched_is_said_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        plan_clips(folder / "reference", folder / "nothing")
    with pytest.raises(InputError, match="a folder and a file"):
        plan_clips(folder / "reference", folder / "late" / "one.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no videos"):
        plan_clips(folder / "reference", tmp_path / "empty")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "other.mp4").touch()
    with pytest.raises(InputError, match="has the name of one"):
        plan_clips(folder / "reference", tmp_path / "a")
    (tmp_path / "a" / "other.avi").touch()
    with pytest.raises(InputError, match="both named other"):
        plan_clips(folder / "reference", tmp_path / "a")
    (tmp_path / "a" / "other.avi").unlink()
    (tmp_path / "top.mp4").touch()
    with pytest.raises(InputError, match="and also folders of videos"):
        plan_clips(folder / "reference", tmp_path)


def test_a_copy_is_perfect(found: Evaluation) -> None:
    figures = {key: value.mean for key, value in found.overall("same").items()}
    for region in ("frame", "head", "mouth"):
        assert figures[f"psnr_{region}"] == float("inf")
        assert figures[f"ssim_{region}"] == pytest.approx(1.0) == figures[f"ms_ssim_{region}"]
    assert figures["lmd_lips"] == figures["lmd_face"] == figures["nlmd_lips"] == figures["opening_lag"] == 0.0
    assert figures["flicker"] == 0.0
    assert figures["opening_r"] == pytest.approx(1.0) == figures["opening_spread"] == figures["seam"]


def test_a_picture_three_frames_late_is_found_so(found: Evaluation) -> None:
    late = found.rows["late"]["one"]
    assert late.figures["opening_lag"].mean == 3
    assert late.alignment is not None and late.alignment.shift == 0 and late.frames == FRAMES
    assert late.figures["opening_r"].mean < 0.9 and late.figures["lmd_lips"].mean > 0
    assert late.figures["psnr_mouth"].mean < late.figures["psnr_frame"].mean < 60
    assert late.figures["psnr_mouth"].low < late.figures["psnr_mouth"].mean < late.figures["psnr_mouth"].high


def test_a_video_cut_elsewhere_is_moved_by_its_sound(found: Evaluation) -> None:
    early = found.rows["early"]["one"]
    assert early.alignment is not None and early.alignment.shift == -10 and early.frames == FRAMES - 10
    assert early.alignment.sound_offset == pytest.approx(-0.4, abs=0.01)
    assert early.figures["opening_lag"].mean == 0 and early.figures["opening_r"].mean > 0.99
    assert early.figures["lmd_lips"].mean < 0.5 and early.figures["psnr_frame"].mean > 40
    assert any("moved by -10 frames" in note for note in found.notes)


def test_a_frozen_mouth_is_called_frozen(found: Evaluation) -> None:
    notes = found.rows["frozen"]["one"].notes
    assert any("frozen" in note for note in notes)
    assert found.rows["frozen"]["one"].figures["flicker"].mean < 0
    assert any("192x192 pixels, resampled" in note for note in notes)
    assert any("not both have sound" in note for note in notes)
    assert found.rows["frozen"]["one"].figures["opening_spread"].mean < 0.05
    assert not any("frozen" in note for name in ("same", "late") for note in found.rows[name]["one"].notes)


def test_what_cannot_be_had_is_missing_and_says_why(found: Evaluation) -> None:
    assert {"fid", "lpips", "syncnet_confidence", "lm3d_error", "jitter"} <= found.missing.keys()
    assert found.missing["lm3d_error"] == "needs a face model" == found.missing["sync_expert_confidence"]
    figures = found.overall("same").keys()
    assert figures | found.missing.keys() == {measure.key for measure in MEASURES}
    assert not figures & found.missing.keys()


def test_networks_look_at_some_frames_and_give_their_figures(folder: Path) -> None:
    class Networks:
        looked = 0

        def distance(self, real: np.ndarray, made: np.ndarray) -> float:
            self.looked += 1
            return float(np.abs(real.astype(int) - made).mean())

        def features(self, picture: np.ndarray) -> np.ndarray:
            return np.resize(picture[::64, ::64].astype(np.float32), 2048)

    networks = Networks()
    videos = folder / "reference" / "two.mp4", folder / "frozen" / "one.mp4"
    found = evaluate(*videos, tools=drawn_tools(lpips=networks, inception=networks))
    [figures] = [found.overall(row) for row in found.rows if row != "reference"]
    assert figures["lpips"].mean > 0 and networks.looked == 6
    assert figures["fid"].mean > 0 and "fid" not in found.missing and "lpips" not in found.missing


def test_other_frame_rates_are_compared_at_25(folder: Path, tmp_path: Path) -> None:
    twice = write_face(tmp_path / "twice.mp4", np.repeat(opening_curve(26, 1), 2), fps=50)
    found = evaluate(folder / "reference" / "two.mp4", twice, tools=drawn_tools())
    result = found.rows["twice"]["two"]
    assert result.frames == 26 and result.figures["opening_r"].mean > 0.99
    assert any("50 frames/s" in note for note in result.notes)
    assert found.interval == "blocks of 0.2 s of the one clip"


def test_videos_that_cannot_be_compared_are_refused(folder: Path, tmp_path: Path) -> None:
    real = folder / "reference" / "one.mp4"
    from geneface.media.video import VideoWriter

    def write(name: str, frames: np.ndarray) -> Path:
        with VideoWriter(tmp_path / name, frames.shape[2:0:-1]) as writer:
            writer.write(frames)
        return tmp_path / name

    blank = np.zeros((30, 64, 64, 3), np.uint8)
    with pytest.raises(InputError, match="no face"):
        evaluate(real, write("blank.mp4", blank), tools=drawn_tools())
    wide = np.pad(np.stack([draw(20, 256)] * 30), ((0, 0), (0, 0), (0, 128), (0, 0)))[:, 40:]
    wide[:, 100:140, 180:210] = (20, 20, 220)
    with pytest.raises(InputError, match="do not show the same part"):
        evaluate(real, write("wide.mp4", wide), tools=drawn_tools())
    with pytest.raises(InputError, match="1 s is needed"):
        evaluate(real, write("short.mp4", np.stack([draw(20, 256)] * 9)), tools=drawn_tools())


def test_tables_show_the_best_and_the_interval(found: Evaluation) -> None:
    table = make_table(found, "one")
    assert table.columns == ("reference", "early", "frozen", "late", "same")
    rows = {row.title: row for rows in table.groups.values() for row in rows}
    assert [cell.best for cell in rows["PSNR, mouth"].cells] == [False, False, False, False, True]
    assert rows["PSNR, mouth"].cells[4].value == "∞" and rows["FID"].missing.startswith("needs")
    assert rows["its lag (frames)"].cells[3].value == "3"
    text = as_text(table)
    assert "IMAGE QUALITY" in text and "FID: needs" in text and " to " in text


def test_the_json_is_strict_and_complete(found: Evaluation) -> None:
    content = json.loads(as_json(found), parse_constant=lambda name: pytest.fail(name))
    assert content["overall"]["same"]["psnr_frame"]["mean"] == "inf"
    assert content["clips"]["one"]["early"]["alignment"]["shift_frames"] == -10
    assert content["missing"]["fid"].startswith("needs") and content["measures"]["fid"]["title"] == "FID"


def test_the_report_shows_everything_and_needs_nothing_from_elsewhere(found: Evaluation, tmp_path: Path) -> None:
    report = write_report(found, tmp_path / "report")
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    for name in ("videos/0.mp4", "videos/1.mp4", "videos/0.webp"):
        assert name in page and (report / name).stat().st_size > 1000
    pictures = list((report / "pictures").glob("*.webp"))
    assert len(pictures) >= 8 * 5 and all(f"pictures/{path.name}" in page for path in pictures)
    assert page.count("<svg") == 5
    markdown = (report / "report.md").read_text(encoding="utf-8")
    assert "## Published figures" in markdown and "| AD-NeRF | 27.52 |" in markdown and "Published in Table 1" in page
    assert json.loads((report / "report.json").read_text(encoding="utf-8"))["overall"].keys() == found.rows.keys()
    check_report(report)  # its own report may be replaced, nothing else
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("dear")
    with pytest.raises(InputError, match="is no report"):
        write_report(found, tmp_path / "thesis")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_names_cannot_break_out_of_the_page() -> None:
    bad = "<script>alert(1)</script>"
    table = Table((bad,), {bad: (Row(bad, bad, (Cell("1"),)), Row(bad, "", (Cell(),), bad))})
    clip = ClipPage(bad, [bad], bad, bad, {bad: "<svg></svg>"}, [KeyFrame(0, bad)], [[bad]], table, bad)
    assert "<script" not in html_page(bad, [bad], table, [clip], [bad])


def test_key_frames_are_phonemes_where_they_are_known(tmp_path: Path) -> None:
    opening = opening_curve(80)
    chosen = key_frames(tmp_path / "one.mp4", opening)
    assert [key.label for key in chosen] == ["open", "shut"] * 4
    assert chosen[0].frame == int(np.argmax(opening[:10])) and chosen[1].frame == 10 + int(np.argmin(opening[10:20]))
    phones = [["sil", 0.0, 0.1], ["m", 0.1, 0.2], ["a", 0.2, 0.4], ["f", 1.0, 1.1]]
    (tmp_path / "one.phones.json").write_text(json.dumps(phones))
    assert key_frames(tmp_path / "one.mp4", opening) == [(7, "/a/"), (26, "/f/")]
    (tmp_path / "one.phones.json").write_text("[1]")
    with pytest.raises(InputError, match="not a list of"):
        key_frames(tmp_path / "one.mp4", opening)


def test_the_command_refuses_before_it_works(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "thesis.txt").write_text("dear")
    assert main(["evaluate", str(folder), str(folder), "-o", str(tmp_path)]) == 2
    assert "is no report" in capsys.readouterr().err


def test_the_command_prints_figures(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("geneface.evaluation.evaluate.open_tools", lambda folder: drawn_tools())
    videos = [str(folder / "reference" / "two.mp4"), str(folder / "same" / "two.mp4")]
    assert main(["evaluate", *videos, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["overall"]["generated"]["opening_lag"]["mean"] == 0
    assert "note: generated, two: 256x256" in printed.err


def test_sound_and_picture_out_of_step_are_reported(folder: Path) -> None:
    class Judge:
        def expects(self, samples: np.ndarray) -> np.ndarray:
            return opening_curve(70)[7 : 7 + len(samples) // 640]

    real = folder / "reference" / "one.mp4"
    found = evaluate(real, folder / "same" / "one.mp4", tools=drawn_tools(judge=Judge()))
    told = found.to_json()["clips"]["one"]["reference"]["sound_and_picture"]
    assert told["offset_frames"] == 3 and told["sure"]
    assert any("the picture is 3 frames early" in note for note in found.notes)
    assert "sound_and_picture" not in evaluate(real, real, tools=drawn_tools()).to_json()["clips"]["one"]["reference"]
