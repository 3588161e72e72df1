"""The networks between features and motion as stages of a stream."""

import torch

from geneface.models.motion_generator import MotionGenerator, latent_noise
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.streaming.stage import WindowStage


class MotionStage(WindowStage):
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


class AdaptStage(WindowStage):
    """LM3D [n, 68, 3] of the mean identity -> the person's LM3D [m, 68, 3]."""

    def __init__(self, post_net: PostNet | LandmarkProjection):
        @torch.no_grad()
        def adapt(window: torch.Tensor, _: int) -> torch.Tensor:
            return post_net(window.unsqueeze(0)).squeeze(0)

        super().__init__(adapt, post_net.context_frames, post_net.lookahead_frames)
        self.post_net = post_net

    def push(self, lm3d: torch.Tensor) -> torch.Tensor | None:
        return super().push(lm3d.to(self.post_net.device, self.post_net.dtype))
