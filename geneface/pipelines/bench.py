"""How fast is it here? Each stage, and a recording to a finished mp4, on this machine."""

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from geneface import __version__
from geneface.errors import InputError
from geneface.media.audio import load_audio
from geneface.media.video import VideoWriter
from geneface.pipelines.generate import generate_video
from geneface.resources import resource
from geneface.utils.units import FPS, SAMPLING_RATE

if TYPE_CHECKING:
    from geneface.pipelines.pipeline import GeneFacePipeline

SPEECH = resource("examples/audio/welcome.mp3")
RENDERED_SECONDS = 4


@dataclass(frozen=True)
class BenchReport:
    """Speeds are medians of the runs after one that warms up. `_fps`: frames a second; `_x`: times real time."""

    device: str
    size: int
    seconds_of_audio: float
    features_x: float
    motion_x: float
    post_net_x: float
    render_fps: float
    """Frames as uint8 in the system's memory."""
    encode_fps: float
    first_frame_s: float
    """From the call to the first frames, with everything loaded."""
    end_to_end_fps: float
    """A recording to a finished mp4."""
    end_to_end_x: float
    peak_memory_mb: float
    """Of the whole process, until the mp4 was finished; the system's memory."""
    peak_device_memory_mb: float
    """Allocated on a GPU; 0 on a CPU."""
    threads: int
    python: str
    torch: str
    geneface: str


def run_bench(pipe: "GeneFacePipeline", seconds: float = 10.0, runs: int = 3, seed: int = 0) -> BenchReport:
    """Measure `pipe` on `seconds` of speech (`examples/audio/welcome.mp3`, repeated)."""
    if not 1 <= seconds <= 7200:
        raise InputError(f"{seconds} seconds of audio cannot be measured; give 1 to 7200")
    samples = np.resize(load_audio(SPEECH), int(seconds * SAMPLING_RATE))
    frames = -(-len(samples) * FPS // SAMPLING_RATE)
    clock = Clock(pipe.device, runs)

    def stream() -> None:
        next(iter(pipe.stream(samples, SAMPLING_RATE, seed=seed)))

    pipe.set_progress_bar_config(disable=True)
    stream()
    if pipe.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(pipe.device)
    # First, so that what the other measurements hold in memory does not count.
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.mp4"
        elapsed = [
            generate_video(pipe, samples, output, sampling_rate=SAMPLING_RATE, seed=seed).elapsed for _ in range(runs)
        ]
    end_to_end = statistics.median(elapsed)
    memory, device_memory = peak_memory_mb(), device_memory_mb(pipe.device)

    features = pipe.extract_features(samples, SAMPLING_RATE)
    lm3d = pipe.generate_motion(features, seed=seed)
    motion = pipe.finish_motion(pipe.adapt_motion(lm3d), samples, SAMPLING_RATE, seed=seed)
    shown = motion[: RENDERED_SECONDS * FPS]
    pictures = pipe.render(shown).frames
    return BenchReport(
        device=device_name(pipe.device),
        size=pipe.renderer.size,
        seconds_of_audio=round(len(samples) / SAMPLING_RATE, 3),
        features_x=round(seconds / clock(lambda: pipe.extract_features(samples, SAMPLING_RATE)), 1),
        motion_x=round(seconds / clock(lambda: pipe.generate_motion(features)), 1),
        post_net_x=round(seconds / clock(lambda: pipe.adapt_motion(lm3d)), 1),
        render_fps=round(len(shown) / clock(lambda: pipe.render(shown)), 1),
        encode_fps=round(len(pictures) / clock(lambda: encode(pictures)), 1),
        first_frame_s=round(clock(stream), 3),
        end_to_end_fps=round(frames / end_to_end, 1),
        end_to_end_x=round(seconds / end_to_end, 2),
        peak_memory_mb=round(memory, 1),
        peak_device_memory_mb=round(device_memory, 1),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
        geneface=__version__,
    )


class Clock:
    """Seconds of a call, the median of several after one that warms up; by events on CUDA."""

    def __init__(self, device: torch.device, runs: int):
        self.cuda, self.runs = device.type == "cuda", runs

    def __call__(self, call: Callable[[], object]) -> float:
        call()
        return statistics.median(self._once(call) for _ in range(self.runs))

    def _once(self, call: Callable[[], object]) -> float:
        if not self.cuda:
            start = time.perf_counter()
            call()
            return time.perf_counter() - start
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        first.record()
        call()
        last.record()
        torch.cuda.synchronize()
        return first.elapsed_time(last) / 1000


def encode(pictures: np.ndarray) -> None:
    """uint8 [N, H, W, 3] into an mp4 that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        height, width = pictures.shape[1:3]
        with VideoWriter(Path(folder) / "out.mp4", (width, height)) as writer:
            writer.write(pictures)


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def device_memory_mb(device: torch.device) -> float:
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0


def peak_memory_mb() -> float:
    """The most memory that this process has held."""
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


UNITS = {"_fps": "frames/s", "_x": "x real time", "_s": "s", "_mb": "MB"}


def as_table(report: BenchReport) -> str:
    """One line a figure."""
    lines = []
    for name, value in vars(report).items():
        end = next((end for end in UNITS if name.endswith(end)), "")
        lines.append(f"{name.removesuffix(end).replace('_', ' '):<20} {value} {UNITS.get(end, '')}".rstrip())
    return "\n".join(lines)
