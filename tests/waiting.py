"""Waiting for what another process does, but not for ever."""

import subprocess
import time
from pathlib import Path


def wait_for_writing(folder: Path, process: subprocess.Popen, seconds: float = 120.0) -> None:
    """Return when something has been written into a file of the folder."""
    deadline = time.monotonic() + seconds
    while not any(path.stat().st_size for path in folder.iterdir()):
        assert process.poll() is None, "the process has ended"
        assert time.monotonic() < deadline, f"nothing was written in {seconds} s"
        time.sleep(0.05)
