"""The Inception network of FID (Heusel et al. 2017), from weights that the user has converted.

Its tensors are named as those of the pytorch-fid project's `pt_inception-2015-12-05`.
"""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import load_strict, read_tensors
from geneface.errors import InputError

SIDE, FEATURES = 299, 2048
Step = tuple[str, int, tuple[int, int], int]
"""Name, channels out, kernel, stride of a convolution."""


def _step(name: str, outputs: int, height: int = 1, width: int = 0, stride: int = 1) -> Step:
    return name, outputs, (height, width or height), stride


def _a(pooled: int) -> tuple[list[Step], ...]:
    return (
        [_step("branch1x1", 64)],
        [_step("branch5x5_1", 48), _step("branch5x5_2", 64, 5)],
        [_step("branch3x3dbl_1", 64), _step("branch3x3dbl_2", 96, 3), _step("branch3x3dbl_3", 96, 3)],
        [_step("branch_pool", pooled)],
    )


def _c(inner: int) -> tuple[list[Step], ...]:
    shapes = ((7, 1), (1, 7), (7, 1), (1, 7))
    double = [
        _step(f"branch7x7dbl_{index + 2}", 192 if index == 3 else inner, *shape) for index, shape in enumerate(shapes)
    ]
    return (
        [_step("branch1x1", 192)],
        [_step("branch7x7_1", inner), _step("branch7x7_2", inner, 1, 7), _step("branch7x7_3", 192, 7, 1)],
        [_step("branch7x7dbl_1", inner), *double],
        [_step("branch_pool", 192)],
    )


STEM = (
    _step("Conv2d_1a_3x3", 32, 3, stride=2),
    _step("Conv2d_2a_3x3", 32, 3),
    _step("Conv2d_2b_3x3", 64, 3),
    _step("Conv2d_3b_1x1", 80),
    _step("Conv2d_4a_3x3", 192, 3),
)
UNPADDED = ("Conv2d_2a_3x3", "Conv2d_4a_3x3")
POOLED_AFTER = ("Conv2d_2b_3x3", "Conv2d_4a_3x3")
_B = (
    [_step("branch3x3", 384, 3, stride=2)],
    [_step("branch3x3dbl_1", 64), _step("branch3x3dbl_2", 96, 3), _step("branch3x3dbl_3", 96, 3, stride=2)],
)
_D = (
    [_step("branch3x3_1", 192), _step("branch3x3_2", 320, 3, stride=2)],
    [
        _step("branch7x7x3_1", 192),
        _step("branch7x7x3_2", 192, 1, 7),
        _step("branch7x7x3_3", 192, 7, 1),
        _step("branch7x7x3_4", 192, 3, stride=2),
    ],
)
_E = (
    [_step("branch1x1", 320)],
    [_step("branch3x3_1", 384), _step("branch3x3_2a", 384, 1, 3), _step("branch3x3_2b", 384, 3, 1)],
    [
        _step("branch3x3dbl_1", 448),
        _step("branch3x3dbl_2", 384, 3),
        _step("branch3x3dbl_3a", 384, 1, 3),
        _step("branch3x3dbl_3b", 384, 3, 1),
    ],
    [_step("branch_pool", 192)],
)
BLOCKS: tuple[tuple[str, tuple[list[Step], ...], str], ...] = (
    ("Mixed_5b", _a(32), "mean"),
    ("Mixed_5c", _a(64), "mean"),
    ("Mixed_5d", _a(64), "mean"),
    ("Mixed_6a", _B, "halve"),
    ("Mixed_6b", _c(128), "mean"),
    ("Mixed_6c", _c(160), "mean"),
    ("Mixed_6d", _c(160), "mean"),
    ("Mixed_6e", _c(192), "mean"),
    ("Mixed_7a", _D, "halve"),
    ("Mixed_7b", _E, "mean"),
    ("Mixed_7c", _E, "max"),
)
"""Branches of each block, and how its last branch pools."""


class Unit(nn.Module):
    def __init__(self, inputs: int, step: Step):
        super().__init__()
        name, outputs, kernel, stride = step
        padding = (kernel[0] // 2, kernel[1] // 2) if stride == 1 and name not in UNPADDED else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn(self.conv(x)).relu()


class Block(nn.Module):
    """Branches side by side; the two ends "a" and "b" of a branch lie side by side, too."""

    def __init__(self, inputs: int, branches: tuple[list[Step], ...], pooling: str):
        super().__init__()
        self.branches, self.pooling = branches, pooling
        self.outputs = inputs if pooling == "halve" else 0
        for branch in branches:
            channels = inputs
            for step in branch:
                self.add_module(step[0], Unit(channels, step))
                channels = channels if step[0].endswith("a") else step[1]
            self.outputs += channels * (2 if branch[-1][0].endswith("b") else 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = []
        for branch in self.branches:
            y = self._pool(x) if branch[0][0] == "branch_pool" else x
            for name, *_ in branch:
                z = self.get_submodule(name)(y)
                if name[-1] in "ab" and name[-2].isdigit():
                    found.append(z)
                else:
                    y = z
            if not branch[-1][0].endswith("b"):
                found.append(y)
        return torch.cat([*found, self._pool(x)] if self.pooling == "halve" else found, dim=1)

    def _pool(self, x: torch.Tensor) -> torch.Tensor:
        if self.pooling == "mean":
            return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return functional.max_pool2d(x, 3, 1, 1) if self.pooling == "max" else functional.max_pool2d(x, 3, 2)


class Inception(nn.Module):
    """Pictures to 2048 features."""

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for step in STEM:
            self.add_module(step[0], Unit(channels, step))
            channels = step[1]
        for name, branches, pooling in BLOCKS:
            block = Block(channels, branches, pooling)
            self.add_module(name, block)
            channels = block.outputs

    @classmethod
    def load(cls, path: Path) -> Self:
        """`InputError` that says how to make the file if it is not here."""
        if not path.is_file():
            raise InputError(f"needs {path}, made from pytorch-fid's weights (docs/evaluation.md says how)")
        network = cls().eval()
        # Older files lack these counters, which are for training alone.
        counters = {name: value for name, value in network.state_dict().items() if name.endswith("_tracked")}
        found = {
            name: value for name, value in read_tensors(path, "weights").items() if not name.startswith(("fc.", "Aux"))
        }
        tensors = counters | found
        load_strict(network, tensors, path)
        return network

    @torch.no_grad()
    def features(self, picture: np.ndarray) -> np.ndarray:
        """uint8 RGB [H, W, 3] -> [2048]"""
        x = torch.from_numpy(np.ascontiguousarray(picture)).movedim(-1, 0)[None].float() / 255
        x = 2 * functional.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False) - 1
        for name, *_ in STEM:
            x = self.get_submodule(name)(x)
            x = functional.max_pool2d(x, 3, 2) if name in POOLED_AFTER else x
        for name, *_ in BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))[0].numpy()
