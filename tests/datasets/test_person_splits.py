import pytest

from geneface.datasets.person import BLOCKS, split_ranges
from geneface.errors import InputError


def frames_of(frames: int, split: str, block: int | None) -> list[int]:
    return [frame for part in split_ranges(frames, split, block) for frame in part]


def test_without_a_block_it_is_80_10_10() -> None:
    assert [split_ranges(50, split) for split in ("train", "dev", "test")] == [
        [range(40)],
        [range(40, 45)],
        [range(45, 50)],
    ]


@pytest.mark.parametrize("frames", [500, 123])
def test_every_frame_is_held_out_once_and_no_part_overlaps(frames: int) -> None:
    tested = []
    for block in range(BLOCKS):
        parts = {split: frames_of(frames, split, block) for split in ("train", "dev", "test")}
        assert sorted(parts["train"] + parts["dev"] + parts["test"]) == list(range(frames))
        assert 0.68 < len(parts["train"]) / frames < 0.72
        assert len(split_ranges(frames, "test", block)) == len(split_ranges(frames, "dev", block)) == 1
        tested += parts["test"]
    assert tested == list(range(frames))


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(InputError, match="0 to 4"):
        split_ranges(100, "train", 5)
