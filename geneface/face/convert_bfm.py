"""The Basel Face Model 2009 as Deng et al. (2019) prepare it (`BFM_model_front.mat`), in the project's format.

The model itself must be obtained from the University of Basel; its licence forbids passing it on.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from geneface.errors import InputError

CENTIMETRES = 10.0
"""One unit of that file is ten centimetres."""
WIDEST = 3.0
"""Standard deviations that a weight of 1 stands for."""


def convert_bfm(source: str | Path, target: str | Path) -> None:
    """Write the face model in a `BFM_model_front.mat` as safetensors; `InputError` if it is none.

    Its expressions are principal components that go both ways, where a weight here is in [0, 1]: each becomes two.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        model = loadmat(source, variable_names=["meanshape", "idBase", "exBase", "keypoints", "tri"])
        mean = np.asarray(model["meanshape"], np.float64).reshape(-1, 3)
        count = len(mean)
        identity = np.asarray(model["idBase"], np.float64).T.reshape(-1, count, 3)
        expression = np.asarray(model["exBase"], np.float64).T.reshape(-1, count, 3)
        landmarks = np.asarray(model["keypoints"]).astype(np.int32).reshape(68) - 1
        triangles = np.asarray(model["tri"]).astype(np.int32).reshape(-1, 3) - 1
    except (OSError, KeyError, ValueError, TypeError, NotImplementedError, MatReadError) as error:
        raise InputError(
            f"{source} is not a BFM_model_front.mat ({error}); make one from BFM-2009 with Deng et al.'s tools"
        ) from None
    both_ways = np.stack([expression, -expression], axis=1).reshape(-1, count, 3) * WIDEST
    faces = np.concatenate([triangles, np.full((len(triangles), 1), -1, np.int32)], axis=1)
    names = [f"component{index:02d}_{way}" for index in range(len(expression)) for way in ("up", "down")]
    tensors = {
        "mean": torch.from_numpy(((mean - mean.mean(0)) * CENTIMETRES).astype(np.float32)),
        "identity_basis": torch.from_numpy((identity * CENTIMETRES).astype(np.float16)),
        "expression_basis": torch.from_numpy((both_ways * CENTIMETRES).astype(np.float16)),
        "landmarks_68": torch.from_numpy(landmarks),
        "faces": torch.from_numpy(faces),
        "uv": torch.zeros(0, 2),
        "uv_faces": torch.full((len(faces), 4), -1, dtype=torch.int32),
    }
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        target,
        metadata={
            "expression_names": json.dumps(names),
            "source": "Basel Face Model 2009, prepared after Deng et al. 2019",
            "license": "University of Basel: not to be passed on",
            "units": "centimetres",
        },
    )
