"""The 3D morphable face model (Eq. 1 of the paper) in the project's format, and LM3D (Eq. 2)."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from geneface.errors import InputError


@dataclass(frozen=True)
class FaceModel:
    """M = mean + identity_basis · i + expression_basis · e, in centimetres (x to the person's left, y up, z out)."""

    mean: torch.Tensor
    """[V, 3]"""
    identity_basis: torch.Tensor
    """[N_i, V, 3]"""
    expression_basis: torch.Tensor
    """[N_e, V, 3]"""
    landmark_vertices: torch.Tensor
    """[68], iBUG order"""
    expression_names: tuple[str, ...]
    faces: torch.Tensor
    """[F, 4] vertex indices of quads; -1 in the last column marks a triangle."""
    uv: torch.Tensor
    """[U, 2]"""
    uv_faces: torch.Tensor
    """[F, 4] indices into `uv`."""

    @classmethod
    def load(cls, path: str | Path) -> "FaceModel":
        """Read a converted face model; `InputError` if the file is missing or is not one."""
        try:
            with safe_open(path, framework="pt") as file:
                names = json.loads(file.metadata()["expression_names"])
                return cls(
                    mean=file.get_tensor("mean").float(),
                    identity_basis=file.get_tensor("identity_basis").float(),
                    expression_basis=file.get_tensor("expression_basis").float(),
                    landmark_vertices=file.get_tensor("landmarks_68").long(),
                    expression_names=tuple(names),
                    faces=file.get_tensor("faces").long(),
                    uv=file.get_tensor("uv").float(),
                    uv_faces=file.get_tensor("uv_faces").long(),
                )
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a converted face model ({error}); see `geneface face-model`") from None

    def mesh(self, identity: torch.Tensor, expression: torch.Tensor) -> torch.Tensor:
        """Vertices [T, V, 3] from identity [N_i] and expression [T, N_e] (Eq. 1)."""
        neutral = self.mean + torch.einsum("i,ivc->vc", identity, self.identity_basis)
        return neutral + torch.einsum("te,evc->tvc", expression, self.expression_basis)

    @property
    def mean_landmarks(self) -> torch.Tensor:
        """[68, 3]"""
        return self.mean[self.landmark_vertices]

    def lm3d(self, expression: torch.Tensor, identity: torch.Tensor | None = None) -> torch.Tensor:
        """LM3D [T, 68, 3] (Eq. 2) from expression [T, N_e]; without an identity, that of the mean face."""
        points = torch.einsum("te,evc->tvc", expression, self.expression_basis[:, self.landmark_vertices])
        if identity is not None:
            points = points + torch.einsum("i,ivc->vc", identity, self.identity_basis[:, self.landmark_vertices])
        return points
