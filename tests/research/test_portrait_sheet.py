from itertools import pairwise

import numpy as np
import pytest
from flat_person import FRAMES, write_flat_person

from geneface.datasets.person import PersonDataset
from geneface.media.image import in_rows
from research import portrait_sheet
from research.key_poses import key_poses


@pytest.fixture
def data(tmp_path):
    write_flat_person(tmp_path)
    found = PersonDataset(tmp_path)
    lm3d = found.tracks["lm3d"].zero_()
    lm3d[:, 66, 1] = -0.5
    lm3d[7, 66, 1] = 0.0  # shut
    lm3d[3, 66, 1] = -2.0  # wide open
    blink = found.tracks["blink"].zero_()
    blink[12], blink[14] = 0.5, 1.0
    return found


def test_each_kind_is_found_where_it_is_best(data):
    phones = [("m", 0.24, 0.36), ("ɑ", 0.1, 0.14), ("f", 0.44, 0.48)]
    chosen = key_poses(data, np.zeros((68, 3)), range(FRAMES), phones)
    found = {key.label: key.frame for key in reversed(chosen)}
    assert found["mouth closed"] == 7 == found["p b m"]
    assert found["a"] == 3 and found["f v"] == 11
    assert found["blink half way"] == 12 and found["eyes closed"] == 14
    assert {"o u"}.isdisjoint(found)  # nobody said it
    for label in found:
        frames = sorted(key.frame for key in chosen if key.label == label)
        assert all(b - a > 5 for a, b in pairwise(frames))


def test_real_stands_above_generated(data, monkeypatch):
    side = data.frames.shape[1]
    monkeypatch.setattr(portrait_sheet, "WIDTH", side // 2)
    monkeypatch.setattr(portrait_sheet, "HEIGHT", side // 2)
    cell = np.zeros((2 * side, side, 3), np.uint8)
    assert in_rows([cell] * 7, portrait_sheet.COLUMNS).shape == (4 * side, 6 * side, 3)
    real, landmarks = data.frames[0], data.tracks["landmarks_2d"][0].float().numpy()
    shown = portrait_sheet.close_ups(real, 255 - real, landmarks)
    height = portrait_sheet.SCALE * side // 2
    assert shown.shape == (8 * height, portrait_sheet.SCALE * side // 2, 3)
    np.testing.assert_allclose(shown[:height], 255 - shown[height : 2 * height].astype(int), atol=2)
