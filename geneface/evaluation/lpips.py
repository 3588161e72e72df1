"""LPIPS (Zhang et al. 2018) on AlexNet, from weights that the user has converted (docs/evaluation.md)."""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import load_strict, read_tensors
from geneface.errors import InputError

LAYERS = (
    (0, 3, 64, 11, 4, 2),
    (3, 64, 192, 5, 1, 2),
    (6, 192, 384, 3, 1, 1),
    (8, 384, 256, 3, 1, 1),
    (10, 256, 256, 3, 1, 1),
)
"""AlexNet's number, channels in and out, kernel, stride, padding of each convolution."""
POOLED = (1, 2)
"""The convolutions before which the picture is halved."""


class LPIPS(nn.Module):
    """Its tensors are named as those of `lpips.LPIPS(net="alex")`."""

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net, self.scaling_layer = nn.Module(), nn.Module()
        self.scaling_layer.register_buffer("shift", torch.zeros(1, 3, 1, 1))
        self.scaling_layer.register_buffer("scale", torch.ones(1, 3, 1, 1))
        for index, (number, inputs, outputs, kernel, stride, padding) in enumerate(LAYERS):
            piece = nn.Module()
            piece.add_module(str(number), nn.Conv2d(inputs, outputs, kernel, stride, padding))
            self.net.add_module(f"slice{index + 1}", piece)
            weight = nn.Module()
            weight.add_module("model", nn.ModuleDict({"1": nn.Conv2d(outputs, 1, 1, bias=False)}))
            self.add_module(f"lin{index}", weight)

    @classmethod
    def load(cls, path: Path) -> Self:
        """`InputError` that says how to make the file if it is not here."""
        if not path.is_file():
            raise InputError(f"needs {path}, made with the lpips package (docs/evaluation.md says how)")
        network = cls().eval()
        tensors = {
            name: value for name, value in read_tensors(path, "weights").items() if not name.startswith("lins.")
        }
        load_strict(network, tensors, path)
        return network

    @torch.no_grad()
    def distance(self, reference: np.ndarray, generated: np.ndarray) -> float:
        """Of two pictures, uint8 RGB [H, W, 3]."""
        pair = torch.from_numpy(np.stack([reference, generated])).movedim(-1, 1).float() / 127.5 - 1
        x = (pair - self.get_buffer("scaling_layer.shift")) / self.get_buffer("scaling_layer.scale")
        total = 0.0
        for index, (number, *_) in enumerate(LAYERS):
            x = functional.max_pool2d(x, 3, 2) if index in POOLED else x
            x = self.get_submodule(f"net.slice{index + 1}.{number}")(x).relu()
            a, b = x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
            total += float(self.get_submodule(f"lin{index}.model.1")((a - b).square()[None]).mean())
        return total
