"""The longest step of preprocessing goes on in the middle, and ends as if it had never been interrupted."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from geneface.datasets.rows import map_rows
from geneface.face.parsing import FaceParser
from geneface.preprocessing import preprocess_steps
from geneface.preprocessing.preprocess_steps import GROWN_MASKS, _masks
from geneface.preprocessing.progress import StepProgress

PICTURES = [np.full((8, 8, 3), index, np.uint8) for index in range(30)]


class Parser(FaceParser):
    """Knows nothing; like the real one, its masks depend on the neighbours."""

    looked: int = 0
    dies_at = -1

    def __init__(self, model: Path) -> None:
        pass

    def shares(self, picture: np.ndarray) -> np.ndarray:
        if Parser.looked == Parser.dies_at:
            raise KeyboardInterrupt
        Parser.looked += 1
        random = np.random.default_rng(int(picture[0, 0, 0]))
        return random.random((128, 128, 2), np.float32)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(preprocess_steps, "FaceParser", Parser)

    def frames() -> Iterator[np.ndarray]:
        yield from PICTURES

    asked: Any = SimpleNamespace(
        work=tmp_path, progress=StepProgress(), frames=frames, asset=lambda asset: tmp_path,
        scan=lambda: SimpleNamespace(frames=len(PICTURES)),
    )  # fmt: skip
    return asked


def made(job: Any, name: str, dies: Iterable[int] = ()) -> np.ndarray:
    for number in dies:
        Parser.looked, Parser.dies_at = 0, number
        with pytest.raises(KeyboardInterrupt):
            _masks(job, job.work / name)
    Parser.looked, Parser.dies_at = 0, -1
    _masks(job, job.work / name)
    return np.array(map_rows(job.work / name))


@pytest.mark.parametrize("dies", [[0], [1], [2], [12], [29], [5, 5, 5, 5, 5]])
def test_masks_go_on_where_they_were(job: Any, dies: list[int]) -> None:
    whole = made(job, "whole.safetensors")
    (job.work / GROWN_MASKS).unlink()
    assert np.array_equal(made(job, "again.safetensors", dies), whole)
    assert Parser.looked <= len(PICTURES) - sum(max(number - 3, 0) for number in dies) + 2, (
        "what was done is not done again"
    )


def test_half_a_mask_is_made_again(job: Any) -> None:
    whole = made(job, "whole.safetensors")
    with (job.work / GROWN_MASKS).open("r+b") as file:
        file.truncate(10 * 128 * 128 + 77)
    assert np.array_equal(made(job, "again.safetensors"), whole) and Parser.looked == 21
