from pathlib import Path

from geneface.training.loop import Loop, LoopConfig


def test_two_trainings_of_different_precision_in_one_process(tmp_path: Path) -> None:
    for precision in ("bf16", "no"):
        loop = Loop(LoopConfig(str(tmp_path), mixed_precision=precision, cpu=True))
        assert loop.accelerator.mixed_precision == precision
