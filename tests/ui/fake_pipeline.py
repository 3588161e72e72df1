"""A stand-in for `GeneFacePipeline` that shows one picture: the same streaming and interruption, no models.

`test_fake_pipeline.py` holds it against the real one.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from geneface.media.audio import open_audio
from geneface.motion.face_motion import FaceMotion, Person
from geneface.options import GenerationOptions, takes_options
from geneface.renderers.frames import FrameChunk
from geneface.renderers.scene import Scene


class FakePipeline:
    """Grey squares of the seed's value, or `picture` [S, S, 3] with a mark that moves."""

    name = "grey"

    def __init__(self, size: int = 64, delay: float = 0.0, batch: int = 4, picture: np.ndarray | None = None) -> None:
        self.size, self.delay, self.batch, self.picture = size, delay, batch, picture
        self.drawn = 0
        self.seeds: list[int] = []
        self.options = GenerationOptions()
        self.renderer = SimpleNamespace(size=size)
        angles = torch.linspace(0, 6.2, 68)
        circle = torch.stack([5 * angles.cos(), 5 * angles.sin(), torch.zeros(68)], dim=-1)
        circle[27:36] = circle[60:] = 0
        scene, none = Scene(size, 4), torch.zeros(68, 3)
        self.person = Person(
            none,
            none,
            circle,
            none,
            scene.pose_track,
            scene.reference_pose,
            torch.ones(6),
            scene.intrinsics,
            scene.background,
        )

    def set_progress_bar_config(self, **options: Any) -> None:
        pass

    @takes_options
    def motion(
        self,
        audio: Any,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        **changes: Any,
    ) -> Iterator[FaceMotion]:
        options = GenerationOptions.of(options, generator, **changes).seeded()
        self.seeds.append(options.seed or 0)
        with open_audio(audio, sampling_rate) as source:
            moves = torch.zeros(source.frames, 68, 3)
            moves[:, 66, 1] = -torch.arange(source.frames).mul(0.7).sin().abs()
        for chunk in moves.split(50):
            head = self.person.reference_pose.expand(len(chunk), -1, -1)
            yield FaceMotion(chunk, head, torch.zeros(len(chunk)))

    def render(self, motion: Any, options: GenerationOptions | None = None, **changes: Any) -> FrameChunk:
        slopes = (100 * motion.head[:, 0, 2]).tolist()
        if self.picture is not None:
            frames = np.stack([np.roll(self.picture, int(slope), 1) for slope in slopes])
        else:
            frames = np.stack([np.full((self.size, self.size, 3), int(128 + slope), np.uint8) for slope in slopes])
        return FrameChunk(0, frames, motion.landmarks.numpy())

    @takes_options
    def stream(
        self,
        audio: Any,
        sampling_rate: int | None = None,
        *,
        options: GenerationOptions | None = None,
        generator: torch.Generator | None = None,
        callback_on_frame_end: Any = None,
        motion: Any = None,
        **changes: Any,
    ) -> Iterator[FrameChunk]:
        self.options = options = GenerationOptions.of(options, generator, **changes).seeded()
        if motion is None:
            with closing(self.motion(audio, sampling_rate, options=options)) as whole:
                motion = list(whole)
        lm3d = FaceMotion.join(list(motion)).landmarks.numpy()
        self.drawn = drawn = 0
        channels = 4 if options.transparent else 3
        with open_audio(audio, sampling_rate) as source:
            while drawn < source.frames:
                count = min(self.batch, source.frames - drawn)
                time.sleep(self.delay * count)
                frames = self._frames(drawn, options.size or self.size, count, options.seed or 0, channels)
                yield FrameChunk(drawn, frames, lm3d[drawn : drawn + count])
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
