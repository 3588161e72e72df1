"""Fits the face model to a clip's 68 landmarks: one identity, and a pose and an expression for each frame.

Damped Gauss-Newton over all frames at once, for clips of a few seconds and a camera that is not known; `tracking`
fits a whole video. Residuals are in centimetres in the face's own plane, so the settings do not depend on the size
of the picture.
"""

from dataclasses import dataclass

import numpy as np
import torch

from geneface.face.face_model import FaceModel
from geneface.face.fit_problem import (
    FitProblem,
    FitSettings,
    FitState,
    SurfacePoints,
    expression_step,
    move,
    pose_gradient,
)


@dataclass(frozen=True)
class Fit:
    identity: torch.Tensor
    """[N_i]"""
    expression: torch.Tensor
    """[T, N_e] in [0, 1]"""
    pose: torch.Tensor
    """[T, 3, 4] head -> camera"""
    offset: torch.Tensor
    """[68, 3] cm from the mesh's 68 points to the clip's, in the head frame"""
    projected: torch.Tensor
    """[T, 68, 2] pixels"""


def default_intrinsics(width: float, height: float) -> torch.Tensor:
    """[3, 3] pixels of a camera that is not known: a focal length of 2.4 times the picture's longer side."""
    focal = 2.4 * max(width, height)
    return torch.tensor([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])


def fit_face(
    face: FaceModel,
    points: np.ndarray | torch.Tensor,
    intrinsics: torch.Tensor,
    expression: np.ndarray | torch.Tensor | None = None,
    settings: FitSettings | None = None,
    weights: torch.Tensor | None = None,
) -> Fit:
    """Fit to points [T, 68, 2] in square pixels.

    `expression` [T, N_e] in [0, 1] is where the expressions start and what they are pulled to, such as the ARKit
    scores of `landmarks.expression_from_blendshapes`. `weights` [68] multiply those of the settings; 0 leaves a
    point out.
    """
    settings = settings or FitSettings()
    problem = FitProblem(SurfacePoints.of(face), torch.as_tensor(points), intrinsics, settings, weights)
    prior = torch.zeros(len(problem.points), len(problem.expressions), dtype=torch.float64)
    if expression is not None:
        prior = torch.as_tensor(expression).double().clamp(0, 1)
    state = FitState(torch.zeros_like(problem.shape_prior), prior.clone(), *problem.weak_perspective(prior))
    for iteration in range(settings.iterations):
        problem.update_shape(state)
        equations = problem.normal_equations(state, prior)
        # The pose comes first: a wrong one would be taken for an expression.
        change = expression_step(equations, state.expression) if iteration >= 2 else torch.zeros_like(prior)
        move(state, change, torch.linalg.solve(equations.hessian[:, :6, :6], -pose_gradient(equations, change)))
    identity = torch.zeros(len(face.identity_basis))
    identity[: problem.components] = state.shape[: problem.components].float()
    return Fit(
        identity,
        state.expression.float(),
        state.pose.float(),
        state.shape[problem.components :].unflatten(0, (68, 3)).float(),
        problem.project(state)[0].float(),
    )
