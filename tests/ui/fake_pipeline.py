"""A stand-in for `GeneFacePipeline` that shows one picture: the same streaming and interruption, no models."""

import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from geneface.errors import InputError
from geneface.media.audio import open_audio
from geneface.pipeline import FrameChunk
from geneface.rendering.scene import Scene


class FakePipeline:
    """Grey squares of the seed's value, or `picture` [S, S, 3] with a mark that moves."""

    name = "grey"
    render_threads = 1

    def __init__(self, size: int = 64, delay: float = 0.0, batch: int = 4, picture: np.ndarray | None = None) -> None:
        self.size, self.delay, self.batch, self.picture = size, delay, batch, picture
        self.drawn = 0
        self.seeds: list[int] = []
        self.options: dict[str, Any] = {}
        self.renderer = SimpleNamespace(scene=Scene(size, 4), size=size)
        self.post_net = SimpleNamespace(target_rest=torch.zeros(68, 3))
        angles = torch.linspace(0, 6.2, 68)
        circle = torch.stack([5 * angles.cos(), 5 * angles.sin(), torch.zeros(68)], dim=-1)
        circle[27:36] = circle[60:] = 0
        self.motion_generator = SimpleNamespace(mean_landmarks=circle)

    def set_progress_bar_config(self, **options: Any) -> None:
        pass

    def motion(
        self, audio: Any, *, generator: Any, temperature: float = 1.0, blink: str = "natural"
    ) -> Iterator[torch.Tensor]:
        if not 0 <= temperature <= 2:
            raise InputError(f"temperature is {temperature}; it must be between 0 and 2")
        self.seeds.append(generator.initial_seed())
        with open_audio(audio) as source:
            moves = torch.zeros(source.frames, 68, 3)
            moves[:, 66, 1] = -torch.arange(source.frames).mul(0.7).sin().abs()
        yield from moves.split(50)

    def render(self, lm3d: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
        shade = (128 + 100 * pose[:, 0, 2]).to(torch.uint8)
        if self.picture is not None:
            return torch.tensor(self.picture).permute(2, 0, 1)[None].roll(int(100 * pose[0, 0, 2]), 3)
        return shade[:, None, None, None].expand(-1, 3, self.size, self.size)

    def stream(
        self,
        audio: Any,
        *,
        generator: Any,
        temperature: float = 1.0,
        pose: Any = "natural",
        blink: str = "natural",
        background: Any = None,
        size: int | None = None,
        callback_on_frame_end: Any = None,
        motion: Any = None,
    ) -> Iterator[FrameChunk]:
        self.options = {
            "temperature": temperature,
            "pose": pose,
            "blink": blink,
            "background": background,
            "size": size,
        }
        if motion is None:
            with closing(self.motion(audio, generator=generator, temperature=temperature)) as whole:
                motion = list(whole)
        lm3d = torch.cat(list(motion)).numpy()
        self.drawn = drawn = 0
        channels = 4 if isinstance(background, str) and background == "transparent" else 3
        with open_audio(audio) as source:
            while drawn < source.frames:
                count = min(self.batch, source.frames - drawn)
                time.sleep(self.delay * count)
                frames = self._frames(drawn, size or self.size, count, generator.initial_seed(), channels)
                yield FrameChunk(drawn, frames, lm3d[drawn : drawn + count], source.frames)
                self.drawn = drawn = drawn + count
                if callback_on_frame_end:
                    callback_on_frame_end(self, drawn - 1, source.frames)

    def _frames(self, first: int, side: int, count: int, seed: int, channels: int) -> np.ndarray:
        frames = np.full((count, side, side, channels), seed % 256, np.uint8)
        if self.picture is not None:
            places = np.arange(side) * len(self.picture) // side
            frames[..., :3] = self.picture[places][:, places]
            for index in range(count):
                frames[index, -8:, : 1 + (first + index) * 4 % side, :3] = (240, 90, 100)
        return frames
