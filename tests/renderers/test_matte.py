import torch

from geneface.renderers.matte import smooth_matte


def test_steps_of_coarse_cells_become_a_straight_outline():
    y, x = torch.meshgrid(torch.arange(64) // 4, torch.arange(64) // 4, indexing="ij")
    alpha = smooth_matte((y > x).float()[None, None])[0, 0]
    inside = (alpha > 0.5).float()
    # Where each row's outline lies, along the diagonal: it advances by a pixel a row, not by four every fourth.
    edge = inside[12:52].sum(1)
    assert (edge.diff() - 1).abs().max() <= 1 and (edge - edge[0] - torch.arange(40)).abs().max() <= 1
    assert alpha[60, 4] == 1 and alpha[4, 60] == 0


def test_the_outline_moves_a_little_inside():
    alpha = torch.zeros(1, 1, 32, 32)
    alpha[..., 16:] = 1
    found = smooth_matte(alpha)[0, 0, 16]
    assert found[:16].max() < 0.5 < found[20:].min() and found[-1] == 1
