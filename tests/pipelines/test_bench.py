import json

from geneface.cli import main
from geneface.pipelines.bench import as_table, run_bench

FIGURES = (
    "render_fps",
    "features_x",
    "motion_x",
    "encode_fps",
    "end_to_end_fps",
    "end_to_end_x",
    "first_frame_s",
    "peak_memory_mb",
)


def test_every_figure_is_measured(tiny_pipeline):
    report = run_bench(tiny_pipeline, seconds=1.2, runs=1)
    assert all(getattr(report, name) > 0 for name in FIGURES)
    assert report.size == 64 and report.seconds_of_audio == 1.2 and report.device == "cpu"
    assert abs(report.end_to_end_x - report.end_to_end_fps / 25) < 0.1
    assert "times" not in as_table(report) and "frames/s" in as_table(report)


def test_command_prints_json(tiny_bundle, capsys):
    assert main(["bench", "--person", str(tiny_bundle), "--seconds", "1", "--runs", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seconds_of_audio"] == 1


def test_a_length_that_cannot_be_measured(tiny_bundle, capsys):
    assert main(["bench", "--person", str(tiny_bundle), "--seconds", "0"]) == 2
    assert "seconds" in capsys.readouterr().err
