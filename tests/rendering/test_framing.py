import numpy as np
import pytest
import torch

from geneface.errors import InputError
from geneface.options import SHAPES, GenerationOptions
from geneface.rendering.framing import Framing
from geneface.rendering.renderer import Rendering

BLACK = torch.zeros(1, 3, 64, 64)


@pytest.fixture
def renderer(tiny_pipeline):
    scene = tiny_pipeline.renderer.scene
    scene.background.copy_(torch.linspace(50, 200, 64).to(torch.uint8).view(1, 1, 64).expand(3, 64, 64))
    return tiny_pipeline.renderer


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ("1:1", None, (512, 512)),
        ("9:16", None, (512, 910)),
        ("16:9", 720, (1280, 720)),
        ("9:16", 1080, (1080, 1920)),
        ("16:9", 66, (118, 66)),
    ],
)
def test_size_is_the_shorter_side(shape: str, size: int | None, expected: tuple[int, int]) -> None:
    assert GenerationOptions(shape=shape, size=size).frame_size(512) == expected


def test_other_shapes_are_said() -> None:
    with pytest.raises(InputError, match=r"shape is '4:3'; it must be one of 1:1, 9:16, 16:9"):
        GenerationOptions(shape="4:3")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("background", [None, "#ff0000", "transparent"])
def test_frames_of_every_shape(tiny_pipeline, speech: np.ndarray, shape: str, background: str | None) -> None:
    arguments = {"seed": 1, "size": 64, "shape": shape, "background": background}
    frames = tiny_pipeline(speech[:3200], 16000, **arguments).frames
    width, height = GenerationOptions(size=64, shape=shape).frame_size(64)
    assert frames.shape == (5, height, width, 4 if background == "transparent" else 3)
    corner = frames[:, 0, 0].astype(float).mean(0)
    if background == "#ff0000" and shape != "1:1":
        np.testing.assert_allclose(corner, [255, 0, 0], atol=1)
    if background == "transparent" and shape != "1:1":
        assert corner[3] == 0


@pytest.mark.parametrize("shape", ["9:16", "16:9"])
def test_the_background_keeps_its_place_and_goes_on_without_an_edge(renderer, shape: str) -> None:
    framing = Framing(GenerationOptions(shape=shape, size=256), renderer)
    picture, alpha = framing(Rendering(BLACK, BLACK[:, :1]))
    assert alpha is None and picture.shape == (1, 3, framing.height, framing.width)
    row = picture[0, 0, framing.height // 2]
    middle = framing.width // 2
    assert row[middle] == pytest.approx(125 / 255, abs=0.02)
    step = framing.side // 8
    assert row[middle + step] - row[middle - step] == pytest.approx(0.25 * 150 / 255, abs=0.02)
    assert picture.diff(dim=3).abs().max() < 0.02 and picture.diff(dim=2).abs().max() < 0.02


@pytest.mark.parametrize("shape", ["9:16", "16:9"])
def test_the_person_stands_on_the_lower_edge_in_the_middle(renderer, shape: str) -> None:
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[:, :, 16:, 24:40] = 1
    framing = Framing(GenerationOptions(shape=shape, size=256, background="transparent"), renderer)
    colours, laid = framing(Rendering(alpha.expand(1, 3, 64, 64), alpha))
    seen = laid[0, 0] > 0.5
    rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
    assert rows.max() == framing.height - 1 and columns.min() + columns.max() + 1 == pytest.approx(
        framing.width, abs=2
    )
    assert columns.max() - columns.min() == pytest.approx(framing.side / 4, abs=2)
    assert rows.min() == pytest.approx(framing.top + framing.side / 4, abs=2)
    torch.testing.assert_close(colours[:, :1], laid)


def test_shoulders_do_not_end_in_an_upright_edge(renderer) -> None:
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[:, :, 40:] = 1
    framing = Framing(GenerationOptions(shape="16:9", size=256, background="transparent"), renderer)
    _, laid = framing(Rendering(alpha.expand(1, 3, 64, 64), alpha))
    heights = (laid[0, 0] > 0.5).sum(0)
    left, right = framing.left, framing.left + framing.side
    assert heights[left] == heights[right - 1] > 80
    assert (heights[:left].diff() >= 0).all() and (heights[right:].diff() <= 0).all()
    assert heights[left - 1] > heights[left] - 4 and heights[right] > heights[right - 1] - 4
    assert heights[0] == heights[-1] == 0, "they have fallen off before the picture ends"


def test_a_picture_fills_every_shape(renderer, tmp_path) -> None:
    """Its middle, without being stretched, from an array as from a file."""
    from PIL import Image

    stripes = np.zeros((90, 300, 3), np.uint8)
    stripes[:, 100:200] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    for background in (stripes, tmp_path / "stripes.png"):
        framing = Framing(GenerationOptions(shape="16:9", size=90, background=background), renderer)
        picture, _ = framing(Rendering(BLACK, BLACK[:, :1]))
        white = (picture[0, 0] > 0.5).sum(1)
        assert (white - 100).abs().max() <= 2
