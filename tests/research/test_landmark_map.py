import wave
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from geneface.datasets.corpus import Clip, Corpus, write_clips
from geneface.errors import InputError
from research.landmark_map import (
    CORPUS,
    PERSON,
    WITH,
    WITHOUT,
    Frames,
    about_means,
    frames_of,
    held_out,
    make_map,
    person_shares,
)
from research.landmark_picture import COLOURS, draw_map

PERSONS_REST = 2.0
"""cm"""


def write_sound(path: Path, frames: int, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(0, 3000, 640 * frames)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    rng = np.random.default_rng(0)
    clips = []
    for number in range(5):
        write_sound(folder / f"{number}.wav", 30, number)
        lm3d = torch.from_numpy(rng.normal(0, 0.1, (30, 68, 3)).astype(np.float32))
        save_file({"lm3d": lm3d}, folder / f"{number}.safetensors")
        split = "dev" if number else "train"
        clips.append(Clip(str(number), f"{number}.wav", 1.2, "s", split=split, lm3d=f"{number}.safetensors"))
    write_clips(folder, clips)
    return folder


@pytest.fixture
def person(tmp_path: Path) -> Path:
    folder = tmp_path / "person"
    folder.mkdir()
    lm3d = PERSONS_REST + np.random.default_rng(1).normal(0, 0.1, (60, 68, 3))
    save_file({"lm3d": torch.from_numpy(lm3d.astype(np.float32))}, folder / "tracks.safetensors")
    return folder


def test_map(tiny_pipeline: Any, person: Path, corpus: Path, tmp_path: Path) -> None:
    post_net = tiny_pipeline.post_net
    post_net.target_rest.fill_(PERSONS_REST)
    post_net.target_scale.fill_(0.1)
    target = tmp_path / "map.png"
    told = make_map(tiny_pipeline, person, [corpus], target, count=20, seed=3)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines()[2:]]
    assert [row[:3] for row in cells] == [
        [CORPUS, "20", "0.0%"],
        [PERSON, "20", "100.0%"],
        [WITHOUT, "20", "0.0%"],
        [WITH, "20", "100.0%"],
    ]
    assert np.asarray(Image.open(target)).shape[2] == 3
    assert make_map(tiny_pipeline, person, [corpus], tmp_path / "again.png", count=20, seed=3) == told
    assert (tmp_path / "again.png").read_bytes() == target.read_bytes()
    make_map(tiny_pipeline, person, [corpus], tmp_path / "other.png", count=20, seed=4)
    assert (tmp_path / "other.png").read_bytes() != target.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"map.png", "again.png", "other.png", "corpus", "person"}


def test_picture() -> None:
    rng = np.random.default_rng(0)
    names = (CORPUS, PERSON, WITHOUT, WITH)
    places = {name: rng.uniform(0, 1, (10, 2)) + np.array([2 * number, 0]) for number, name in enumerate(names)}
    picture = draw_map(places, dict.fromkeys(names, 0.5), 0)
    plot = picture[-900:]
    columns = [np.nonzero((np.abs(plot.astype(int) - colour) < 25).all(-1))[1] for colour in COLOURS]
    assert all(len(found) > 50 for found in columns)
    # Each set where it is, from the left to the right, and inside the frame.
    assert all(left.max() < right.min() for left, right in pairwise(columns))
    assert columns[0].min() > 28
    assert columns[-1].max() < picture.shape[1] - 28


def test_bad_input(tiny_pipeline: Any, person: Path, corpus: Path, tmp_path: Path) -> None:
    for name in ("map.jpg", "nowhere/map.png"):
        with pytest.raises(InputError, match="no place for a picture"):
            make_map(tiny_pipeline, person, [corpus], tmp_path / name)
    with pytest.raises(InputError, match="is not a person's dataset"):
        make_map(tiny_pipeline, corpus, [corpus], tmp_path / "map.png")
    with pytest.raises(InputError, match="corpus: 60 frames are too few for 61 points"):
        make_map(tiny_pipeline, person, [corpus], tmp_path / "map.png", count=61)
    with pytest.raises(InputError, match=r"has 1 clip\(s\) to look at; it takes 4"):
        write_clips(corpus, [Clip("1", "1.wav", 1.2, "s")])
        make_map(tiny_pipeline, person, [corpus], tmp_path / "map.png")
    assert not (tmp_path / "map.png").exists()


def test_only_what_was_not_trained_on(corpus: Path) -> None:
    whole = Corpus(corpus)
    assert [clip.name for clip in held_out(whole).clips] == ["1", "2", "3", "4"]
    assert len(held_out(whole.select(split="train"))) == 1


def test_frames_come_from_all_clips_and_have_no_eyes() -> None:
    clips = [np.full((length, 68, 3), float(length)) for length in (2, 50, 9)]
    for clip in clips:
        clip[:, 36:48] = np.nan
    found = frames_of(clips, 14, 0, "x")
    assert found.points.shape == (14, 56 * 3)
    assert np.isfinite(found.points).all()
    assert np.bincount(found.group).tolist() == [2, 6, 6]
    assert (found.points[:, 0] == np.array([2, 50, 9])[found.group]).all()


def test_shares() -> None:
    def frames(*values: float, group: list[int]) -> Frames:
        return Frames(np.array(values)[:, None], np.array(group))

    sets = {
        # The second frame's nearest is the first, of the same clip; of others it is the person's.
        CORPUS: frames(0.0, 2.0, -9.0, group=[0, 0, 1]),
        PERSON: frames(3.0, 20.0, 22.0, group=[0, 1, 2]),
        WITHOUT: frames(0.1, 2.4, -9.0, 2.6, group=[0, 0, 0, 0]),
        WITH: frames(19.0, 21.0, group=[0, 0]),
    }
    assert person_shares(sets) == {CORPUS: 2 / 3, PERSON: 2 / 3, WITHOUT: 0.25, WITH: 1.0}
    moved = about_means(sets)
    assert moved[CORPUS].points.mean() == pytest.approx(0)
    assert moved[WITHOUT].points[0, 0] == pytest.approx(0.1 + 7 / 3)
    assert moved[WITH].points[0, 0] == pytest.approx(4.0)
