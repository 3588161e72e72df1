from pathlib import Path

import pytest
from flat_person import write_flat_person

from geneface.datasets.person import BLOCKS, PersonDataset, split_ranges
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


def test_the_most_turned_frames_can_be_held_out(tmp_path: Path) -> None:
    write_flat_person(tmp_path)
    data, usual = PersonDataset(tmp_path, "turned"), PersonDataset(tmp_path)
    assert sorted([*data.train, *data.split("dev"), *data.split("test")]) == list(range(len(data)))
    assert [len(data.split(name)) for name in ("train", "dev", "test")] == [
        len(usual.split(name)) for name in ("train", "dev", "test")
    ]
    yaw = data.tracks["pose"][:, 0, 2].abs()
    assert yaw[data.split("test")].min() > yaw[list(data.train)].max() - 1e-3
