"""The networks between features and motion as stages of a stream."""

import torch
import torch.nn.functional as F

from geneface.models.motion_generator import MotionGenerator, latent_noise
from geneface.models.phoneme_head import PhonemeHead
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.streaming.stage import WindowStage


class LipClosureStage:
    """Audio features [2n, D], which pass as they are; how surely the lips must meet then is kept until it is read.

    Args:
        head: That knows p, b and m; without one nothing is known.
    """

    lookahead_frames = 0

    def __init__(self, head: PhonemeHead | None):
        self.head = head
        self._hear: WindowStage[torch.Tensor, torch.Tensor] | None = (
            None if head is None else WindowStage(lambda window, _: head.closures(window), head.reach, head.reach)
        )
        self._found = torch.zeros(0)
        """Of each feature from that with number `_first` on."""
        self._first = 0
        self._ended = False

    @torch.no_grad()
    def push(self, features: torch.Tensor) -> torch.Tensor:
        if self._ended:
            self._found, self._first, self._ended = torch.zeros(0), 0, False
        if self.head is not None and self._hear is not None:
            self._add(self._hear.push(features.to(self.head.device, self.head.dtype)))
        return features

    @torch.no_grad()
    def flush(self) -> None:
        if self._hear is not None:
            self._add(self._hear.flush())
        self._ended = True

    def _add(self, found: torch.Tensor | None) -> None:
        if found is not None:
            self._found = torch.cat([self._found, found.float().cpu()])

    def keep(self, closures: torch.Tensor) -> None:
        """Know of [T] frames, 0 to 1, what was found out elsewhere."""
        self._found = closures.float().cpu().repeat_interleave(2)

    def read(self, start: int, stop: int) -> torch.Tensor:
        """[stop - start], 0 to 1, of frames [start, stop), 0 outside of what is known; those before are let go."""
        gone = min(max(0, 2 * start - self._first), len(self._found))
        self._found, self._first = self._found[gone:], self._first + gone
        known = self._found[: max(0, 2 * stop - self._first)]
        before = min(max(0, self._first - 2 * start), 2 * (stop - start))
        found = F.pad(known, (before, 2 * (stop - start) - before - len(known)))
        return found.unflatten(0, (-1, 2)).amax(1)


class MotionStage(WindowStage[torch.Tensor, torch.Tensor]):
    """Audio features [2n, D] -> LM3D [m, 68, 3] of the mean identity.

    Args:
        seed: Of the prior's noise, which belongs to absolute frame numbers.
        temperature: Scale of that noise.
    """

    def __init__(self, model: MotionGenerator, seed: int, temperature: float):
        @torch.no_grad()
        def sample(window: torch.Tensor, start: int) -> torch.Tensor:
            first = start // model.stride
            noise = latent_noise(seed, first, first + model.latent_frames(len(window)), model.latent_channels)
            noise = noise.to(window.device, window.dtype).unsqueeze(0)
            return model(window.flatten(0, 1).unsqueeze(0), noise, temperature).squeeze(0)

        super().__init__(sample, model.context_frames, model.lookahead_frames, align=model.stride)
        self.model = model

    def push(self, features: torch.Tensor) -> torch.Tensor | None:
        return super().push(features.to(self.model.device, self.model.dtype).unflatten(0, (-1, 2)))


class AdaptStage(WindowStage[torch.Tensor, torch.Tensor]):
    """LM3D [n, 68, 3] of the mean identity -> the person's LM3D [m, 68, 3]."""

    def __init__(self, post_net: PostNet | LandmarkProjection):
        @torch.no_grad()
        def adapt(window: torch.Tensor, _: int) -> torch.Tensor:
            return post_net(window.unsqueeze(0)).squeeze(0)

        super().__init__(adapt, post_net.context_frames, post_net.lookahead_frames)
        self.post_net = post_net

    def push(self, lm3d: torch.Tensor) -> torch.Tensor | None:
        return super().push(lm3d.to(self.post_net.device, self.post_net.dtype))
