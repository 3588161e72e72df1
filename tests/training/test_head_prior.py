import pytest
import torch
from tiny import TINY_RENDERER

from geneface.face.solid import BOX, CELLS, EMPTY, SOLID
from geneface.renderers.fast import FastRenderer
from geneface.training.head_prior import HeadPrior


@pytest.mark.parametrize("known, bias", [(EMPTY, 20.0), (SOLID, -20.0)])
def test_it_asks_for_what_is_known(known: int, bias: float) -> None:
    torch.manual_seed(0)
    renderer = FastRenderer(**TINY_RENDERER, anchored=True)
    volume = torch.zeros(CELLS, dtype=torch.uint8)
    volume[20:40, 30:60, 20:50] = known
    prior = HeadPrior(volume, torch.from_numpy(BOX).float())
    windows = torch.zeros(2, 3, 68, 3)

    def error(density: float) -> float:
        torch.nn.init.constant_(renderer.field_density.bias, density)
        return float(prior.error(renderer, windows))

    assert error(bias) > 0.9
    assert error(-bias) < 0.1
