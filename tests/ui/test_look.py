from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake_pipeline import FakePipeline
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pages import start_page

from geneface.media.image import read_image
from geneface.media.video import probe
from geneface.ui.turn import turned, turned_heads


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("person")
    demo = start_page(FakePipeline(), {"grey": folder, "dark_grey": folder})
    yield Client(demo.local_url, verbose=False)
    demo.close()


@pytest.mark.parametrize(("shown", "height"), [("take", 556), ("landmarks", 556), ("both", 1068)])
def test_compare(client: Client, speech_wav: Path, shown: str, height: int) -> None:
    answer: Any = client.predict(
        audio=handle_file(speech_wav), shown=shown, left="grey", right="dark_grey", api_name="/compare"
    )
    info = probe(answer["video"] if isinstance(answer, dict) else answer)
    assert (info.width, info.height, info.video_seconds) == (1024, height, 2.0)


def test_compare_mistakes_are_sentences(client: Client, speech_wav: Path) -> None:
    with pytest.raises(AppError, match="There is no voice yet"):
        client.predict(audio=None, api_name="/compare")
    with pytest.raises(AppError, match="not in the list of choices"):
        client.predict(audio=handle_file(speech_wav), left="nobody", api_name="/compare")


def test_turn(client: Client) -> None:
    pictures = [
        read_image(path["path"] if isinstance(path, dict) else path).astype(int)
        for path in (client.predict(person="grey", yaw=yaw, pitch=0, api_name="/turn") for yaw in (-9, 9))
    ]
    assert np.abs(pictures[0] - pictures[1]).mean() > 10


def test_turning_is_a_rotation_in_the_heads_frame() -> None:
    pose = torch.tensor([[1.0, 0, 0, 1], [0, -1, 0, 2], [0, 0, -1, 90]])
    nose = torch.tensor([0.0, 0, 10])
    looks = turned(pose, 8, 0)
    assert torch.allclose(looks[:, :3] @ looks[:, :3].T, torch.eye(3), atol=1e-6)
    assert (looks[:, :3] @ nose)[0] > 1, "to the picture's right"
    assert (turned(pose, 0, 5)[:, :3] @ nose)[1] > 0.5, "down"
    assert torch.equal(looks[:, 3], pose[:, 3])


def test_heads_of_a_real_pipeline(tiny_pipeline) -> None:
    heads = turned_heads(tiny_pipeline, [(-5, 0), (0, 0), (5, 3)])
    assert heads.shape == (3, 64, 64, 3) and heads.dtype == np.uint8
    assert not np.array_equal(heads[0], heads[2])
    closed = turned_heads(tiny_pipeline, [(0, 0)], closed_eyes=True)
    assert closed.shape == (1, 64, 64, 3)
