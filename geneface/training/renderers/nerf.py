"""Train the paper's renderer of a person on their dataset: first the head, then the torso in front of it.

accelerate launch -m geneface.training.renderers.nerf --config hub_configs/paper/train_nerf.json
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geneface.bundles.loading import new_component
from geneface.datasets.person import HEAD, TORSO, PersonDataset
from geneface.errors import run_script
from geneface.renderers.nerf import NerfRenderer, RayColours
from geneface.resources import located
from geneface.training.loop import Loop, LoopConfig, Watch, parse_config
from geneface.training.renderer_figures import PREVIEWED, Frames, final_figures, held_out_figures

MARGIN = 2
"""Cells of the masks round a part that count as the part when rays are drawn: its outline."""


@dataclass
class NerfConfig(LoopConfig):
    """Settings of the training of `NerfRenderer`."""

    dataset: str = ""
    """A person dataset (`datasets.person`)."""
    renderer: str = "hub_configs/paper/renderer.json"
    """Constructor arguments of `NerfRenderer`."""
    head: str = ""
    """A trained `NerfRenderer` of this person whose head is taken; all steps are then the torso's."""
    head_share: float = 0.5
    """Share of the steps that train the head; the rest train the torso."""
    rays: int = 2048
    """Rays of each of the `batch_size` frames of a step."""
    samples: int = 64
    fine_samples: int = 128
    """Along each ray in training; the finished renderer has its own numbers."""
    part_share: float = 0.6
    """Share of the rays that meet the part in training, head or torso."""
    mouth_share: float = 0.15
    """Share of the head's rays that meet the mouth; the rest of the rays lie anywhere."""
    landmark_noise: float = 0.05
    """cm: noise on the landmarks, without which a short video is learnt by heart."""
    evaluated: int = 10
    """Held-out frames of each split in the report."""


class RayBatches(Frames):
    """Random rays of training frames and the colours that they should see."""

    def __init__(self, data: PersonDataset, renderer: NerfRenderer, config: NerfConfig):
        super().__init__(data, renderer)
        self.config = config
        self.size = data.background.shape[-1]
        self.plate = data.background.permute(1, 2, 0).reshape(-1, 3)

    def draw(self, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Frames with rays for the head and for the torso.

        Returns:
            windows [B, 3, 68, 3], pose [B, 3, 4], and for each part the numbers `*_pixels` [B, R] of its rays, with
            their colours `*_truth` and those of the background `*_plate`, uint8 [B, R, 3]. In the head's truth the
            torso is replaced by the background.
        """
        config = self.config
        index = np.sort(rng.choice(self.train, config.batch_size, replace=config.batch_size > len(self.train)))
        batch = self.conditions(index)
        masks = self.data.masks[index]
        for name, part, mouth_share in (("head", HEAD, config.mouth_share), ("torso", TORSO, 0.0)):
            grown = F.max_pool2d((masks == part).float(), 2 * MARGIN + 1, stride=1, padding=MARGIN) > 0
            pixels = np.stack(
                [self.pick(rng, cells, int(t), mouth_share) for t, cells in zip(index, grown.numpy(), strict=True)]
            )
            colours = [self.data.frames[t].reshape(-1, 3)[chosen] for t, chosen in zip(index, pixels, strict=True)]
            batch[f"{name}_pixels"] = torch.from_numpy(pixels)
            batch[f"{name}_truth"] = torch.from_numpy(np.stack(colours))
            batch[f"{name}_plate"] = self.plate[batch[f"{name}_pixels"]]
        torso = self.at_pixels((masks == TORSO).float(), batch["head_pixels"])
        batch["head_truth"] = torch.lerp(batch["head_truth"].float(), batch["head_plate"].float(), torso).byte()
        return batch

    def pick(self, rng: np.random.Generator, cells: np.ndarray, frame: int, mouth_share: float) -> np.ndarray:
        """Numbers [R] of pixels of a frame: in the cells [H, W] of a part, in the mouth, and anywhere."""
        rays, scale = self.config.rays, self.size // cells.shape[-1]
        part = np.flatnonzero(cells)
        in_part = int(self.config.part_share * rays) if len(part) else 0
        in_mouth = min(int(mouth_share * rays), rays - in_part)
        rows, columns = np.divmod(part[rng.integers(0, len(part), in_part)] if in_part else part[:0], cells.shape[-1])
        left, top, right, bottom = self.mouth_boxes[frame, 0].clamp(0, self.size - 1).tolist()
        anywhere = rays - in_part - in_mouth
        y = [
            rows * scale + rng.integers(0, scale, in_part),
            rng.integers(top, max(bottom, top + 1), in_mouth),
            rng.integers(0, self.size, anywhere),
        ]
        x = [
            columns * scale + rng.integers(0, scale, in_part),
            rng.integers(left, max(right, left + 1), in_mouth),
            rng.integers(0, self.size, anywhere),
        ]
        return np.concatenate(y) * self.size + np.concatenate(x)

    def at_pixels(self, picture: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """[B, h, w], enlarged to the frame, at pixels [B, R]: [B, R, 1]."""
        places = torch.stack([pixels % self.size, pixels // self.size], dim=-1)
        where = ((places + 0.5) / self.size * 2 - 1).unsqueeze(1)
        picture = picture.unsqueeze(1)
        return F.grid_sample(picture, where, align_corners=False, padding_mode="border").view(*pixels.shape, 1)


def photometric(seen: RayColours, background: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean squared error of the fine and of the coarse colours [B, R, 3] (Eq. 10), before a background."""
    fine = (seen.over(background) - truth).square().mean()
    return fine, (seen.coarse_over(background) - truth).square().mean()


def sample_counts(renderer: NerfRenderer, samples: int, fine_samples: int) -> None:
    """Set how often rays are sampled."""
    for part in (renderer.head, renderer.torso):
        part.field.samples, part.field.fine_samples = samples, fine_samples


def new_renderer(config: NerfConfig, data: PersonDataset) -> NerfRenderer:
    renderer: NerfRenderer = new_component(located(config.renderer), "NerfRenderer")
    renderer.prepare(data)
    if config.head:
        trained = NerfRenderer.from_pretrained(config.head)
        renderer.head.load_state_dict(trained.head.state_dict())
        renderer.condition.load_state_dict(trained.condition.state_dict())
    return renderer


def train(config: NerfConfig, watch: Watch | None = None) -> Path:
    """Train, and write `output_dir/model`, `report.json` and `test.png`; returns the model's folder."""
    loop = Loop(config, watch)
    data = PersonDataset(config.dataset)
    renderer: NerfRenderer = new_renderer(config, data).to(loop.device)
    batches = RayBatches(data, renderer, config)
    head_steps = 0 if config.head else round(config.head_share * config.steps)
    optimizers = [
        torch.optim.Adam(part.parameters(), lr=config.learning_rate) for part in (renderer.head, renderer.torso)
    ]
    head, head_optimizer = loop.prepare(renderer.head, optimizers[0], steps=head_steps)
    torso, torso_optimizer = loop.prepare(renderer.torso, optimizers[1], steps=config.steps - head_steps)
    shipped_samples = renderer.head.field.samples, renderer.head.field.fine_samples
    sample_counts(renderer, config.samples, config.fine_samples)

    for step in loop:
        at_head = step < head_steps
        part = "head" if at_head else "torso"
        head.train(at_head)
        torso.train(not at_head)
        for batch in loop.microbatches(step, batches.draw):
            batch = {name: value.to(loop.device, non_blocking=True) for name, value in batch.items()}
            pixels = batch[f"{part}_pixels"]
            truth, plate = (batch[f"{part}_{kind}"].float() / 255 for kind in ("truth", "plate"))
            noise = config.landmark_noise * torch.randn_like(batch["windows"])
            landmarks = renderer.landmarks(batch["windows"] + noise)
            rays = renderer.rays(batch["pose"], pixels)
            if at_head:
                fine, coarse = photometric(head(landmarks, *rays), plate, truth)
            else:
                with torch.no_grad():
                    head_colour = head(landmarks, *rays).over(plate)
                canonical = renderer.rays(renderer.scene.reference_pose.expand_as(batch["pose"]), pixels)
                numbers = renderer.pose_numbers(batch["pose"])
                seen = torso(landmarks, numbers, head_colour, *canonical)
                fine, coarse = photometric(seen, head_colour, truth)
            loop.backward(fine + coarse)
        if at_head:
            loop.update(head_optimizer, head)
        else:
            loop.update(torso_optimizer, torso)
        # The noise of drawn rays is easier to read in dB.
        loop.record(
            **{f"{part}_psnr": -10 * fine.detach().log10(), f"{part}_coarse_psnr": -10 * coarse.detach().log10()}
        )
        if picture := loop.preview_due(step):
            with loop.accelerator.autocast():
                loop.previewed({"dev": held_out_figures(renderer, batches, "dev", picture, PREVIEWED)})

    sample_counts(renderer, *shipped_samples)
    model = loop.finish(renderer, dtype=torch.float16)
    if loop.accelerator.is_main_process:
        shipped = type(renderer).from_pretrained(model).to(loop.device)
        with loop.accelerator.autocast():
            figures = final_figures(shipped, batches, loop.folder, config.evaluated)
        loop.report(figures)
    return model


if __name__ == "__main__":
    run_script(lambda: train(parse_config(NerfConfig)))
