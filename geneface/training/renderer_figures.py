"""What the trainings of all renderers share: the person's frames, and the figures on held-out ones."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geneface.datasets.person import HEAD, PersonDataset
from geneface.media.image import write_image
from geneface.metrics import psnr
from geneface.renderers.renderer import Renderer

EVALUATED = 100
"""Most frames of a split that are evaluated, evenly spread."""
SHOWN = 6
"""Of these, in the picture."""
PREVIEWED = 4
"""Frames of a preview while it learns."""


class Frames:
    """A person's frames with their conditions."""

    def __init__(self, data: PersonDataset, renderer: Renderer):
        self.data = data
        self.torso = renderer.tracked_torso(data).cpu()
        self.windows = renderer.windows(data.track(renderer.track))
        self.mouth_boxes, self.eye_boxes = data.mouth_boxes().unsqueeze(1), data.eye_boxes()
        self.train = np.array(data.train)

    def conditions(self, index: np.ndarray) -> dict[str, torch.Tensor]:
        pose = self.data.tracks["pose"][index].float()
        return {"windows": self.windows[index], "pose": pose, "torso": self.torso[index]}

    def pictures(self, index: np.ndarray) -> torch.Tensor:
        """uint8 [B, 3, H, W]"""
        return torch.from_numpy(self.data.frames[index]).permute(0, 3, 1, 2)

    def mouths(self, index: np.ndarray) -> torch.Tensor:
        """[B, 1, H, W]: 1 in the mouth's box."""
        return self.inside(self.mouth_boxes[index])

    def eyes(self, index: np.ndarray) -> torch.Tensor:
        """[B, 1, H, W]: 1 in the eyes' boxes."""
        return self.inside(self.eye_boxes[index])

    def inside(self, boxes: torch.Tensor) -> torch.Tensor:
        """[B, 1, H, W]: 1 in any of the boxes [B, N, 4] of a frame."""
        rows, columns = (torch.arange(side, device=boxes.device) for side in self.data.frames.shape[1:3])
        left, top, right, bottom = boxes.unsqueeze(-1).unbind(-2)
        down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
        return (down.unsqueeze(-1) & across.unsqueeze(-2)).any(1, keepdim=True).float()


@torch.no_grad()
def held_out_figures(
    renderer: Renderer,
    frames: Frames,
    split: str,
    picture: Path | None = None,
    most: int = EVALUATED,
    torso: bool = True,
) -> dict[str, float]:
    """PSNR of the full frame, the head and the mouth (docs/measures.md, Images), rendered from tracked landmarks.

    Args:
        picture: Where to show some frames, real above rendered.
        most: Frames that are evaluated, evenly spread.
        torso: Whether the tracked motion of the torso is given, too, or the head's pose alone.
    """
    renderer.eval()
    index = np.array(frames.data.split(split))
    index = index[:: -(-len(index) // most)]
    shown = set(index[np.linspace(0, len(index) - 1, min(SHOWN, len(index))).astype(int)].tolist())
    scores: dict[str, list[float]] = {"full": [], "head": [], "mouth": []}
    columns = []
    for start in range(0, len(index), 8):
        part = index[start : start + 8]
        conditions = {name: value.to(renderer.device) for name, value in frames.conditions(part).items()}
        out = renderer(conditions["windows"], conditions["pose"], torso=conditions["torso"] if torso else None).rgb
        rendered = (out.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
        truth = frames.pictures(part)
        head = F.interpolate((frames.data.masks[part].unsqueeze(1) == HEAD).float(), size=truth.shape[-2:]) > 0
        regions = {"full": torch.ones_like(head), "head": head, "mouth": frames.mouths(part) > 0}
        for name, region in regions.items():
            for a, b, mask in zip(truth, rendered, region, strict=True):
                scores[name].append(float(psnr(a.numpy(), b.numpy(), mask.expand_as(a).numpy())))
        for number, a, b in zip(part.tolist(), truth, rendered, strict=True):
            if number in shown:
                columns.append(torch.cat([a, b], dim=1).permute(1, 2, 0).numpy())
    if picture:
        write_image(picture, np.concatenate(columns, axis=1))
    renderer.train()
    return {name: float(np.mean(values)) for name, values in scores.items()}


def final_figures(
    renderer: Renderer, frames: Frames, folder: Path, most: int = EVALUATED
) -> dict[str, dict[str, float]]:
    """Held-out figures of a finished renderer; writes `test.png`."""
    return {
        "dev": held_out_figures(renderer, frames, "dev", most=most),
        "test": held_out_figures(renderer, frames, "test", picture=folder / "test.png", most=most),
        "test_by_pose_alone": held_out_figures(renderer, frames, "test", most=most, torso=False),
    }
