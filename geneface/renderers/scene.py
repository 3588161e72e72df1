"""What every renderer of a person keeps beside its field: camera, background, natural head motion, blink."""

import torch
from torch import nn

from geneface.face.ibug68 import EYES

FRONTAL = ((1.0, 0.0, 0.0, 0.0), (0.0, -1.0, 0.0, 0.0), (0.0, 0.0, -1.0, 100.0))


class Scene(nn.Module):
    """Buffers of a person's scene.

    Attributes:
        background: [3, size, size] uint8, the scene without the person.
        intrinsics: [3, 3], in pixels of the size x size picture.
        reference_pose: [3, 4], the mean head pose, head to camera.
        pose_track: [N, 3, 4], natural head motion; its end joins its beginning.
        blink_shift: [68, 3] cm, LM3D with closed eyes minus LM3D with open eyes.
    """

    background: torch.Tensor
    intrinsics: torch.Tensor
    reference_pose: torch.Tensor
    pose_track: torch.Tensor
    blink_shift: torch.Tensor

    def __init__(self, size: int, pose_frames: int):
        super().__init__()
        self.register_buffer("background", torch.zeros(3, size, size, dtype=torch.uint8))
        focal, centre = 3.0 * size, size / 2
        self.register_buffer("intrinsics", torch.tensor([[focal, 0, centre], [0, focal, centre], [0, 0, 1]]))
        self.register_buffer("reference_pose", torch.tensor(FRONTAL))
        self.register_buffer("pose_track", torch.tensor(FRONTAL).repeat(pose_frames, 1, 1))
        self.register_buffer("blink_shift", torch.zeros(68, 3))

    @torch.no_grad()
    def fit(
        self,
        lm3d: torch.Tensor,
        pose: torch.Tensor,
        blink: torch.Tensor,
        intrinsics: torch.Tensor,
        background: torch.Tensor,
    ) -> None:
        """Set the buffers from a person's training frames: LM3D [T, 68, 3], pose [T, 3, 4], blink [T] in [0, 1]."""
        self.intrinsics.copy_(intrinsics)
        self.background.copy_(background)
        self.reference_pose.copy_(mean_pose(pose))
        self.pose_track.copy_(there_and_back(pose, len(self.pose_track)))
        closed, opened = blink > 0.8 * blink.max(), blink < 0.1
        if closed.any() and opened.any():
            self.blink_shift[EYES] = (lm3d[closed].mean(0) - lm3d[opened].mean(0))[EYES]


def there_and_back(track: torch.Tensor, length: int) -> torch.Tensor:
    """`length` rows of a track that goes forth and back, so that its end joins its beginning."""
    half = -(-length // 2)
    there = torch.cat([track, track.flip(0)] * -(-half // (2 * len(track))))[:half]
    return torch.cat([there, there.flip(0)])[:length]


def mean_pose(pose: torch.Tensor) -> torch.Tensor:
    """The rotation nearest to the mean one and the mean translation of poses [T, 3, 4], as [3, 4]."""
    left, _, right = torch.linalg.svd(pose[:, :, :3].mean(0))
    return torch.cat([left @ right, pose[:, :, 3].mean(0)[:, None]], dim=1)
