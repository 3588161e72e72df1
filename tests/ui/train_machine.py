"""What the tests of training in the browser share: a machine whose `geneface` is `fake_geneface`, and a video."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from geneface.media.audio import open_audio
from geneface.media.video import VideoWriter
from geneface.ui.job_status import JobStatus
from geneface.ui.jobs import TrainingJobs
from geneface.utils.units import SAMPLES_PER_FRAME

FAKE = Path(__file__).with_name("fake_geneface.py")
VERA = Path(__file__).resolve().parents[2] / "examples" / "persons" / "vera" / "preview.png"
CONSENT = "I am Anna Berg, the person in this video, and I agree that GeneFace learns my face from it."


class Machine:
    """Persons go to `persons`; `tell` and `forget` set what the stand-in does."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.control, self.persons, self.uploads = folder / "control", folder / "persons", folder / "uploads"
        for made in (self.control, self.persons, self.uploads):
            made.mkdir(parents=True)
        shutil.copytree(bundle, self.control / "bundle")
        face = Image.open(VERA).convert("RGB").resize((256, 256))
        face.save(self.control / "bundle" / "preview.png")
        tiled(face, 6, 4).save(self.control / "sheet.png")
        tiled(face, 4, 2).save(self.control / "preview.png")
        self.tell(delay=0.01)
        self.jobs = self.server()

    def server(self, patience: float = 5.0) -> TrainingJobs:
        """A server that knows only what is on the disk."""
        return TrainingJobs(self.persons, command=[sys.executable, str(FAKE)], patience=patience)

    def tell(self, **files: object) -> None:
        for name, content in files.items():
            (self.control / name).write_text(str(content))

    def forget(self, name: str) -> None:
        (self.control / name).unlink()

    def video(self, seconds: int = 12, sound: bool = True) -> Path:
        path = self.uploads / f"My {seconds} s.mp4"
        picture = np.asarray(Image.open(VERA).convert("RGB").resize((64, 64)))
        hum = open_audio(np.zeros(seconds * 25 * SAMPLES_PER_FRAME, np.float32), 16000) if sound else None
        with VideoWriter(path, (64, 64), audio=hum) as writer:
            writer.write(np.repeat(picture[None], seconds * 25, axis=0))
        return path

    def prepared(self, name: str = "Anna") -> str:
        """A training that waits for the decision."""
        person = self.jobs.begin(self.video(), name, CONSENT)
        self.wait(person, "review")
        return person

    def wait(
        self,
        person: str,
        state: str,
        when: Callable[[JobStatus], bool] = lambda _: True,
        jobs: TrainingJobs | None = None,
    ) -> JobStatus:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            status = (jobs or self.jobs).status(person)
            if status.state == state and when(status):
                return status
            time.sleep(0.05)
        raise AssertionError(f"not {state} but {status}")


def tiled(face: Image.Image, columns: int, rows: int) -> Image.Image:
    page = Image.new("RGB", (columns * 262 + 6, rows * 262 + 6), "white")
    for at in range(columns * rows):
        page.paste(face, (6 + at % columns * 262, 6 + at // columns * 262))
    return page
