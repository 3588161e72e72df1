"""The served page against those who are not its friends, and what is left of a server that was killed."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_pipeline import FakePipeline
from gradio_client import Client, handle_file
from pages import run_async, start_page, write_wave

from geneface import InputError
from geneface.media.audio import open_audio
from geneface.ui.guard import API, OPEN
from geneface.ui.persons import Persons
from geneface.ui.server_folder import ServerFolder, sweep
from geneface.ui.studio import MOST_LOADED, Studio, with_pulse


@pytest.fixture(scope="module")
def pipe() -> FakePipeline:
    return FakePipeline()


@pytest.fixture(scope="module")
def url(pipe: FakePipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    demo = start_page(pipe, {"grey": tmp_path_factory.mktemp("person")}, max_seconds=20)
    yield demo.local_url
    demo.close()


def answer(url: str, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_the_page_is_guarded(url: str) -> None:
    code, headers = answer(url)
    assert code == 200 and headers["x-frame-options"] == "SAMEORIGIN"
    assert answer(f"{url}config", Host="evil.example")[0] == 403
    assert answer(f"{url}gradio_api/upload", Origin="http://evil.example")[0] == 403


def addresses(routes: Any) -> Iterator[tuple[str, str]]:
    """Method and path of all that Gradio answers to."""
    for route in routes:
        if hasattr(route, "path"):
            for method in {"GET", "POST"} & (getattr(route, "methods", None) or set()):
                yield method, re.sub(r"{[^}]*}", "x", route.path)
        else:
            yield from addresses(route.original_router.routes)


def test_without_the_password_nothing_is_answered(pipe: FakePipeline, tmp_path: Path, speech_wav: Path) -> None:
    """All that Gradio answers to, but for what the login's own page needs."""
    demo = start_page(pipe, {"grey": tmp_path}, auth=("anna", "secret"))
    try:
        closed = [
            (method, path)
            for method, path in addresses(demo.app.routes)
            if path.startswith(API) and path.removeprefix(API).rstrip("/") not in OPEN
        ]
        assert len(closed) > 40 and {("POST", f"{API}cancel"), ("POST", f"{API}reset")} <= set(closed)
        cookie = f"access-token-{demo.app.cookie_id}=guessed; other"
        for method, path in closed:
            body = b"{}" if method == "POST" else None
            headers = {"content-type": "application/json", "cookie": cookie}
            request = urllib.request.Request(demo.local_url.rstrip("/") + path, body, headers, method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=20)
            assert refused.value.code == 401, path
        assert answer(demo.local_url)[0] == 200 and answer(f"{demo.local_url}config")[0] == 401
        client = Client(demo.local_url, auth=("anna", "secret"), verbose=False)
        assert client.predict("grey", handle_file(str(speech_wav)), api_name="/generate")
    finally:
        demo.close()


def test_visitors_learn_nothing_of_each_other(url: str, speech: np.ndarray, tmp_path: Path) -> None:
    one, other = (Client(url, verbose=False, download_files=False) for _ in range(2))
    said = write_wave(tmp_path / "secret_speech.wav", speech)
    made = str(one.predict("grey", handle_file(str(said)), api_name="/generate"))
    video = Path(re.findall(r"'path': '([^']+)'", made)[0])
    folder = video.parent
    assert video.is_file() and len(folder.name) >= 32, "a name that cannot be guessed"
    for page in ("", "config", *(f"{API[1:]}{name}" for name in ("info", "openapi.json", "queue/status", "app_id"))):
        with urllib.request.urlopen(url + page) as reply:
            text = reply.read().decode()
        assert folder.name not in text and "secret_speech" not in text, page
    for place in (folder, folder.parent, folder.parent.parent, f"{folder}/../../"):
        assert answer(f"{url}gradio_api/file={place}")[0] in (403, 404)
    assert one.session_hash != other.session_hash and len(one.session_hash) > 20


def test_an_api_client_that_goes_away_stops_its_video(
    url: str, pipe: FakePipeline, speech: np.ndarray, tmp_path: Path
) -> None:
    long = write_wave(tmp_path / "long.wav", np.tile(speech, 8)[: 15 * 16000])
    script = (
        "import sys\nfrom gradio_client import Client, handle_file\n"
        f"Client({url!r}, verbose=False).predict(audio=handle_file({str(long)!r}), api_name='/generate')"
    )
    pipe.delay, pipe.drawn = 0.2, 0
    try:
        visitor = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not pipe.drawn and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(visitor.pid, signal.SIGKILL)
        visitor.wait()
        assert pipe.drawn, "the video was begun"
        while (drawn := pipe.drawn) and time.monotonic() < deadline:
            time.sleep(1.5)
            if pipe.drawn == drawn:
                break
        assert pipe.drawn < 300, "all frames were drawn for nobody"
    finally:
        pipe.delay = 0.0
    short = write_wave(tmp_path / "short.wav", speech[:16000])
    client = Client(url, verbose=False)
    job = client.submit(audio=handle_file(short), seed=4, new_seed=False, api_name="/generate")
    assert job.result(timeout=60)[1] == 4


def test_a_pulse_between_steps() -> None:
    ended = []

    async def steps() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(0.25)
            yield 2
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def watch() -> list[Any]:
        seen = []
        pulse = with_pulse(steps(), 0.1)
        async for step in pulse:
            seen.append(step)
            if step == 2:
                break
        await anext(pulse)
        await pulse.aclose()  # type: ignore[attr-defined]
        return seen

    seen = run_async(watch())
    # How many pulses there are depends on how busy the machine is.
    assert seen[0] == 1 and seen[-1] == 2 and set(seen[1:-1]) == {None} and ended == [True]


def test_a_recording_that_lies_about_its_length_ends_early(tmp_path: Path) -> None:
    studio = Studio(lambda person: None, max_seconds=5)
    path = write_wave(tmp_path / "long.wav", np.zeros(60 * 16000, np.float32))
    told: list[float] = []

    def check(seconds: float) -> None:
        told.append(seconds)
        studio._check_length(seconds)

    with pytest.raises(InputError, match="this server takes up to 5 s"):
        open_audio(path, check_seconds=check)
    assert max(told) < 6, "decoding went on"


def test_the_bomb_of_the_guide_writes_nearly_nothing(shared: Path) -> None:
    bomb = shared / "data" / "cases" / "faults" / "disk_bomb_2h_claims_0s.flac"
    studio = Studio(lambda person: None, max_seconds=600)
    begun = time.monotonic()
    with pytest.raises(InputError, match="takes up to 10 min"), studio.recording(str(bomb)):
        pass
    assert time.monotonic() - begun < 30


def test_a_damaged_recording_does_not_end_the_process(shared: Path) -> None:
    with pytest.raises(InputError, match="58 channels"):
        open_audio(shared / "data" / "cases" / "faults" / "audio_m4a_120.m4a")


def test_persons_that_are_not_used_are_given_up() -> None:
    loaded: list[str] = []

    def load(person: str) -> FakePipeline:
        loaded.append(person)
        return FakePipeline()

    studio = Studio(load)
    for number in range(MOST_LOADED):
        studio.pipe(f"person {number}")
    studio.pipe("person 0")
    studio.pipe("one more")
    assert len(studio._pipes) == MOST_LOADED
    loaded.clear()
    studio.pipe("person 0")
    studio.pipe("person 1")
    assert loaded == ["person 1"], "the one that was used longest ago has gone"


def test_uploads_of_a_killed_server_are_swept(tmp_path: Path) -> None:
    words = f"from geneface.ui.server_folder import *\nfolder = ServerFolder({str(tmp_path)!r})\n"
    words += "(folder.path / 'victim.wav').touch()\nprint(folder.path, flush=True)\nimport time\ntime.sleep(60)"
    server = subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    left = Path(server.stdout.readline().strip())
    assert left.stat().st_mode & 0o777 == 0o700
    mine = ServerFolder(tmp_path)
    assert (left / "victim.wav").exists(), "its server runs"
    server.kill()
    server.wait()
    (tmp_path / "geneface-server-notes").mkdir()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine.path.name, "geneface-server-notes"])
    mine.close()
    assert not mine.path.exists()


def test_a_bad_preview_costs_one_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image, PngImagePlugin

    persons = {name: tmp_path / name for name in ("bomb", "large", "text", "pipe", "good")}
    for folder in persons.values():
        folder.mkdir()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "0" * (PngImagePlugin.MAX_TEXT_CHUNK + 1), zip=True)
    Image.new("RGB", (8, 8)).save(persons["bomb"] / "preview.png", pnginfo=notes)
    Image.new("1", (13000, 13000)).save(persons["large"] / "preview.png")
    (persons["text"] / "preview.png").write_text("none")
    os.mkfifo(persons["pipe"] / "preview.png")
    Image.new("RGB", (8, 8), "red").save(persons["good"] / "preview.png")
    style = Persons(persons).pictures("#x")
    assert style.count("data:image/webp") == 1 and "nth-child(5)" in style
