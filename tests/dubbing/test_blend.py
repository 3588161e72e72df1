"""A rendered mouth in a real picture: the region alone is changed, its light fits, and a hand before it stays."""

import numpy as np
import pytest
import torch
from drawn_person import FOCAL, mean_landmarks

from geneface.dubbing.blend import Blender, blur
from geneface.face.crop import SIZE, Crop

POINTS = mean_landmarks()[:, :2] * (1, -1) * FOCAL / 70 + SIZE / 2
CROP = Crop(300.0, 40.0, 640.0)
SHAPE = (720, 1280, 3)


def rendered(mouth: float) -> torch.Tensor:
    """A grey face with stripes, whose mouth has a grey of its own."""
    y, x = np.mgrid[:SIZE, :SIZE]
    face = 0.5 + 0.05 * np.sin(x / 15)
    away = ((x - POINTS[60:, 0].mean()) / 30) ** 2 + ((y - POINTS[60:, 1].mean()) / 14) ** 2
    face += (mouth - face) * np.clip(1.5 - away, 0, 1)
    return torch.from_numpy(face).float().expand(3, -1, -1)


@pytest.fixture
def source() -> np.ndarray:
    """The same face in a larger picture of noise, a little brighter."""
    picture = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    rows, columns = (slice(int(start), int(start + CROP.side)) for start in (CROP.top, CROP.left))
    large = torch.nn.functional.interpolate(rendered(0.2)[None] + 0.06, size=(640, 640), mode="bilinear")
    picture[rows, columns] = (large[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return picture


def of_square(picture: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The pixel at a place of the square."""
    x, y = CROP.left + place[0] * CROP.side / SIZE, CROP.top + place[1] * CROP.side / SIZE
    return picture[int(y), int(x)].astype(int)


def test_only_the_lower_face_changes(source: np.ndarray) -> None:
    made = Blender(CROP).blend(source, rendered(0.2), rendered(0.8), (POINTS, POINTS))
    changed = (made != source).any(-1)
    top, bottom = (CROP.top + POINTS[point, 1] * CROP.side / SIZE for point in (30, 8))
    assert changed.any() and not changed[: int(top)].any() and not changed[int(bottom) + 60 :].any()
    assert of_square(made, POINTS[60:].mean(0)) == pytest.approx([round(0.86 * 255)] * 3, abs=6)


def test_light_is_carried_over_so_that_no_edge_is_seen(source: np.ndarray) -> None:
    made = Blender(CROP).blend(source, rendered(0.2), rendered(0.2), (POINTS, POINTS))
    assert np.abs(made.astype(int) - source).max() <= 6


def test_what_lies_before_the_face_stays(source: np.ndarray) -> None:
    hand = source.copy()
    x = int(CROP.left + POINTS[10, 0] * CROP.side / SIZE)
    hand[:, x - 60 : x + 60] = (20, 200, 60)
    made = Blender(CROP).blend(hand, rendered(0.2), rendered(0.8), (POINTS, POINTS))
    place = POINTS[10] * 0.8 + POINTS[33] * 0.2
    assert np.abs(of_square(made, place) - of_square(hand, place)).max() <= 12
    assert np.abs(of_square(made, POINTS[60:].mean(0)) - of_square(hand, POINTS[60:].mean(0))).min() > 60


def test_a_mouth_behind_a_hand_stays_as_it_is(source: np.ndarray) -> None:
    source[:] = (20, 200, 60)
    made = Blender(CROP).blend(source, rendered(0.2), rendered(0.8), (POINTS, POINTS))
    assert (made == source).all()


@pytest.mark.parametrize("sigma", [2.0, 14.0])
def test_blur_keeps_what_is_even(sigma: float) -> None:
    spot = torch.zeros(1, 1, 128, 128)
    spot[..., 64, 64] = 1
    assert float(blur(torch.ones(1, 3, 64, 64), sigma).sub(1).abs().max()) < 1e-5
    assert float(blur(spot, sigma).sum()) == pytest.approx(1, abs=0.05)
    assert float(blur(spot, sigma).max()) == pytest.approx(1 / (2 * np.pi * sigma**2), rel=0.25)
