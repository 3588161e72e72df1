import numpy as np
import pytest
import torch

from geneface.training.shown import head_turns, what_it_shows


def turned(yaw: float, pitch: float) -> torch.Tensor:
    """A pose [3, 4] turned to the person's left and up, in degrees."""
    a, b = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    rotation = np.diag([1.0, -1, -1]) @ about_y @ about_x
    return torch.from_numpy(np.column_stack([rotation, [0, 0, 100]])).float()


def test_turns_are_told_by_side() -> None:
    pose = torch.stack([turned(0, 0)] * 40 + [turned(20, 0), turned(-10, 0), turned(0, 5), turned(0, -15)])
    assert head_turns(pose) == {
        "right": pytest.approx(10, abs=0.6),
        "left": pytest.approx(20, abs=0.6),
        "down": pytest.approx(15, abs=0.6),
        "up": pytest.approx(5, abs=0.6),
    }


def test_only_what_is_learned_from_is_told() -> None:
    lm3d, mean = torch.zeros(10, 68, 3), torch.zeros(68, 3)
    lm3d[4, [65, 66, 67], 1], lm3d[9, [65, 66, 67], 1] = -1.5, -4.0
    tracks = {"pose": torch.stack([turned(0, 0)] * 9 + [turned(40, 0)]), "lm3d": lm3d, "mean_landmarks": mean}
    told = what_it_shows(tracks, 9)
    assert "up to 1.5 cm" in told and "0 to the left" in told
