"""How well the invisible watermark survives, how visible it is, what it costs, and how often it is found by mistake.

    python -m research.watermark RECORDING [--clips DIR] [--person BUNDLE ...] -o OUT.md

The recording is spoken by each person before several backgrounds. Each video is marked, encoded as `geneface generate`
does, altered in several ways, and read. DIR holds real videos, which carry no watermark: each is read as a whole and
in windows, with the key and with other keys.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from geneface.errors import InputError, run_script
from geneface.media.audio import open_audio
from geneface.media.video import VideoReader, VideoWriter
from geneface.media.watermark import KEY, Watermark, video_number
from geneface.media.watermark_reader import MOST_FRAMES, WatermarkReading, find_watermark, read_watermark
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.utils.units import FPS, SAMPLING_RATE
from research.watermark_changes import CHANGES, Change, encode
from research.watermark_page import AS_WRITTEN, FalseAlarms, Survival, page

PERSONS = ("examples/persons/vera", "examples/persons/theo")
SEED = 1
SIDE, SECONDS = 512, 12
WINDOW = 2
"""Seconds of a real clip that are read at once."""


def backgrounds() -> dict[str, np.ndarray | str | None]:
    """By name: the person's own, an even one, and one full of edges."""
    rng = np.random.default_rng(0)
    busy = np.zeros((SIDE, SIDE, 3))
    for cells in (8, 32, 128):
        noise = rng.uniform(-1, 1, (cells, cells, 3))
        busy += np.kron(noise, np.ones((SIDE // cells, SIDE // cells, 1))) * 24
    return {"own": None, "white": "#ffffff", "busy": np.clip(busy + 120, 0, 255).astype(np.uint8)}


def survival(person: str, background: str, recording: np.ndarray, folder: Path) -> Survival:
    """Mark, encode, alter and read one video."""
    pipe = GeneFacePipeline.from_pretrained(person)
    pipe.set_progress_bar_config(disable=True)
    chunks = pipe.stream(
        recording,
        SAMPLING_RATE,
        generator=torch.Generator("cpu").manual_seed(SEED),
        background=backgrounds()[background],
        size=SIDE,
    )
    plain = np.concatenate([chunk.frames for chunk in chunks])
    number = video_number(pipe.name, SEED)
    marked = plain.copy()
    Watermark(SIDE, SIDE, number).draw(marked)
    psnr = min(psnr_of(*pair) for pair in zip(plain, marked, strict=True))
    sizes = []
    for frames, name in ((plain, "plain.mp4"), (marked, "marked.mp4")):
        with VideoWriter(folder / name, (SIDE, SIDE)) as writer:
            writer.write(frames)
        sizes.append((folder / name).stat().st_size)
    result = Survival(f"{pipe.name}, {background}", psnr, sizes[1] / sizes[0])
    result.readings[AS_WRITTEN] = _right(read_watermark(folder / "marked.mp4"), number)
    for change in CHANGES:
        alter(folder / "marked.mp4", folder / "altered.mp4", change)
        result.readings[change.name] = _right(read_watermark(folder / "altered.mp4"), number)
    return result


def alter(source: Path, target: Path, change: Change) -> None:
    with VideoReader(source) as reader:
        encode(change.frames(reader), target, change.crf, change.fps)


def psnr_of(plain: np.ndarray, marked: np.ndarray) -> float:
    error = (plain.astype(np.float32) - marked).astype(np.float32)
    return float(10 * np.log10(255**2 / max((error**2).mean(), 1e-12)))


def _right(reading: WatermarkReading | None, number: int) -> WatermarkReading | None:
    return reading if reading is not None and reading.payload == number else None


def milliseconds_per_frame(frames: int = 200) -> float:
    """The median time to mark a frame of 512x512."""
    picture = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)
    watermark = Watermark(SIDE, SIDE, 0)
    times = []
    for _ in range(frames):
        start = time.perf_counter()
        watermark.draw(picture)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def false_alarms(clips: Path, other_keys: int) -> FalseAlarms:
    """Read each video of a folder, and windows of it, with the key and with others."""
    result = FalseAlarms()
    paths = sorted(path for path in clips.iterdir() if path.suffix in (".mp4", ".webm", ".mov"))
    if not paths:
        raise InputError(f"{clips} holds no videos; give a folder of mp4, webm or mov files")
    for path in paths:
        result.clips += 1
        result.found += read_watermark(path) is not None
        result.readings += 1
        for window in windows(path):
            result.windows += 1
            for key in range(KEY, KEY + 1 + other_keys):
                result.found += find_watermark(window, key) is not None
                result.readings += 1
        print(f"{path.name}: {result.found} of {result.readings}", flush=True)
    return result


def windows(path: Path) -> Iterator[list[np.ndarray]]:
    """Few frames from each `WINDOW` seconds of a video, one window after the other."""
    with VideoReader(path) as reader:
        length = round(WINDOW * reader.fps)
        every = max(1, length // (MOST_FRAMES // 8))
        kept: list[np.ndarray] = []
        for number, frame in enumerate(reader, 1):
            if number % every == 0:
                kept.append(frame)
            if number % length == 0:
                yield kept
                kept = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", help=f"what the persons say, {SECONDS} s; a shorter one is repeated")
    parser.add_argument("--person", nargs="+", default=PERSONS, help="bundles")
    parser.add_argument("--background", nargs="+", default=list(backgrounds()), choices=list(backgrounds()))
    parser.add_argument("--clips", type=Path, help="a folder of real videos, for false alarms")
    parser.add_argument("--other-keys", type=int, default=4, help="to read the real videos with, besides the key")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the page to write")
    args = parser.parse_args()
    with open_audio(args.recording) as source:
        recording = np.resize(source.read(0, source.samples), SECONDS * SAMPLING_RATE)
    videos = []
    with TemporaryDirectory() as folder:
        for person in args.person:
            for background in args.background:
                videos.append(survival(person, background, recording, Path(folder)))
                print(videos[-1], flush=True)
    alarms = false_alarms(args.clips, args.other_keys) if args.clips else None
    args.output.write_text(page(videos, SECONDS * FPS, milliseconds_per_frame(), alarms), encoding="utf-8")


if __name__ == "__main__":
    run_script(main)
