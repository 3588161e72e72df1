"""Kokoro-82M (Apache-2.0) through kokoro-onnx: English in eight voices, a second of it in about a second of one core.

Its network and its voices are fetched at first need, see `geneface.assets`.
"""

import importlib.util
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geneface.errors import InputError

if TYPE_CHECKING:
    from kokoro_onnx import Kokoro

VOICES = {
    "af_heart": "a woman, American",
    "af_bella": "a lively woman, American",
    "af_nicole": "a woman who nearly whispers, American",
    "bf_emma": "a woman, British",
    "bm_george": "a man, British",
    "am_michael": "a man, American",
    "am_fenrir": "a man with a deep voice, American",
    "am_puck": "a young man, American",
}
LANGUAGES = {"a": "en-us", "b": "en-gb"}
"""First letter of a voice -> what espeak-ng, which finds the phonemes, calls its language."""
STYLE = 256
"""Numbers that describe a voice, for each length of a sentence in phonemes."""


def is_installed() -> bool:
    """Whether text can be spoken here, once the network is fetched."""
    return importlib.util.find_spec("kokoro_onnx") is not None


class KokoroSynthesiser:
    """A `Synthesiser`; `assets` is the folder of third-party models, see `geneface.assets.assets_folder`."""

    name = "Kokoro-82M"
    voices = VOICES

    def __init__(self, assets: str | Path | None = None):
        self.assets = assets
        self._kokoro: Kokoro | None = None
        self._styles: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    def synthesize(self, text: str, voice: str, speed: float = 1.0) -> tuple[np.ndarray, int]:
        with self._lock:  # espeak-ng keeps one state for the whole process.
            self._kokoro = self._kokoro or self._load()
            style = self._style(voice)
            try:
                return self._kokoro.create(text, style, speed, LANGUAGES[voice[0]])
            except ValueError as error:
                raise InputError(f'"{text[:40]}" cannot be spoken ({error}); write it in other words') from None

    def _load(self) -> "Kokoro":
        from kokoro_onnx import Kokoro

        from geneface.assets import KOKORO, get_asset

        network = get_asset(KOKORO, self.assets)
        with tempfile.TemporaryDirectory() as folder:
            # It wants a file of all voices; here they come one by one, as they are needed.
            voices = Path(folder) / "voices.npy"
            np.save(voices, np.zeros(0, np.float32))
            try:
                return Kokoro(str(network), str(voices))
            except Exception as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise InputError(
                    f"{network} cannot be loaded ({reason}); remove it, to have it fetched again"
                ) from None

    def _style(self, voice: str) -> np.ndarray:
        """[N, 1, 256], a row for each number of phonemes."""
        from geneface.assets import get_asset, kokoro_voice

        if voice not in self._styles:
            path = get_asset(kokoro_voice(voice), self.assets)
            numbers = np.fromfile(path, np.float32)
            if not len(numbers) or len(numbers) % STYLE or not np.isfinite(numbers).all():
                raise InputError(f"{path} is no voice of Kokoro; remove it, to have it fetched again")
            self._styles[voice] = numbers.reshape(-1, 1, STYLE)
        return self._styles[voice]


def shared_kokoro() -> KokoroSynthesiser:
    """One for the whole process, which holds some 300 MB once it has spoken.

    Raises:
        InputError: if kokoro-onnx is not installed.
    """
    if not is_installed():
        raise InputError(
            "speaking text needs kokoro-onnx, which is not installed; pip install 'geneface[speech]', "
            "or give a recording"
        )
    return _shared()


@cache
def _shared() -> KokoroSynthesiser:
    return KokoroSynthesiser()
