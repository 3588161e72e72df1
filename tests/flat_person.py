"""A person dataset drawn by hand, for the trainings of renderers."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from geneface.face.solid import CELLS, EMPTY
from geneface.media.image import write_image
from geneface.media.video import VideoWriter

FRAMES, SIZE = 40, 64
FOCAL = 192.0
SHORT_TRAINING: dict[str, Any] = {
    "steps": 300,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "window": 16,
    "search_samples": 8,
    "warmup_steps": 5,
    "eye_weight": 1.0,
    "blink_chance": 1.0,
}
"""What the fast renderer's training learns this person with; it has no eyes."""


def project(points: torch.Tensor, pose: torch.Tensor) -> torch.Tensor:
    """[T, N, 3] in the head frame -> [T, N, 2] pixels."""
    seen = points @ pose[:, :, :3].transpose(1, 2) + pose[:, None, :, 3]
    return FOCAL * seen[..., :2] / seen[..., 2:] + SIZE / 2


def nods(frames: int) -> torch.Tensor:
    """Poses [T, 3, 4] that turn by +-0.2 about the vertical and shift by +-1 cm."""
    angle = 0.2 * torch.sin(torch.arange(frames) / 3)
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([angle.cos(), zero, angle.sin(), zero, one, zero, -angle.sin(), zero, angle.cos()], -1)
    rotation = turn.view(-1, 3, 3) @ torch.diag(torch.tensor([1.0, -1, -1]))
    return torch.cat([rotation, torch.stack([5 * angle, zero, 100 * one], -1)[..., None]], dim=-1)


def write_flat_person(folder: Path) -> None:
    """A flat pink head with a dark mouth that opens and closes, over a grey torso, before a blue wall."""
    places = torch.rand(68, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([8.0, 10, 2])
    places = places - torch.tensor([4.0, 5, 0])
    places[48:] = torch.tensor([0.0, -4, 1])
    opening = 0.75 + 0.75 * torch.sin(torch.arange(FRAMES) / 2)
    lm3d = torch.zeros(FRAMES, 68, 3)
    lm3d[:, 54:60, 1], lm3d[:, 64:, 1] = -opening[:, None], -opening[:, None]
    pose = nods(FRAMES)
    landmarks = project(places + lm3d, pose)
    head = project(torch.tensor([[[0.0, 0, 0]]]).expand(FRAMES, 1, 3), pose)[:, 0]
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    frames = torch.empty(FRAMES, SIZE, SIZE, 3)
    frames[:] = torch.tensor([40.0, 60, 160])
    frames[:, 50:] = 120
    masks = torch.zeros(FRAMES, SIZE, SIZE, dtype=torch.uint8)
    masks[:, 50:] = 2
    for t in range(FRAMES):
        inside = ((x - head[t, 0]) / 14) ** 2 + ((y - head[t, 1]) / 20) ** 2 < 1
        frames[t][inside] = torch.tensor([230.0, 170, 150])
        masks[t][inside] = 1
        mouth = ((x - landmarks[t, 48, 0]) / 5) ** 2 + ((y - landmarks[t, 48:, 1].mean()) / (1 + 2 * opening[t])) ** 2
        frames[t][mouth < 1] = 30
    with VideoWriter(folder / "frames.mp4", size=(SIZE, SIZE)) as video:
        video.write(frames.to(torch.uint8).numpy())
    save_file({"masks": masks}, folder / "masks.safetensors")
    intrinsics = torch.tensor([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])
    tracks = {"lm3d": lm3d, "landmarks_2d": landmarks, "pose": pose, "intrinsics": intrinsics}
    tracks |= {"torso_flow": torch.zeros(FRAMES, 16, 16, 2), "torso_weight": torch.ones(FRAMES, 16, 16)}
    tracks |= {
        "mean_landmarks": places - lm3d[: FRAMES * 4 // 5].mean(0),
        "solid": torch.zeros(CELLS, dtype=torch.uint8),
    }
    tracks["solid"][0, 0, 0] = EMPTY
    save_file({**tracks, "blink": torch.zeros(FRAMES)}, folder / "tracks.safetensors")
    write_image(folder / "background.png", np.full((SIZE, SIZE, 3), (40, 60, 160), np.uint8))
    (folder / "manifest.json").write_text("{}")
