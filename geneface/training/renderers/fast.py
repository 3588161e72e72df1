"""Train a person's renderer on their dataset.

accelerate launch -m geneface.training.renderers.fast --config hub_configs/embedded/train_renderer.json
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geneface.bundles.loading import new_component
from geneface.datasets.person import BACKGROUND, HEAD, TORSO, PersonDataset
from geneface.errors import run_script
from geneface.renderers.camera import triangulate
from geneface.renderers.fast import FastRenderer
from geneface.renderers.window import FastRendering, Window
from geneface.resources import located
from geneface.training.head_prior import HeadPrior
from geneface.training.loop import Loop, LoopConfig, Watch, parse_config
from geneface.training.renderer_figures import PREVIEWED, Frames, final_figures, held_out_figures

FACE = slice(17, 68)
BLINKS = 0.1
SEARCH_WORK = 2.5
"""Time of a step that samples the whole box beside that of a later one."""
SHARE_OF_MEMORY = 0.25
"""Of a GPU's free memory, that the video may take."""
HIDDEN, HIDDEN_WEIGHT = 10, 0.3
"""Cells above the seen torso at which it is taken to go on behind the head, and the weight of that."""
BORDER = 6
"""Cells at the inner edges of a window whose convolutions miss their neighbours."""


@dataclass
class RendererConfig(LoopConfig):
    """Settings of the renderer's training."""

    dataset: str = ""
    """A person dataset (`data.person`)."""
    renderer: str = ""
    """Constructor arguments of a `FastRenderer` that begins as noise; `start` if empty."""
    start: str = "examples/persons/generic/renderer_start"
    """A renderer of many heads of nobody (`training.renderer_start`), which a new person begins as."""
    initial: str = ""
    """A trained renderer of this person to go on from; a new one if empty."""
    hold_out: str = "end"
    """Of `PersonDataset`: which frames are not learned from."""
    mouth_weight: float = 4.0
    """Weight of the mouth's pixels beside 1 for all others."""
    eye_weight: float = 4.0
    """The same of the eyes'."""
    blink_chance: float = 4.0
    """How much more often than others a frame is drawn in which the lids move or are closed."""
    edge_weight: float = 0.1
    """Weight of the L1 distance of neighbouring pixels' differences: sharpness without a perceptual network."""
    mask_weight: float = 0.2
    matte_weight: float = 0.05
    """Weight of the full-size opacity's distance from the parsed mask, whose cells are four pixels wide."""
    spread_weight: float = 2e-3
    """Weight of the spread of opacity along rays: a head is a surface, not a fog."""
    surface_weight: float = 0.02
    """Weight of the distance in cm between where a landmark's ray ends in canonical space and the landmark."""
    warp_decay: float = 1.0
    """Weight of the mean squared displacement, in half sides of the box."""
    warp_rate: float = 0.5
    """Learning rate of the head's warp, in those of the nets."""
    torso_rate: float = 0.25
    """The same of the torso's motion, which begins at the optical flow."""
    window: int = 128
    """Cells a side of the part of the picture that a step renders; smaller ones make many quick steps on a CPU."""
    search_share: float = 0.3
    """Share of the steps in which the whole box is sampled, `search_samples` a ray; then only what can be seen."""
    search_samples: int = 24
    solid_weight: float = 0.03
    """Weight of the head's opacity where the fitted face model says what it must be."""
    samples: int = 8
    """Samples a ray after the search; the finished renderer has its own number, closer round what can be seen."""

    def work_left(self, done: int) -> float:
        searching = max(0, int(self.search_share * self.steps) - done)
        return self.steps - done + (SEARCH_WORK - 1) * searching


class Batches(Frames):
    """Windows of training frames with what the losses compare."""

    def __init__(self, data: PersonDataset, renderer: FastRenderer, config: RendererConfig):
        super().__init__(data, renderer)
        self.grid, self.side, self.scale = renderer.grid, config.window, renderer.size // renderer.grid
        self.config = config
        chances = 1 + (config.blink_chance - 1) * (data.tracks["blink"][self.train].numpy() > BLINKS)
        self.chances = chances / chances.sum()
        face = renderer.skinning.places[FACE].cpu() if renderer.skinning else self.triangulated()
        box = renderer.occupancy.box.cpu()
        self.face = (face - box[0]) / (box[1] - box[0]) * 2 - 1

    def triangulated(self) -> torch.Tensor:
        """[51, 3] cm, where the face's landmarks lie by the video alone."""
        pixels, lm3d, pose = (self.data.track(name)[self.train] for name in ("landmarks_2d", "lm3d", "pose"))
        moves = (lm3d - lm3d.mean(0))[:, FACE]
        return triangulate(pixels[:, FACE], moves, pose, self.data.tracks["intrinsics"])

    def to(self, device: torch.device) -> None:
        """Keep all of the video there, if it has room; a step then waits for no copy."""
        data, frames = self.data, self.data.frames
        roomy = device.type == "cuda" and frames.nbytes < SHARE_OF_MEMORY * torch.cuda.mem_get_info(device)[0]
        self.video = torch.from_numpy(np.ascontiguousarray(frames)).to(device) if roomy else None
        self.masks, self.landmarks = data.masks.to(device), data.tracks["landmarks_2d"].to(device)
        self.known = {
            "windows": self.windows.to(device),
            "pose": data.tracks["pose"].float().to(device),
            "torso": self.torso.to(device),
        }
        self.boxes = {"mouth": self.mouth_boxes.to(device), "eyes": self.eye_boxes.to(device)}
        self.face = self.face.to(device)

    def draw(self, rng: np.random.Generator) -> tuple[Window, np.ndarray]:
        """Numbers of training frames, and the window of them to render: half of the windows lie on the face."""
        index = np.sort(rng.choice(self.train, self.config.batch_size, replace=False, p=self.chances))
        free = self.grid - self.side
        # From beyond the picture's edges, which would else be seen seldom.
        top, left = rng.integers(-self.side // 2, free + self.side // 2 + 1, 2).clip(0, free)
        if rng.random() < 0.5:
            point = self.data.tracks["landmarks_2d"][index[0], rng.integers(68)] / self.scale
            left, top = np.clip(point.numpy() + rng.normal(0, 4, 2) - self.side / 2, 0, free)
        return Window(int(top), int(left), self.side), index

    def batch(self, window: Window, index: np.ndarray) -> dict[str, torch.Tensor]:
        """What a step on a window of these frames needs, where `to` put the rest."""
        device = self.masks.device
        there = torch.from_numpy(index).to(device)
        frames = self.pictures(index).to(device) if self.video is None else self.video[there].permute(0, 3, 1, 2)
        weights = 1 + (self.config.mouth_weight - 1) * window.of(self.inside(self.boxes["mouth"][there]), self.scale)
        weights = weights + (self.config.eye_weight - 1) * window.of(
            self.inside(self.boxes["eyes"][there]), self.scale
        )
        return {name: track[there] for name, track in self.known.items()} | {
            "frames": window.of(frames, self.scale),
            "weights": weights * inner_part(window, self.grid, self.scale).to(device),
            "masks": window.of(self.masks[there].unsqueeze(1), self.masks.shape[-1] // self.grid),
            "pixels": self.in_window(self.landmarks[there][:, FACE], window),
            "face": self.face,
        }

    def in_window(self, pixels: torch.Tensor, window: Window) -> torch.Tensor:
        """Pixels [..., 2] as positions in a window, [-1, 1] inside it."""
        corner = torch.tensor([window.left, window.top]).to(pixels)
        return ((pixels / self.scale - corner) / window.side * 2 - 1).unsqueeze(1)


def inner_part(window: Window, grid: int, scale: int) -> torch.Tensor:
    """[side * scale, side * scale]: 0 at the edges of a window that are not edges of the picture."""
    inner = torch.ones(window.side, window.side)
    inner[: BORDER if window.top else 0] = 0
    inner[:, : BORDER if window.left else 0] = 0
    inner[window.side - (BORDER if window.top + window.side < grid else 0) :] = 0
    inner[:, window.side - (BORDER if window.left + window.side < grid else 0) :] = 0
    return inner.repeat_interleave(scale, 0).repeat_interleave(scale, 1)


def surface_distance(out: FastRendering, batch: dict[str, torch.Tensor], box: torch.Tensor) -> torch.Tensor:
    """Mean distance in cm between where the landmarks' rays end in canonical space and their mean place.

    It gives the head its depth, which few poses show, and the warp its correspondences.
    """
    ends = F.grid_sample(out.canonical.float(), batch["pixels"], align_corners=False).squeeze(2).transpose(1, 2)
    opacity = F.grid_sample(out.head_alpha.detach().float(), batch["pixels"], align_corners=False).view(len(ends), -1)
    inside = (batch["pixels"].abs().amax(-1).squeeze(1) < 1) & (opacity > 0.5)
    distance = ((ends - batch["face"]) * (box[1] - box[0]) / 2).norm(dim=-1)
    return (distance * inside).mean()


def losses(
    out: FastRendering, batch: dict[str, torch.Tensor], box: torch.Tensor, config: RendererConfig
) -> dict[str, torch.Tensor]:
    """Eq. 10 with the mouth weighed up, sharpness, opacities against the parsed masks, and the head's shape."""
    truth, weights = batch["frames"].float() / 255, batch["weights"]
    masks = batch["masks"]
    grid = out.head_alpha.shape[-1]
    error = out.rgb.float() - truth
    photometric = (weights * error.square()).mean()
    across = (weights[..., 1:] * error.diff(dim=-1).abs()).mean()
    down = (weights[..., 1:, :] * error.diff(dim=-2).abs()).mean()

    head = F.interpolate((masks == HEAD).float(), size=(grid, grid), mode="area")
    torso = F.interpolate((masks == TORSO).float(), size=(grid, grid), mode="area")
    small = F.interpolate(truth, size=(grid, grid), mode="area")
    head_colour = (out.head_rgb.float() - small * head).square().mean()
    # Behind the head the neck goes on: a head that turns away must not uncover a hole.
    hidden = head * (F.max_pool2d(F.pad(torso, (0, 0, 0, HIDDEN)), (HIDDEN + 1, 1), stride=1) > 0.5)
    behind = (1 - head) * (out.torso_alpha - torso).square() + HIDDEN_WEIGHT * hidden * (out.torso_alpha - 1).square()
    opacity = (out.head_alpha - head).square().mean() + behind.mean()
    person = F.interpolate(out.alpha, size=(grid, grid), mode="area")
    opacity = opacity + (person - head - torso).square().mean()
    # Where the person has the background's colour, only this tells them apart before another background.
    matte = F.interpolate((masks > BACKGROUND).float(), size=out.alpha.shape[-2:], mode="bilinear")
    return {
        "photometric": photometric,
        "edges": config.edge_weight * (across + down),
        "head_colour": 0.2 * head_colour,
        "opacity": config.mask_weight * opacity,
        "matte": config.matte_weight * (out.alpha.float() - matte).square().mean(),
        "spread": config.spread_weight * out.spread.float().mean(),
        "surface": config.surface_weight * surface_distance(out, batch, box),
    }


@torch.no_grad()
def find_occupied(renderer: FastRenderer, batches: Batches, samples: int, threshold: float, frames: int = 64) -> None:
    """Set the occupancy grid to the cells with at least a share of `threshold` in some ray of training frames."""
    renderer.samples = samples
    renderer.eval()
    seen = torch.zeros_like(renderer.occupancy.grid, dtype=torch.bool)
    index = batches.train[np.linspace(0, len(batches.train) - 1, frames).astype(int)]
    for part in np.split(index, range(8, len(index), 8)):
        batch = batches.conditions(part)
        windows, pose = (batch[name].to(renderer.device) for name in ("windows", "pose"))
        seen |= renderer.visible_cells(windows, pose, threshold)
    renderer.occupancy.set(seen)
    renderer.train()


def find_rate(name: str, config: RendererConfig) -> float:
    """Grids learn faster than nets, for each of their cells is seldom seen; warps slower: where they jump about, no
    texture can form."""
    rates = {"torso_motion": config.torso_rate, "warp": config.warp_rate, "plane": 5.0, "texture": 5.0}
    return config.learning_rate * next((rate for part, rate in rates.items() if part in name), 1.0)


def parameter_groups(
    named: Iterable[tuple[str, torch.nn.Parameter]], config: RendererConfig
) -> list[dict[str, object]]:
    """Of parameters that learn at the same rate."""
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in named:
        groups.setdefault(find_rate(name, config), []).append(parameter)
    return [{"params": group, "lr": rate} for rate, group in groups.items()]


def begin(config: RendererConfig, data: PersonDataset) -> FastRenderer:
    """The renderer before its first step."""
    if config.initial:
        return FastRenderer.from_pretrained(config.initial)
    if config.renderer:
        renderer: FastRenderer = new_component(located(config.renderer), "FastRenderer")
    else:
        renderer = FastRenderer.from_pretrained(config.start)
    renderer.prepare(data)
    return renderer


def train(config: RendererConfig, watch: Watch | None = None) -> Path:
    """Train, and write `output_dir/model`, `report.json` and `test.png`; returns the model's folder."""
    loop = Loop(config, watch)
    data = PersonDataset(config.dataset, config.hold_out)
    component = begin(config, data)
    batches = Batches(data, component, config)
    batches.to(loop.device)
    box = component.occupancy.box.to(loop.device)
    prior = HeadPrior(data.track("solid"), box) if component.skinning else None
    optimizer = torch.optim.Adam(parameter_groups(component.named_parameters(), config), betas=(0.9, 0.99))
    renderer, optimizer = loop.prepare(component, optimizer)
    renderer.train()
    finished_samples, searched = component.samples, int(config.search_share * config.steps)
    for step in loop:
        if step == searched:
            find_occupied(component, batches, config.search_samples, threshold=0.02)
        component.samples = config.search_samples if step < searched else config.samples
        for window, index in loop.microbatches(step, batches.draw):
            batch = batches.batch(window, index)
            with loop.accelerator.autocast():
                out = renderer(batch["windows"], batch["pose"], torso=batch["torso"], window=window)
                solid = prior.error(component, batch["windows"]) if prior else torch.zeros((), device=loop.device)
            terms = losses(out, batch, component.occupancy.box, config)
            terms["warp"] = config.warp_decay * component.warp.square().mean()
            terms["solid"] = config.solid_weight * solid
            loop.backward(torch.stack(list(terms.values())).sum())
        loop.update(optimizer, renderer)
        loop.record(**terms)
        if picture := loop.preview_due(step):
            loop.previewed({"dev": held_out_figures(component, batches, "dev", picture, PREVIEWED)})
    find_occupied(component, batches, config.search_samples, threshold=0.05)
    component.samples = finished_samples
    model = loop.finish(renderer, dtype=torch.float16)
    if loop.accelerator.is_main_process:
        loop.report(final_figures(type(component).from_pretrained(model).to(loop.device), batches, loop.folder))
    return model


if __name__ == "__main__":
    run_script(lambda: train(parse_config(RendererConfig)))
