"""Starting a page, and what to put into it."""

import wave
from pathlib import Path
from typing import Any

import numpy as np

from geneface.ui.demo import build_demo, launch_options


def start_page(load: Any, persons: Any, examples: Any = None, **options: Any) -> Any:
    """A served page, to be closed; its address is `local_url`."""
    demo = build_demo(load, persons, examples or {}, **options)
    demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", **launch_options())
    return demo


def write_wave(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path
