import numpy as np
import pytest

from geneface.errors import InputError
from geneface.face.crop import SIZE, Crop, choose_crop, cut_out, face_box, fits
from geneface.face.eyes import eye_closure
from geneface.face.parsing import BACKGROUND, HEAD, TORSO, to_mask


def boxes(left: float, top: float, width: float, height: float, count: int = 20) -> np.ndarray:
    return np.tile([left, top, left + width, top + height], (count, 1)).astype(float)


def test_the_square_holds_the_face_and_lies_in_the_picture() -> None:
    crop = choose_crop(boxes(900, 300, 180, 200), 1920, 1080)
    assert crop.side == pytest.approx(500)
    assert crop.left < 900 and crop.left + crop.side > 1080 and 0 <= crop.top < 300
    corner = choose_crop(boxes(0, 0, 180, 200), 1920, 1080)
    assert corner.left == 0 and corner.top == 0
    assert choose_crop(boxes(100, 100, 500, 600), 640, 720).side == 640


def test_the_square_holds_all_places_but_no_stray_box() -> None:
    moving = boxes(800, 300, 180, 200, 100)
    moving[:, [0, 2]] += np.linspace(0, 300, 100)[:, None]
    wide = choose_crop(moving, 1920, 1080)
    assert wide.side > 700 and wide.left < 800 and wide.left + wide.side > 1280
    stray = boxes(800, 300, 180, 200, 100)
    stray[7] = [0, 0, 50, 50]
    assert choose_crop(stray, 1920, 1080) == choose_crop(boxes(800, 300, 180, 200, 100), 1920, 1080)


def test_a_small_face_is_refused() -> None:
    with pytest.raises(InputError, match="too small: 40 pixels"):
        choose_crop(boxes(300, 200, 35, 40), 640, 480)


def test_what_is_a_crop_already() -> None:
    assert fits(boxes(150, 180, 200, 210), 512, 512)
    assert not fits(boxes(150, 180, 200, 210), 512, 514)
    assert not fits(boxes(150, 180, 40, 45), 512, 512), "face too small"
    assert not fits(boxes(-5, 180, 200, 210), 512, 512), "face cut off"


def test_cutting_keeps_pixels_of_a_square_of_the_same_size() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (600, 700, 3), dtype=np.uint8)
    assert (cut_out(picture, Crop(20, 30, SIZE)) == picture[30 : 30 + SIZE, 20 : 20 + SIZE]).all()
    assert Crop(20, 30, 100).scaled(0.5).box == (10, 15, 60, 65)


def test_face_box_spans_the_points() -> None:
    points = np.zeros((68, 3))
    points[3], points[9] = [5, 7, 1], [-2, 9, 1]
    assert face_box(points).tolist() == [-2, 0, 5, 9]


def test_a_mask_is_one_person_without_holes() -> None:
    shares = np.zeros((128, 128, 2), np.float32)
    shares[20:60, 40:80, 0] = 1
    shares[60:128, 20:100, 1] = 1
    shares[30:33, 50:53] = 0
    shares[5:10, 110:120, 1] = 1
    mask = to_mask(shares)
    assert mask[31, 51] == HEAD and mask[40, 60] == HEAD and mask[90, 60] == TORSO
    assert mask[7, 115] == BACKGROUND, "another person's sleeve"
    assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1, 2}


def test_neighbours_steady_a_mask() -> None:
    usual, odd = np.zeros((128, 128, 2), np.float32), np.zeros((128, 128, 2), np.float32)
    usual[40:80, 40:80, 0] = odd[40:80, 40:80, 0] = 1
    odd[80:100, 40:80, 1] = 1
    assert (to_mask(usual, odd, usual) == to_mask(usual)).all()


def test_eyes_shut_in_a_blink_and_only_then() -> None:
    landmarks = np.zeros((100, 68, 2))
    opening = np.full(100, 3.0)
    opening[50:53] = [1.5, 0.7, 2.0]
    for eye in (36, 42):
        landmarks[:, eye + 3, 0] = 10
        for upper, lower in ((1, 5), (2, 4)):
            landmarks[:, [eye + upper, eye + lower], 0] = 2.0 * upper
            landmarks[:, eye + lower, 1] = opening
    closure = eye_closure(landmarks, range(80))
    assert closure.dtype == np.float32
    assert closure[51] == 1 and 0.5 < closure[50] < 1 and closure[:50].max() == 0
