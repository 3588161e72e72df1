"""What a renderer is asked for in a dubbed video: the source's head, eyes and brows, the mouth of the other speech."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from geneface.dubbing.shots import Shot
from geneface.face.ibug68 import JAW, LIPS, UPPER_FACE
from geneface.motion.face_motion import Person
from geneface.renderers.camera import project
from geneface.renderers.condition import pose_vector
from geneface.renderers.renderer import Renderer
from geneface.utils.units import FPS

SAME = 1e-3
"""Largest difference, in cm, of a track from the one that a person was trained with, to be the same."""
BEYOND = 0.1
"""Radians by which a head may turn further than training showed it."""


@dataclass(frozen=True)
class Pictured:
    """A frame rendered twice, and where its landmarks are."""

    own: torch.Tensor
    """[3, size, size] in [0, 1], with the mouth that the source shows."""
    made: torch.Tensor
    """[3, size, size], with the new mouth."""
    points: tuple[np.ndarray, np.ndarray]
    """Landmarks [68, 2] in pixels of the square: the source's, and those of `made`."""


class Performance:
    """A person in the place of the one in a shot.

    Args:
        mouth: [T, 68, 3] LM3D at 25 frames/s of the speech, in the person's own domain.
        dtype: What the renderer computes in by autocast.
    """

    def __init__(self, person: Person, renderer: Renderer, shot: Shot, mouth: torch.Tensor, dtype: torch.dtype):
        self.person, self.renderer, self.dtype = person, renderer, dtype
        self.mouth = mouth.float().cpu()
        data, track = shot.data, person.pose_track.float().cpu()
        pose, lm3d = data.track("pose"), data.track("lm3d")
        # The natural track is the training's, there and back.
        shared = min(len(track) // 2, len(data.train))
        self.same = bool((track[:shared] - pose[:shared]).abs().max() < SAME)
        intrinsics = person.intrinsics.float().cpu()
        if self.same:
            self.torso = renderer.tracked_torso(data).float().cpu()
        else:
            # Another film of the person: as large in the person's own camera, and about the same usual face.
            pose = pose.clone()
            pose[:, 2, 3] *= intrinsics[0, 0] / data.track("intrinsics")[0, 0]
            lm3d = lm3d + (person.usual.float().cpu() - lm3d.mean(0))
            self.torso = renderer.torso_state(pose.to(renderer.device)).float().cpu()
        self.pose, self.lm3d = pose, lm3d
        self.landmarks = data.track("landmarks_2d")
        self.intrinsics = intrinsics
        self.background = data.background.to(renderer.device, renderer.dtype) / 255

    @torch.no_grad()
    def frame(self, place: float, time: float) -> Pictured:
        """The frame at `place` among the shot's frames, when the speech has come to `time` in seconds."""
        steps = torch.tensor([-1.0, 0.0, 1.0])
        own = between(self.lm3d, place + steps)
        made = own.clone()
        mouth = between(self.mouth, time * FPS + steps)
        for part in (JAW, LIPS):
            made[:, part] = mouth[:, part]
        here = torch.tensor([place])
        pose = rigid(between(self.pose, here))
        rgb = self._render(torch.stack([own, made]), pose, between(self.torso, here))
        points = self._points(torch.stack([own[1], made[1]]), pose)
        source = between(self.landmarks, here)[0].numpy()
        if self.same:
            # What tracking is off by is off by for both, and was so in training.
            return Pictured(rgb[0], rgb[1], (source, source + points[1] - points[0]))
        rgb, moved = laid_on(rgb, points, source)
        return Pictured(rgb[0], rgb[1], (source, moved))

    def _render(self, windows: torch.Tensor, pose: torch.Tensor, torso: torch.Tensor) -> torch.Tensor:
        device, kind = self.renderer.device, self.renderer.dtype
        with torch.autocast(device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            rendering = self.renderer(
                windows.to(device, kind),
                pose.expand(2, -1, -1).to(device, kind),
                self.background,
                torso.expand(2, -1).to(device, kind),
            )
        return rendering.rgb.float().clamp(0, 1).cpu()

    def _points(self, lm3d: torch.Tensor, pose: torch.Tensor) -> np.ndarray:
        places = torch.from_numpy(self.person.points(lm3d))
        return project(places, pose.expand(2, -1, -1), self.intrinsics).numpy()


def laid_on(rgb: torch.Tensor, points: np.ndarray, source: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    """Pictures [2, 3, S, S] turned, scaled and shifted so that the upper face of the first lies where the source's is.

    Args:
        points: [2, 68, 2], the landmarks of both in pixels.
        source: [68, 2]

    Returns:
        The pictures, and where the second one's landmarks are then [68, 2].
    """
    z, w = (each[..., 0] + 1j * each[..., 1] for each in (source, points))
    fixed = w[0, UPPER_FACE]
    centred = fixed - fixed.mean()
    a = (centred.conj() * (z[UPPER_FACE] - z[UPPER_FACE].mean())).sum() / (np.abs(centred) ** 2).sum()
    b = z[UPPER_FACE].mean() - a * fixed.mean()
    size = rgb.shape[-1]
    y, x = np.mgrid[0:size, 0:size] + 0.5
    back = (x + 1j * y - b) / a
    grid = torch.from_numpy(np.stack([back.real, back.imag], axis=-1) * 2 / size - 1).float()
    warped = F.grid_sample(rgb, grid.expand(2, -1, -1, -1), padding_mode="border", align_corners=False)
    moved = a * w[1] + b
    return warped, np.stack([moved.real, moved.imag], axis=-1)


def between(track: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """A track [T, ...] at fractional frames [k], straight between its frames; its ends last."""
    places = places.clamp(0, len(track) - 1)
    first = places.floor().long()
    share = (places - first).reshape(-1, *[1] * (track.dim() - 1))
    return track[first] * (1 - share) + track[(first + 1).clamp_max(len(track) - 1)] * share


def rigid(pose: torch.Tensor) -> torch.Tensor:
    """Poses [k, 3, 4] with the rotations that are nearest to theirs."""
    u, _, v = torch.linalg.svd(pose[:, :, :3])
    return torch.cat([u @ v, pose[:, :, 3:]], dim=2)


def leaves_range(person: Person, shot: Shot) -> bool:
    """Whether the head turns further in more than a tenth of a shot than the person's training showed it."""
    turns = pose_vector(shot.data.track("pose"), person.reference_pose.float().cpu(), scale=1.0)[:, :3].abs()
    limit = person.shown_range.float().cpu()[:3] + BEYOND
    return bool((turns > limit).any(1).float().mean() > 0.1)
