import time

import numpy as np
import pytest

from geneface.media.mark import Mark


@pytest.mark.parametrize("side", [64, 128, 256, 512, 1024])
@pytest.mark.parametrize("shade", [0, 127, 255])
def test_readable_on_light_and_dark(side: int, shade: int) -> None:
    mark = Mark(side, side)
    marked = np.full((2, side, side, 3), shade, np.uint8)
    mark.draw(marked)
    rows, columns = mark.area
    label = marked[0, rows, columns].astype(int)
    # WCAG's contrast of the letters to the ground they stand on.
    ground, letters = np.median(label), label.max()
    luminance = [(value / 255) ** 2.2 for value in (ground, letters)]
    assert (luminance[1] + 0.05) / (luminance[0] + 0.05) > 4.5
    marked[:, rows, columns] = shade
    assert (marked == shade).all(), "only the label's place is changed"


@pytest.mark.parametrize("side", [64, 128, 256, 512, 1024])
def test_the_face_is_left_alone(side: int) -> None:
    mark = Mark(side, side)
    rows, columns = mark.area
    assert 0 < rows.start < rows.stop <= max(0.18 * side, 21)
    assert 0 < columns.start < columns.stop < 0.65 * side


def test_wide_and_high_frames() -> None:
    for width, height in ((640, 360), (360, 640)):
        marked = np.zeros((1, height, width, 3), np.uint8)
        Mark(width, height).draw(marked)
        assert marked.max() > 200


def test_on_transparent_frames_the_label_is_seen() -> None:
    mark = Mark(256, 256)
    frames = np.zeros((1, 256, 256, 4), np.uint8)
    mark.draw(frames)
    marked = frames[0]
    rows, columns = mark.area
    label = marked[rows, columns]
    assert label[..., 3].max() > 230
    assert label[label[..., 3] > 230][:, :3].min() > 200, "letters are white"
    assert 130 < np.median(label[..., 3]) < 170
    marked[rows, columns] = 0
    assert not marked.any()
    opaque, without_alpha = np.full((1, 256, 256, 4), 90, np.uint8), np.full((1, 256, 256, 3), 90, np.uint8)
    opaque[..., 3] = 255
    mark.draw(opaque)
    mark.draw(without_alpha)
    np.testing.assert_allclose(opaque[..., :3], without_alpha, atol=1)
    assert (opaque[..., 3] == 255).all()


def test_it_takes_less_than_a_millisecond() -> None:
    mark, frames = Mark(512, 512), np.zeros((8, 512, 512, 3), np.uint8)

    def once() -> float:
        start = time.perf_counter()
        mark.draw(frames)
        return (time.perf_counter() - start) / len(frames)

    assert min(once() for _ in range(20)) < 1e-3
