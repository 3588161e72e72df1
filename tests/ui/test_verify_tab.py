from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from geneface.media.provenance import Provenance, read_provenance
from geneface.media.video import VideoReader
from geneface.media.watermark import video_number
from geneface.pipelines.generate import generate_video
from geneface.ui.demo import launch_options
from geneface.ui.verify import build_verify, verdict_card
from research.watermark_changes import encode


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tab("Verify"):
        build_verify()
    demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", **launch_options())
    yield Client(demo.local_url, verbose=False)
    demo.close()


@pytest.fixture
def video(tiny_pipeline: Any, speech: np.ndarray, tmp_path: Path) -> Path:
    return generate_video(tiny_pipeline, speech[:16000], tmp_path / "v.mp4", sampling_rate=16000, seed=5).path


def test_verify_by_api(client: Client, video: Path) -> None:
    report = client.predict(video=handle_file(video), api_name="/verify")
    assert report["headline"] == "AI-generated, and unaltered since it was signed"
    assert (report["state"], report["altered"], report["person"]) == ("valid", False, "tiny")
    assert report["settings"] == {"seed": 5, "visible_mark": True}
    content = bytearray(video.read_bytes())
    content[-1] ^= 1
    video.write_bytes(content)
    report = client.predict(video=handle_file(video), api_name="/verify")
    assert (report["state"], report["altered"]) == ("invalid", True)


def test_the_watermark_by_api_and_on_the_card(
    client: Client, tiny_pipeline: Any, speech: np.ndarray, tmp_path: Path
) -> None:
    made = generate_video(
        tiny_pipeline, speech[:16000], tmp_path / "v.mp4", sampling_rate=16000, seed=5, size=256
    ).path
    with VideoReader(made) as reader:
        encode(reader, tmp_path / "copy.mp4", 23, 25)
    report = client.predict(video=handle_file(tmp_path / "copy.mp4"), api_name="/verify")
    number = f"{video_number('tiny', 5):08x}"
    assert (report["state"], report["watermark"]["number"]) == ("none", number)
    assert report["headline"] == "AI-generated with GeneFace, by its watermark; no Content Credentials"
    card = verdict_card(Provenance("none"), report["watermark_words"], marked=True)
    assert f"<dt>Watermark</dt><dd>GeneFace&#x27;s, number {number} (" in card


def test_bad_videos_are_told_in_sentences(client: Client, tmp_path: Path) -> None:
    (tmp_path / "t.mp4").write_text("no video")
    with pytest.raises(AppError, match="The video cannot be read as a video") as caught:
        client.predict(video=handle_file(tmp_path / "t.mp4"), api_name="/verify")
    assert "/gradio/" not in str(caught.value)
    with pytest.raises(AppError, match="There is no video yet"):
        client.predict(video=None, api_name="/verify")


def test_api_is_documented(client: Client) -> None:
    api = client.view_api(return_format="dict")["named_endpoints"]
    assert list(api) == ["/verify"]
    assert "Content Credentials" in api["/verify"]["description"]
    assert [parameter["parameter_name"] for parameter in api["/verify"]["parameters"]] == ["video"]


def test_cards(video: Path) -> None:
    assert 'class="gf-verdict gf-good"' in verdict_card(read_provenance(video))
    evil = "<script>alert(1)</script>"
    for found, tone in (
        (Provenance("invalid", altered=True, signer=evil, person=evil, settings={evil: evil}), "gf-altered"),
        (Provenance("invalid", problems=(evil,)), "gf-unsure"),
        (Provenance("none", tag=evil), "gf-unsure"),
    ):
        card = verdict_card(found)
        assert tone in card
        assert "<script" not in card
        assert "&lt;script" in card
