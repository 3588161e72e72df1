import re
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pages import start_page, write_wave

from geneface.media.video import probe
from geneface.ui.demo import find_examples

ROOT = Path(__file__).resolve().parents[2]


def launch(load: Any, folder: Path) -> Any:
    return start_page(load, {"grey": folder, "dark_grey": folder}, max_seconds=20)


@pytest.fixture(scope="module")
def pipe() -> FakePipeline:
    return FakePipeline()


@pytest.fixture(scope="module")
def url(pipe: FakePipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    demo = launch(pipe, tmp_path_factory.mktemp("person"))
    yield demo.local_url
    demo.close()


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture
def speech_file(speech_wav: Path) -> Any:
    return handle_file(speech_wav)


def video_path(answer: Any) -> str:
    return answer["video"] if isinstance(answer, dict) else answer


def test_generate_by_api(client: Client, pipe: FakePipeline, speech_file: Any) -> None:
    video, seed = client.predict(audio=speech_file, api_name="/generate")
    info = probe(video_path(video))
    assert (info.video_codec, info.audio_codec, info.video_seconds) == ("h264", "aac", 2.0)
    assert "AI-generated" in info.metadata["comment"]
    assert seed == pipe.seeds[-1]


def test_seed_can_be_set_or_new(client: Client, pipe: FakePipeline, speech_file: Any) -> None:
    assert client.predict(audio=speech_file, seed=5, new_seed=False, api_name="/generate")[1] == 5
    assert pipe.seeds[-1] == 5
    drawn = {client.predict(audio=speech_file, seed=5, new_seed=True, api_name="/generate")[1] for _ in range(3)}
    assert len(drawn) == 3


def test_errors_are_sentences(client: Client, speech_file: Any, tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("This is a text.\n" * 100)
    with pytest.raises(AppError, match="The file cannot be read: it is damaged, or neither audio nor video") as caught:
        client.predict(audio=handle_file(text), api_name="/generate")
    assert str(tmp_path.parent) not in str(caught.value)
    assert "/gradio/" not in str(caught.value)
    with pytest.raises(AppError, match="There is no voice yet"):
        client.predict(audio=None, api_name="/generate")
    with pytest.raises(AppError, match=r"seed -3 is out of range|[Mm]inimum"):
        client.predict(audio=speech_file, seed=-3, new_seed=False, api_name="/generate")
    with pytest.raises(AppError, match="not in the list of choices"):
        client.predict(audio=speech_file, person="../../etc", api_name="/generate")


def test_recordings_that_are_too_long_are_refused(client: Client, tmp_path: Path) -> None:
    long = write_wave(tmp_path / "long.wav", np.zeros(25 * 16000, np.float32))
    with pytest.raises(AppError, match="The recording is 25 s long; this server takes up to 20 s"):
        client.predict(audio=handle_file(long), api_name="/generate")


def test_options_reach_the_pipeline(client: Client, pipe: FakePipeline, speech_file: Any) -> None:
    options = {
        "pose": "still",
        "blink": "none",
        "background": "colour",
        "colour": "rgba(32, 160.4, 255, 1)",
        "size": 256,
    }
    client.predict(audio=speech_file, **options, api_name="/generate")
    assert pipe.options.pose == "still"
    assert pipe.options.background == "#20a0ff"
    assert pipe.options.size == 256
    video, _ = client.predict(audio=speech_file, background="transparent", api_name="/generate")
    info = probe(video_path(video))
    assert (info.video_codec, info.audio_codec) == ("vp9", "opus")
    for options, message in (
        ({"background": "picture"}, "no background picture yet"),
        ({"background": "colour", "colour": "sky"}, "'sky' is not a colour"),
        ({"pose": "video"}, "no video to take the head motion from"),
    ):
        with pytest.raises(AppError, match=message):
            client.predict(audio=speech_file, **options, api_name="/generate")


def test_unexpected_errors_do_not_leak(
    client: Client, speech_file: Any, pipe: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("secret at /root")

    monkeypatch.setattr(pipe, "stream", fail)
    with pytest.raises(AppError) as caught:
        client.predict(audio=speech_file, api_name="/generate")
    assert "secret" not in str(caught.value)
    assert "Something went wrong on the server" in str(caught.value)


def test_progress_then_cancel_within_a_second(client: Client, pipe: FakePipeline, speech_file: Any) -> None:
    pipe.delay = 0.1
    try:
        job = client.submit(audio=speech_file, api_name="/generate")
        reports: list[Any] = []
        while not (reports and reports[-1].index):
            time.sleep(0.05)
            reports = job.status().progress_data or reports
            assert not job.done(), job.exception()
        assert reports[-1].length == 50
        assert reports[-1].desc.startswith("Speaking")
        job.cancel()
        time.sleep(1)
        drawn = pipe.drawn
        assert 0 < drawn < 40
        time.sleep(0.6)
        assert pipe.drawn == drawn
    finally:
        pipe.delay = 0.0
    assert client.predict(audio=speech_file, seed=9, new_seed=False, api_name="/generate")[1] == 9


def test_api_is_stable_and_documented(client: Client) -> None:
    api = client.view_api(return_format="dict")["named_endpoints"]
    assert sorted(api) == ["/compare", "/generate", "/turn", "/verify"]
    names = [parameter["parameter_name"] for parameter in api["/generate"]["parameters"]]
    assert names == [
        "person", "audio", "seed", "new_seed", "temperature", "mouth", "head", "pose", "driving", "blink",
        "background", "picture", "colour", "size",
    ]  # fmt: skip
    with urllib.request.urlopen(client.src + "gradio_api/info") as answer:
        info = answer.read()
    for words in (
        b"Make a talking portrait video from speech",
        b"Make one video of two takes",
        b"Show a person's head",
    ):
        assert words in info


def test_page_is_private_and_fetches_nothing_from_elsewhere(url: str) -> None:
    with urllib.request.urlopen(url) as answer:
        page = answer.read().decode()
    assert '"analytics_enabled":false' in page.replace(" ", "")
    assert "AI-generated" in page
    for address in re.findall(r"<(?:script|link)[^>]+(?:src|href)=\"(https?://[^\"]+)\"", page):
        assert address.startswith(url), address
    for path in ("gradio_api/runs", "monitoring"):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(url + path)


def test_real_pipeline(tiny_bundle: Path, speech_file: Any) -> None:
    from geneface.pipelines.pipeline import GeneFacePipeline

    demo = launch(lambda person: GeneFacePipeline.from_pretrained(tiny_bundle, device="cpu"), tiny_bundle)
    try:
        options = {"temperature": 0.5, "pose": "still", "blink": "none"}
        client = Client(demo.local_url, verbose=False)
        video, _ = client.predict(audio=speech_file, **options, api_name="/generate")
        assert probe(video_path(video)).video_seconds == 2.0
    finally:
        demo.close()


def test_examples_are_found_by_name(tmp_path: Path) -> None:
    for name in ("good_morning.ogg", "a_poem.flac", "README.md"):
        (tmp_path / name).touch()
    assert list(find_examples(tmp_path)) == ["A poem", "Good morning"]
    for name in ("bonjour.fr.ogg", "a_v1.2_take.wav"):
        (tmp_path / name).touch()
    assert list(find_examples(tmp_path)) == ["A poem", "A v1.2 take", "Good morning", "Bonjour (French)"]


def test_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    sys.path.insert(0, str(ROOT))
    import app

    given: dict[str, Any] = {}
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.setattr("geneface.ui.demo.serve", lambda **options: given.update(options))
    line = (
        "--host 0.0.0.0 --port 7000 --share --device cpu --persons-dir them --auth anna:a:b --max-seconds 9 --no-hub "
        "--train --no-mark"
    )
    monkeypatch.setattr(sys, "argv", ["app.py", *line.split()])
    assert app.main() == 0
    assert given == {
        "host": "0.0.0.0",
        "port": 7000,
        "share": True,
        "device": "cpu",
        "persons_dir": Path("them"),
        "auth": ("anna", "a:b"),
        "max_seconds": 9.0,
        "hub": False,
        "mark": False,
        "train": True,
    }
    monkeypatch.setattr(sys, "argv", ["app.py"])
    app.main()
    assert given == {
        "host": "127.0.0.1",
        "port": None,
        "share": False,
        "device": None,
        "persons_dir": Path("persons"),
        "auth": None,
        "max_seconds": 600.0,
        "hub": True,
        "mark": True,
        "train": None,
    }
    monkeypatch.setattr(sys, "argv", ["app.py", "--auth", "anna"])
    assert app.main() == 2


def test_address_of_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    sys.path.insert(0, str(ROOT))
    import app

    given: dict[str, Any] = {}
    monkeypatch.setattr("geneface.ui.demo.serve", lambda **options: given.update(options))
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    app.main()
    assert given["host"] == "0.0.0.0"
