"""Rendering as a stage of a stream: motion in, pictures out, before the background and in the size that are asked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import torch

from geneface.motion.face_motion import FaceMotion
from geneface.options import GenerationOptions
from geneface.renderers.backdrop import background_picture
from geneface.renderers.frames import FrameChunk, as_pixels
from geneface.renderers.renderer import Renderer
from geneface.streaming.prefetch import prefetch
from geneface.streaming.stage import WindowStage, join, through


@dataclass
class Conditions:
    """What frames are rendered from."""

    windows: torch.Tensor
    """[n, 3, 68, 3], as `Renderer.windows` makes them."""
    motion: FaceMotion
    start: int
    """Number of the first frame."""

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, frames: slice) -> Self:
        first, _, _ = frames.indices(len(self))
        return type(self)(self.windows[frames], self.motion[frames], self.start + first)

    def split(self, size: int) -> Iterator[Self]:
        for first in range(0, len(self), size):
            yield self[first : first + size]


class RenderStage:
    """`FaceMotion` -> `FrameChunk`.

    Args:
        options: `background` and `size`.
        dtype: What the renderer computes in by autocast; its geometry stays in float32.
    """

    def __init__(self, renderer: Renderer, options: GenerationOptions, dtype: torch.dtype = torch.float32):
        self.renderer, self.options, self.dtype = renderer, options, dtype
        self.on_cpu = renderer.device.type == "cpu"
        if options.transparent:
            self.backdrop: torch.Tensor | None = torch.zeros(3, renderer.size, renderer.size)
        else:
            self.backdrop = background_picture(options.background, renderer.size)
        if self.backdrop is not None:
            self.backdrop = self.backdrop.to(renderer.device, renderer.dtype)
        self.lookahead_frames = renderer.context_frames
        self.windows = WindowStage(self._conditions, renderer.context_frames, renderer.context_frames)

    @property
    def batch_frames(self) -> int:
        """Frames rendered together: a GPU is fast with many, a CPU's caches are small."""
        return 1 if self.on_cpu else 32

    @property
    def threads(self) -> int:
        """Batches rendered at once; a GPU takes one after the other."""
        return torch.get_num_threads() if self.on_cpu else 1

    def push(self, motion: FaceMotion) -> FrameChunk | None:
        return self._all(self.windows.push(motion))

    def flush(self) -> FrameChunk | None:
        return self._all(self.windows.flush())

    def run(self, motion: Iterable[FaceMotion]) -> Iterator[FrameChunk]:
        """Frames of a whole stream, a few batches ahead of whoever takes them."""
        batches = (batch for chunk in through(self.windows, motion) for batch in chunk.split(self.batch_frames))
        return prefetch(self.frames, batches, self.threads)

    @torch.no_grad()
    def frames(self, batch: Conditions) -> FrameChunk:
        renderer, motion = self.renderer, batch.motion
        torso = renderer.torso_state(motion.head)
        with torch.autocast(renderer.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            rendering = renderer(batch.windows, motion.head, self.backdrop, torso)
        alpha = rendering.alpha if self.options.transparent else None
        pixels = as_pixels(rendering.rgb, alpha, self.options.size)
        return FrameChunk(
            start=batch.start,
            frames=pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy(),
            landmarks=motion.landmarks.float().cpu().numpy(),
        )

    def _conditions(self, motion: FaceMotion, start: int) -> Conditions:
        return Conditions(self.renderer.windows(motion.landmarks), motion, start)

    def _all(self, conditions: Conditions | None) -> FrameChunk | None:
        return None if conditions is None else join([*map(self.frames, conditions.split(self.batch_frames))])
