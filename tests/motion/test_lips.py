import torch

from geneface.motion.lips import PRESSED, press_lips


def test_only_lips_that_touch_are_pressed():
    generator = torch.Generator().manual_seed(0)
    closed, usual, mean_landmarks = (torch.randn(68, 3, generator=generator) for _ in range(3))
    opened = closed.clone()
    opened[[65, 66, 67], 1] -= 10.0
    pressed = press_lips(torch.stack([closed, opened]), closed, usual, mean_landmarks)
    assert torch.allclose(pressed[0], closed + PRESSED * (closed - usual), atol=1e-5)
    assert torch.equal(pressed[1], opened)
