"""What a person's video shows of the person: how far the head turns, how wide the mouth opens."""

from collections.abc import Mapping

import torch

from geneface.metrics import lm3d_opening
from geneface.renderers.scene import mean_pose


def head_turns(pose: torch.Tensor) -> dict[str, float]:
    """Degrees that the head of poses [T, 3, 4] turns from its mean to each side, seen from the person."""
    pose = pose.double()
    relative = mean_pose(pose)[:, :3].T @ pose[:, :, :3]
    yaw = torch.rad2deg(torch.atan2(relative[:, 0, 2], relative[:, 2, 2]))
    pitch = torch.rad2deg(torch.asin(relative[:, 1, 2].clamp(-1, 1)))
    turns = {"right": -yaw.min(), "left": yaw.max(), "down": -pitch.min(), "up": pitch.max()}
    return {side: float(turn.clamp_min(0)) for side, turn in turns.items()}


def what_it_shows(tracks: Mapping[str, torch.Tensor], frames: int) -> str:
    """One sentence on the first `frames` of a dataset's tracks, those that are learned from."""
    turns = head_turns(tracks["pose"][:frames].float())
    parts = ", ".join(
        f"{turn:.0f} to the {side}" if side in ("right", "left") else f"{turn:.0f} {side}"
        for side, turn in turns.items()
    )
    opening = lm3d_opening(tracks["lm3d"][:frames].float().numpy(), tracks["mean_landmarks"].float().numpy())
    return (
        f"the video shows the head turned by {parts} (degrees), and the mouth open by up to {opening.max():.1f} cm; "
        "what goes further was never seen, and is guessed"
    )
