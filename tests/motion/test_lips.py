import pytest
import torch

from geneface.motion.lips import BESIDE, MEETING, PRESSED, press_lips, spread_closures


def test_only_lips_that_touch_are_pressed():
    generator = torch.Generator().manual_seed(0)
    closed, usual, mean_landmarks = (torch.randn(68, 3, generator=generator) for _ in range(3))
    opened = closed.clone()
    opened[[65, 66, 67], 1] -= 10.0
    pressed = press_lips(torch.stack([closed, opened]), closed, usual, mean_landmarks)
    assert torch.allclose(pressed[0], closed + PRESSED * (closed - usual), atol=1e-5)
    assert torch.equal(pressed[1], opened)


def test_lips_that_must_meet_do_and_no_others():
    """A mouth that opens straight down: half sure closes half of the way, sure closes it, and no more."""
    mean_landmarks = torch.zeros(68, 3)
    mean_landmarks[[61, 62, 63], 1] = 0.05
    closed, usual, open_mouth = torch.zeros(68, 3), torch.zeros(68, 3), torch.zeros(68, 3)
    usual[[65, 66, 67], 1] = -0.4
    open_mouth[[65, 66, 67], 1] = -0.8
    found = press_lips(open_mouth.repeat(4, 1, 1), closed, usual, mean_landmarks, torch.tensor([0.0, 0.5, 1.0, 0.25]))
    gaps = (found + mean_landmarks)[:, 62, 1] - (found + mean_landmarks)[:, 66, 1]
    assert torch.equal(found[0], open_mouth)
    assert gaps[1].item() == pytest.approx(0.45, abs=1e-4) and gaps[3].item() == pytest.approx(0.65, abs=1e-4)
    assert gaps[2].item() == pytest.approx(0.05 - (PRESSED + MEETING) * 0.4, abs=1e-4), "closed, and pressed"


def test_lips_come_together_beside_what_must_close():
    spread = spread_closures(torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 0.4, 1.0]))
    assert spread.tolist() == pytest.approx([BESIDE, 1, BESIDE, BESIDE * 0.4, BESIDE])
