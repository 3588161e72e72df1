"""The real-time renderer: a conditional radiance field of the head, a head-aware torso, one upsampler.

Same conditions as the paper's NeRF (Eq. 6-9): landmarks of three neighbouring frames and head pose for the
head, head pose and the rendered head for the torso. Head and torso are composited as features on a coarse
grid and decoded together, so there is no seam to hide; learned textures, looked up where each ray ends in
canonical space, carry the detail that the coarse grid cannot.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from geneface.renderers.camera import pixel_directions, rays_in_head_frame
from geneface.renderers.condition import (
    POSE_SIZE,
    Condition,
    LandmarkCondition,
    PartedCondition,
    codes_by_part,
    held_back,
    pose_vector,
)
from geneface.renderers.matte import smooth_matte
from geneface.renderers.occupancy import OccupancyGrid
from geneface.renderers.renderer import HEAD_BOX, Renderer, TrainingData, box_tensor
from geneface.renderers.scene import Scene, there_and_back
from geneface.renderers.skinning import NODES, LandmarkSkinning
from geneface.renderers.torso import BODY_SIZE, TorsoMotion
from geneface.renderers.upsampler import Upsampler
from geneface.renderers.volume import compositing_weights, depth_spread, sample_depths
from geneface.renderers.window import FastRendering, Window
from geneface.utils.config import SIDE, WIDTH

TORSO = 2
"""Of a person dataset's masks."""
TURN_NOISE, ANCHORED_TURN_NOISE = 0.02, 0.1
MOST_NUMBERS = 2**28
"""Of one layer of a frame's field; 1 GB. The default takes 6 million."""
LEAST_STEP = 1e-8
LEAST_SEEN, TORSO_MARGIN = 0.02, 4
"""Of a torso's highest row: the share of training frames that show it, and the cells left above."""


class FastRenderer(Renderer):
    """A person's head and torso.

    Args:
        size: Pixels a side of the picture.
        grid: Rays a side.
        samples: Samples along a ray (Eq. 7), where the occupancy grid says that something can be seen.
        box: Least and greatest corner of the head's volume, in cm of the head frame.
        plane_size, plane_channels: The three feature planes.
        warp_size: Cells a side of the grid of landmark-driven displacements.
        hidden, features: Widths of the field and of the composited feature map.
        texture_size: Pixels a side of the canonical texture of the head; the torso's covers the picture's lower half.
        components: Principal components of LM3D that condition the head.
        pose_frames: Length of the natural pose track kept with the person.
        head_aware: Whether the torso is told of the rendered head (Eq. 9), as the paper's ablation asks.
        anchored: Whether the landmarks carry the head's volume with them, and what expressions change is kept near
            mouth and eyes; in older bundles all of that was learned.
    """

    renamed: ClassVar = {"scene.body_track": "torso_track"}
    ranges: ClassVar = {
        "size": SIDE,
        "grid": (2, 1024),
        "samples": (1, 512),
        "plane_size": SIDE,
        "plane_channels": (1, 1024),
        "warp_size": (2, 128),
        "hidden": WIDTH,
        "features": (1, 1024),
        "texture_size": (2, 8192),
        "components": (1, 204),
        "pose_frames": (1, 1_000_000),
        "audio_features": WIDTH,
    }
    torso_top: torch.Tensor
    torso_track: torch.Tensor
    turn_limit: torch.Tensor

    def __init__(
        self,
        *,
        size: int = 512,
        grid: int = 128,
        samples: int = 6,
        box: Sequence[Sequence[float]] = HEAD_BOX,
        plane_size: int = 112,
        plane_channels: int = 16,
        warp_size: int = 16,
        hidden: int = 64,
        features: int = 32,
        texture_size: int = 384,
        components: int = 10,
        pose_frames: int = 750,
        head_aware: bool = True,
        anchored: bool = False,
    ):
        super().__init__()
        if size % grid or size // grid % 2:
            raise ValueError(f"size ({size}) must be an even multiple of grid ({grid})")
        if grid * grid * samples * hidden > MOST_NUMBERS:
            raise ValueError("grid, samples and hidden together ask for too much memory a frame")
        self.size, self.grid, self.samples, self.head_aware = size, grid, samples, head_aware
        self.condition = PartedCondition(components) if anchored else self.new_condition(components)
        spoken = self.condition.frames * components
        known = spoken + POSE_SIZE
        self.scene = Scene(size, pose_frames)
        self.occupancy = OccupancyGrid(box_tensor(box))

        self.planes = nn.Parameter(0.1 * torch.randn(3, plane_channels, plane_size, plane_size))
        self.skinning = LandmarkSkinning() if anchored else None
        self.turn_noise = ANCHORED_TURN_NOISE if anchored else TURN_NOISE
        if anchored:
            self.register_buffer("turn_limit", torch.ones(POSE_SIZE))
        nodes = NODES if anchored else (warp_size,) * 3
        self.warp = nn.Parameter(torch.zeros(components + POSE_SIZE, 3, *nodes))
        self.field_in = nn.Linear(3 * plane_channels, hidden)
        self.field_condition = nn.Linear(spoken if anchored else known, hidden, bias=False)
        self.field_density = nn.Linear(hidden, 1)
        self.ray_in = nn.Linear(hidden, hidden)
        self.ray_condition = nn.Linear(spoken if anchored else known, hidden, bias=False)
        self.ray_turn = nn.Linear(POSE_SIZE, hidden, bias=False) if anchored else None
        self.ray_out = nn.Linear(hidden, features)
        self.head_colour = nn.Conv2d(features, 3, 1)

        self.torso_plane = nn.Parameter(0.1 * torch.randn(1, features, grid // 2, grid // 2))
        self.torso_motion = TorsoMotion()
        self.register_buffer("torso_top", torch.tensor(0))
        self.register_buffer("torso_track", torch.zeros(pose_frames, BODY_SIZE))
        self.torso_condition = nn.Linear(POSE_SIZE, features, bias=False)
        self.torso_net = nn.Sequential(
            nn.Conv2d(features + 4, features, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(features, features + 1, 3, padding=1),
        )

        self.head_texture = nn.Parameter(0.02 * torch.randn(1, 3, texture_size, texture_size))
        self.torso_texture = nn.Parameter(0.02 * torch.randn(1, 3, texture_size // 2, texture_size))
        self.decoder = Upsampler(features + 2, scale=size // grid, textures=2)

    def new_condition(self, components: int) -> Condition:
        """What makes of `windows` the codes [B, frames, components] that drive the head."""
        return LandmarkCondition(components)

    def forward(
        self,
        windows: torch.Tensor,
        pose: torch.Tensor,
        background: torch.Tensor | None = None,
        torso: torch.Tensor | None = None,
        window: Window | None = None,
    ) -> FastRendering:
        """Render B frames.

        Args:
            windows, pose, background, torso: As of `Renderer`.
            window: Part of the grid to render, in training; sizes in the result are then the window's.
        """
        window = window or Window(0, 0, self.grid)
        turn = pose_vector(pose, self.scene.reference_pose)
        seen_turn, shift = self.seen_turn(turn), self.face_shift(windows)
        if self.training:
            windows = self.condition.noisy(windows)
        head, head_alpha, canonical, spread = self.render_head(self.condition(windows), seen_turn, pose, window, shift)
        head_rgb = self.head_colour(head) * head_alpha
        moved = self.torso_motion(turn, self.torso_state(pose) if torso is None else torso)
        torso_features, torso_alpha, torso_uv = self.render_torso(
            turn, moved, head_rgb.detach(), head_alpha.detach(), window
        )

        lower_half = torch.stack([torso_uv[:, 0], 2 * torso_uv[:, 1] - 1], dim=1)
        composite = head * head_alpha + torso_features * torso_alpha * (1 - head_alpha)
        torso_share = torso_alpha * (1 - head_alpha)
        rgb, alpha = self.decoder(
            torch.cat([composite, head_alpha, torso_share], dim=1),
            (self.head_texture, canonical[:, :2], head_alpha),
            (self.torso_texture, lower_half, torso_share),
        )
        if background is None:
            background = window.of(self.scene.background, self.size // self.grid).to(rgb.dtype) / 255
        else:
            alpha = smooth_matte(alpha)
        return FastRendering(
            rgb=torch.lerp(background.expand_as(rgb), rgb, alpha),
            alpha=alpha,
            head_alpha=head_alpha,
            torso_alpha=torso_alpha,
            head_rgb=head_rgb,
            spread=spread,
            canonical=canonical,
        )

    @torch.no_grad()
    def prepare(self, data: TrainingData) -> None:
        """As `Renderer.prepare`; also how the torso moves, from its optical flow, and the rows that ever show it."""
        super().prepare(data)
        train = list(data.train)
        flow, weight, turn = self._torso_flow(data)
        self.torso_motion.fit(flow[train], weight[train], turn[train])
        seen = (data.masks[train] == TORSO).float().mean(0)
        rows = (seen.amax(1) > LEAST_SEEN).nonzero()
        top = int(rows[0] * self.grid / len(seen)) if len(rows) else 0
        self.torso_top.fill_(max(0, top - TORSO_MARGIN))
        self.torso_track.copy_(there_and_back(self.tracked_torso(data)[train], len(self.torso_track)))
        if self.skinning is not None:
            pose, mean = data.track("pose")[train], data.track("lm3d")[train].mean(0)
            self.skinning.places.copy_(data.track("mean_landmarks") + mean)
            self.turn_limit.copy_(pose_vector(pose, self.scene.reference_pose.cpu()).abs().amax(0))

    def seen_turn(self, turn: torch.Tensor) -> torch.Tensor:
        """What the head's look is told of its pose [B, 6]: roughly while it learns, and no more than was seen."""
        if self.training:
            turn = turn + self.turn_noise * torch.randn_like(turn)
        return turn if self.skinning is None else held_back(turn, self.turn_limit)

    def face_shift(self, windows: torch.Tensor) -> torch.Tensor | None:
        """How landmarks [B, frames, 68, 3] move the face's volume, [B, 3, *NODES] cm; None where that is learned."""
        if self.skinning is None:
            return None
        return self.skinning(windows[:, self.condition.frames // 2] - self.condition.mean)

    def tracked_torso(self, data: TrainingData) -> torch.Tensor:
        return self.torso_motion.body(*self._torso_flow(data))

    def _torso_flow(self, data: TrainingData) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        flow, weight, pose = (data.track(name).to(self.device) for name in ("torso_flow", "torso_weight", "pose"))
        return flow, weight, pose_vector(pose, self.scene.reference_pose)

    def torso_state(self, pose: torch.Tensor) -> torch.Tensor:
        """[T, 8]: how the torso lay when the head was like that, as a mean over the natural track.

        Weights fall off with the distance of the poses (Nadaraya-Watson); the kernel is as wide as one frame's step,
        or as the nearest pose is far: poses of the track keep their own torso, those between go over smoothly.
        """
        track = pose_vector(self.scene.pose_track.float(), self.scene.reference_pose.float())
        turn = pose_vector(pose.float(), self.scene.reference_pose.float())
        with torch.autocast(pose.device.type, enabled=False):
            distance = (turn[:, None] - track).square().sum(-1)
            step = track.diff(dim=0).norm(dim=1).median().square()
            width = distance.amin(1, keepdim=True) + step + LEAST_STEP
            return torch.softmax(-distance / (2 * width), dim=1) @ self.torso_track.float()

    def render_head(
        self,
        codes: torch.Tensor,
        turn: torch.Tensor,
        pose: torch.Tensor,
        window: Window,
        shift: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """March rays through the head's radiance field (Eq. 6-8).

        Args:
            codes: [B, frames, components], of the condition.
            turn: [B, 6].
            pose: [B, 3, 4].
            shift: Of `face_shift`.

        Returns:
            Features [B, C, grid, grid], opacity [B, 1, grid, grid], where each ray ends in canonical space
            [B, 3, grid, grid], in [-1, 1], and the spread [B, R] of the rays' opacity.
        """
        batch = len(pose)
        rays, points, step = self.sample_rays(pose, window)
        canonical = self.canonical(points, codes, turn, shift)
        hidden, density = self.field(canonical, codes, turn)
        weights = compositing_weights(density, step).unsqueeze(-2)
        spread = depth_spread(weights.squeeze(-2), step)
        opacity = weights.sum(-1)
        mean = 1 / opacity.clamp_min(1e-4)
        # Not a matrix product: autocast would round places to whole pixels.
        surface = (weights.mT * canonical).sum(-2) * mean
        # Colour features are computed once per ray from the composited field: 16 times fewer than per sample.
        mixed = (weights.mT * hidden).sum(-2) * mean
        on_ray = self.conditioned(self.ray_in, [mixed], self.ray_condition, surface, codes, turn)
        if self.ray_turn is not None:
            on_ray = on_ray.add_(self.ray_turn(turn).unsqueeze(1))
        features = self.ray_out(F.relu(on_ray, inplace=True))
        ray_values = torch.cat([features, opacity, surface], dim=-1)
        flat = ray_values.new_zeros(batch, window.side**2, ray_values.shape[-1])
        flat = flat.scatter(1, rays[..., None].expand_as(ray_values), ray_values)
        image = flat.view(batch, window.side, window.side, -1).permute(0, 3, 1, 2)
        features_map, alpha, surface_map = image.split([features.shape[-1], 1, 3], dim=1)
        return features_map.contiguous(), alpha, surface_map, spread

    def sample_rays(self, pose: torch.Tensor, window: Window) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Samples on the rays that meet occupied space; frames of a batch are padded to the largest count.

        Args:
            pose: [B, 3, 4].

        Returns:
            Numbers of the rays [B, R], sample points [B, R, S, 3] in cm, and their spacing [B, R, 1].
        """
        intrinsics = self.scene.intrinsics
        directions = pixel_directions(intrinsics, self.size, self.grid).view(self.grid, self.grid, 3)
        directions = window.of(directions.permute(2, 0, 1)).flatten(1).T
        origins, directions = rays_in_head_frame(directions, pose)
        near, far = self.occupancy.depth_range(pose, intrinsics, self.size, self.grid)
        near, far = window.of(near).flatten(1), window.of(far).flatten(1)
        hit = far > near

        count = max(1, int(hit.sum(1).max()))
        rays = torch.argsort(hit.to(torch.uint8), dim=1, descending=True, stable=True)[:, :count]
        near, far = near.gather(1, rays), torch.where(hit, far, near).gather(1, rays)
        directions = directions.gather(1, rays[..., None].expand(-1, -1, 3))
        jitter = torch.rand(*near.shape, self.samples, device=near.device) if self.training else None
        depths, step = sample_depths(near, far, self.samples, jitter)
        return rays, origins.unsqueeze(2) + directions.unsqueeze(2) * depths.unsqueeze(-1), step

    @torch.no_grad()
    def visible_cells(self, windows: torch.Tensor, pose: torch.Tensor, threshold: float) -> torch.Tensor:
        """Occupancy cells with at least a share of `threshold` in some ray's colour, [Z, Y, X] bool; arguments as
        `forward`."""
        codes, turn = self.condition(windows), self.seen_turn(pose_vector(pose, self.scene.reference_pose))
        _, points, step = self.sample_rays(pose, Window(0, 0, self.grid))
        canonical = self.canonical(points, codes, turn, self.face_shift(windows))
        _, density = self.field(canonical, codes, turn)
        seen = torch.zeros_like(self.occupancy.grid, dtype=torch.bool)
        cells = self.occupancy.cells(points)
        seen.view(-1)[cells[compositing_weights(density, step) > threshold]] = True
        return seen

    def canonical(
        self, points: torch.Tensor, codes: torch.Tensor, turn: torch.Tensor, shift: torch.Tensor | None
    ) -> torch.Tensor:
        """Where points [B, R, S, 3] in cm of the head frame lie on the resting head, in [-1, 1] of the box."""
        box = self.occupancy.box
        unit = (points - box[0]) / (box[1] - box[0]) * 2 - 1
        strengths = torch.cat([codes[:, self.condition.frames // 2], turn], dim=-1)
        learned = torch.einsum("bk,kczyx->bczyx", strengths, self.warp)
        if self.skinning is not None and shift is not None:
            return unit + self.skinning.sample(learned + (2 / (box[1] - box[0])).view(3, 1, 1, 1) * shift, points)
        moved = F.grid_sample(learned, unit.unsqueeze(1), align_corners=True, padding_mode="border")
        return unit + moved.squeeze(2).permute(0, 2, 3, 1)

    def field(
        self, canonical: torch.Tensor, codes: torch.Tensor, turn: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The implicit function F (Eq. 6), with latent values in place of colours.

        Args:
            canonical: [B, R, S, 3].

        Returns:
            Field values [B, R, S, hidden], density [B, R, S] per cm.
        """
        batch, rays, samples, _ = canonical.shape
        xy, xz, zy = canonical[..., [0, 1]], canonical[..., [0, 2]], canonical[..., [2, 1]]
        where = torch.stack([xy, xz, zy]).view(3, -1, 1, 2)
        sampled = F.grid_sample(self.planes, where, align_corners=True, padding_mode="border")
        inputs = [plane.squeeze(-1).T.unflatten(0, (batch, -1)) for plane in sampled]
        told = self.conditioned(self.field_in, inputs, self.field_condition, canonical.flatten(1, 2), codes, turn)
        hidden = F.relu(told, inplace=True)
        # Nearly transparent at first: rays then see through to where the pictures agree.
        density = F.softplus(self.field_density(hidden) - 4)
        return hidden.view(batch, rays, samples, -1), density.view(batch, rays, samples)

    def conditioned(
        self,
        layer: nn.Linear,
        inputs: list[torch.Tensor],
        condition: nn.Linear,
        canonical: torch.Tensor,
        codes: torch.Tensor,
        turn: torch.Tensor | None,
    ) -> torch.Tensor:
        """`layer` of inputs, each [B, N, C], at places [B, N, 3], and what codes and pose add: [B, N, hidden]."""
        if self.skinning is None:
            known = torch.cat([codes.flatten(1), turn], dim=-1) if turn is not None else codes.flatten(1)
            return layer(torch.cat(inputs, dim=-1)).add_(condition(known).unsqueeze(1))
        near = self.skinning.nearness(canonical, self.occupancy.box)
        parts = condition(codes_by_part(codes))
        weights = torch.cat([layer.weight.T.expand(len(codes), -1, -1).to(parts.dtype), parts], dim=1)
        return torch.baddbmm(layer.bias, torch.cat([*inputs, near], dim=-1), weights)

    def render_torso(
        self,
        turn: torch.Tensor,
        moved: torch.Tensor,
        head_rgb: torch.Tensor,
        head_alpha: torch.Tensor,
        window: Window,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The torso in canonical space, moved by [B, 2, cells, cells] and aware of the rendered head (Eq. 9).

        Returns:
            Features [B, C, grid, grid], opacity [B, 1, grid, grid], canonical positions [B, 2, grid, grid].
        """
        top = min(max(int(self.torso_top) - window.top, 0), window.side - TORSO_MARGIN)
        shift = F.interpolate(moved, size=(self.grid, self.grid), mode="bilinear", align_corners=True)
        centres = (2 * torch.arange(self.grid, device=turn.device, dtype=turn.dtype) + 1) / self.grid - 1
        pixels = torch.stack(torch.meshgrid(centres, centres, indexing="xy"))
        canonical = window.of(pixels + shift)
        plane, where = self.torso_plane.expand(len(turn), -1, -1, -1), canonical[:, :, top:].permute(0, 2, 3, 1)
        features = F.grid_sample(plane, where, align_corners=False, padding_mode="border")
        features = features + self.torso_condition(turn)[:, :, None, None]
        if not self.head_aware:
            head_rgb, head_alpha = torch.zeros_like(head_rgb), torch.zeros_like(head_alpha)
        known = torch.cat([features, head_rgb[:, :, top:], head_alpha[:, :, top:]], dim=1)
        out = self.torso_net(known.contiguous(memory_format=torch.channels_last))
        features, opacity = (
            F.pad(part, (0, 0, top, 0)) for part in (features + out[:, 1:], torch.sigmoid(out[:, :1]))
        )
        return features, opacity, canonical
