"""Videos of what renderers show, for `geneface evaluate`: of a person's frames, or of any landmarks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from geneface.media.audio import open_audio
from geneface.media.provenance import NOTICE
from geneface.media.video import VideoWriter
from geneface.renderers.renderer import Renderer
from geneface.utils.units import SAMPLING_RATE

Frames = Callable[[int, int], np.ndarray]
"""uint8 [stop - start, H, W, 3] of frames [start, stop)."""


def rendered(
    renderer: Renderer, windows: torch.Tensor, pose: torch.Tensor | None = None, torso: torch.Tensor | None = None
) -> Frames:
    """What a renderer shows of T frames; without `pose` it moves as in the person's own video."""

    @torch.no_grad()
    def frames(start: int, stop: int) -> np.ndarray:
        track = renderer.scene.pose_track
        poses = track[torch.arange(start, stop) % len(track)] if pose is None else pose[start:stop]
        lies = None if torso is None else torso[start:stop].to(renderer.device)
        rgb = renderer(windows[start:stop].to(renderer.device), poses.to(renderer.device), torso=lies).rgb
        return (rgb.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()

    return frames


def write_video(path: Path, frames: Frames, count: int, samples: np.ndarray, *, synthetic: bool = True) -> None:
    """Write `count` frames with samples [640 T] at 16 kHz, unless the video is there already."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    step = 8
    height, width = frames(0, 1).shape[1:3]
    metadata = {"comment": NOTICE} if synthetic else {}
    with (
        open_audio(samples, SAMPLING_RATE) as source,
        VideoWriter(path, (width, height), source, metadata=metadata) as writer,
    ):
        for start in range(0, count, step):
            writer.write(frames(start, min(start + step, count)))
