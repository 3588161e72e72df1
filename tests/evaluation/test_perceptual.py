"""LPIPS and FID's Inception with weights by a formula: the values that the lpips and pytorch-fid packages give."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from geneface.errors import InputError
from geneface.evaluation.inception import Inception
from geneface.evaluation.lpips import LPIPS


def filled() -> dict[str, torch.Tensor]:
    """Weights by a formula, so that the lpips package could be given the same."""
    tensors = {}
    for name, tensor in LPIPS().state_dict().items():
        wave = torch.sin(0.7 * torch.arange(tensor.numel(), dtype=torch.float64)).reshape(tensor.shape)
        tensors[name] = (wave.abs() if name.startswith("lin") else wave / tensor[0].numel() ** 0.5).float()
    tensors["scaling_layer.shift"] = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    tensors["scaling_layer.scale"] = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
    return tensors


def pictures() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:128, :96]
    wave = np.stack([np.sin(rows / 7), np.cos(columns / 5), np.sin((rows + columns) / 9)], axis=-1)
    picture = (127 + 100 * wave).astype(np.uint8)
    return picture, np.clip(picture.astype(int) + 30 * ((rows // 8 + columns // 8) % 2)[..., None], 0, 255).astype(
        np.uint8
    )


def test_it_agrees_with_the_lpips_package(tmp_path: Path) -> None:
    save_file(filled(), tmp_path / "weights.safetensors")
    network = LPIPS.load(tmp_path / "weights.safetensors")
    a, b = pictures()
    assert network.distance(a, a) == 0.0
    assert network.distance(a, b) == pytest.approx(0.01342507, rel=1e-4)  # lpips 0.1.4 with these weights
    half = ((a.astype(int) + b) // 2).astype(np.uint8)
    assert 0 < network.distance(a, half) < network.distance(a, b)


def test_without_weights_it_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made with the lpips package"):
        LPIPS.load(tmp_path / "lpips_alex.safetensors")
    tensors = filled()
    del tensors["lin2.model.1.weight"]
    save_file(tensors, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="lin2"):
        LPIPS.load(tmp_path / "weights.safetensors")


def inception_weights() -> dict[str, torch.Tensor]:
    tensors = {}
    for name, tensor in Inception().state_dict().items():
        wave = torch.sin(0.7 * torch.arange(tensor.numel(), dtype=torch.float64)).reshape(tensor.shape)
        if name.endswith("conv.weight"):
            tensors[name] = (1.4 * wave / tensor[0].numel() ** 0.5).float()
        elif name.endswith("running_var") or name.endswith("bn.weight"):
            tensors[name] = (1 + 0.2 * wave).float()
        elif not name.endswith("_tracked"):
            tensors[name] = (0.1 * wave).float()
    return tensors


def test_inception_agrees_with_pytorch_fid(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made from pytorch-fid"):
        Inception.load(tmp_path / "fid_inception.safetensors")
    save_file(inception_weights(), tmp_path / "fid_inception.safetensors")
    found = Inception.load(tmp_path / "fid_inception.safetensors").features(pictures()[0])
    assert found.shape == (2048,)
    # pytorch-fid 0.3.0 with these weights: mean, spread, and one feature of each branch of the last block
    assert found.mean() == pytest.approx(0.00757761, rel=1e-3) and found.std() == pytest.approx(0.0224868, rel=1e-3)
    np.testing.assert_allclose(
        found[[7, 500, 900, 1200, 1700, 2000]],
        [0.0604636, 0.0, 4.9854e-05, 0.00249978, 0.0, 0.0],
        rtol=2e-3,
        atol=1e-5,
    )
