"""Fits the face model to a clip's 68 landmarks: one identity, and a pose and an expression for each frame.

Damped Gauss-Newton over all frames at once. Residuals are in centimetres in the face's own plane, so the settings
do not depend on the size of the picture.
"""

from dataclasses import dataclass

import numpy as np
import torch

from geneface.face.face_model import FaceModel
from geneface.metrics import LM3D_LIPS


@dataclass(frozen=True)
class FitSettings:
    """Weights of squared residuals (cm) and of priors on the coefficients."""

    identity_components: int = 50
    iterations: int = 10
    jaw_line: float = 0.05
    """MediaPipe's jaw line slides along the cheek: it hardly counts."""
    brows: float = 0.5
    eyes: float = 1.0
    nose: float = 1.0
    outer_lips: float = 1.5
    inner_lips: float = 1.5
    lip_gap: float = 20.0
    """The three gaps between the inner lips, as seen: what closes the mouth."""
    lip_shear: float = 5.0
    """The same gaps sideways, and in depth beyond `lip_slope` times their height: one view hardly shows these."""
    lip_slope: float = 0.5
    """How far the lower lip goes back for each centimetre that it goes down; the jaw alone takes it back by 0.6."""
    identity_prior: float = 0.1
    offset_prior: float = 1.0
    """Each point may lie off its vertex by a constant: MediaPipe's points and the mesh's are not the same spots."""
    expression_prior: float = 0.2
    """Pull towards the blendshape scores, or towards the neutral face."""
    smoothness: float = 0.02
    """Pull of each expression towards the mean of its neighbours in time."""


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
    problem = _Problem(face, torch.as_tensor(points).double(), intrinsics.double(), settings, weights)
    frames = len(problem.points)
    prior = torch.zeros(frames, problem.expressions.shape[0], dtype=torch.float64)
    if expression is not None:
        prior = torch.as_tensor(expression).double().clamp(0, 1)
    state = _State(
        torch.zeros(len(problem.shapes), dtype=torch.float64), prior.clone(), *problem.weak_perspective(prior)
    )
    for iteration in range(settings.iterations):
        problem.update_shape(state)
        problem.update_frames(state, prior, move_expression=iteration >= 2)
    identity = torch.zeros(len(face.identity_basis))
    identity[: problem.components] = state.shape[: problem.components].float()
    return Fit(
        identity,
        state.expression.float(),
        torch.cat([state.rotation, state.translation[..., None]], dim=-1).float(),
        state.shape[problem.components :].unflatten(0, (68, 3)).float(),
        problem.project(state)[0].float(),
    )


@dataclass
class _State:
    shape: torch.Tensor
    """[N_i + 204]: identity, then offsets"""
    expression: torch.Tensor
    rotation: torch.Tensor
    translation: torch.Tensor


class _Problem:
    def __init__(
        self,
        face: FaceModel,
        points: torch.Tensor,
        intrinsics: torch.Tensor,
        settings: FitSettings,
        weights: torch.Tensor | None,
    ):
        key = face.landmark_vertices
        self.points, self.intrinsics, self.settings = points, intrinsics, settings
        self.mean = face.mean[key].double()
        identities = face.identity_basis[: settings.identity_components, key].double()
        self.components = len(identities)
        self.shapes = torch.cat([identities, torch.eye(204, dtype=torch.float64).unflatten(1, (68, 3))])
        self.shape_prior = torch.full((len(self.shapes),), settings.offset_prior, dtype=torch.float64)
        self.shape_prior[: self.components] = settings.identity_prior
        self.shape_prior[self.components :].view(68, 3)[60:] *= 20  # inner lips: open or closed is not a constant
        self.expressions = face.expression_basis[:, key].double()
        self.upper, self.lower = (list(side) for side in zip(*LM3D_LIPS, strict=True))
        self.closed_gap = self.mean[self.upper] - self.mean[self.lower]
        parts = torch.empty(68, dtype=torch.float64)
        for name, part in (
            ("jaw_line", slice(0, 17)),
            ("brows", slice(17, 27)),
            ("nose", slice(27, 36)),
            ("eyes", slice(36, 48)),
            ("outer_lips", slice(48, 60)),
            ("inner_lips", slice(60, 68)),
        ):
            parts[part] = getattr(settings, name)
        if weights is not None:
            parts = parts * weights.double()
        seen = (parts[self.upper] > 0) & (parts[self.lower] > 0)
        gaps = torch.cat([settings.lip_gap * seen, settings.lip_shear * torch.ones(3)])
        self.weights = torch.cat([parts, gaps]).repeat_interleave(2)

    def points_3d(self, state: _State) -> torch.Tensor:
        """[T, 68, 3] in the head frame."""
        neutral = self.mean + torch.einsum("i,ivc->vc", state.shape, self.shapes)
        return neutral + torch.einsum("te,evc->tvc", state.expression, self.expressions)

    def project(self, state: _State) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> pixels [T, 68, 2]; their derivative in cm by camera coordinates [T, 68, 2, 3]; cm per pixel [T]"""
        camera = self.points_3d(state) @ state.rotation.mT + state.translation[:, None]
        focal = self.intrinsics.diagonal()[:2]
        x, depth = camera[..., :2], camera[..., 2:]
        projected = focal * x / depth + self.intrinsics[:2, 2]
        scale = state.translation[:, 2] / focal[0]
        slope = scale[:, None, None] * focal / depth
        derivative = torch.cat([torch.diag_embed(slope), (-slope * x / depth)[..., None]], dim=-1)
        return projected, derivative, scale

    def weak_perspective(self, expression: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotation [T, 3, 3] and translation [T, 3] of the mean face in closed form."""
        shape = self.mean + torch.einsum("te,evc->tvc", expression, self.expressions)
        root = self.weights[:136:2].sqrt()[:, None]
        affine = torch.linalg.lstsq(
            root * torch.cat([shape, torch.ones_like(shape[..., :1])], dim=-1), root * self.points
        ).solution.mT
        u, singular, v = torch.linalg.svd(affine[:, :, :3], full_matrices=False)
        rows = u @ v
        rotation = torch.cat([rows, torch.linalg.cross(rows[:, 0], rows[:, 1])[:, None]], dim=1)
        depth = self.intrinsics[0, 0] / singular.mean(dim=-1)
        offset = (affine[:, :, 3] - self.intrinsics[:2, 2]) / self.intrinsics[0, 0] * depth[:, None]
        return rotation, torch.cat([offset, depth[:, None]], dim=-1)

    def _residual(self, state: _State) -> tuple[torch.Tensor, torch.Tensor]:
        """Residuals [T, 148] and the derivative of the points [T, 68, 2, 3], both in cm.

        Residuals: points [68, 2], seen lip gaps [3, 2], lip shear [3, 2].
        """
        projected, derivative, scale = self.project(state)
        difference = (projected - self.points) * scale[:, None, None]
        # A closed mesh has a small gap of its own where MediaPipe's lips touch.
        closed = torch.einsum("tkij,tjc,kc->tki", derivative[:, self.upper], state.rotation, self.closed_gap)
        gap = difference[:, self.upper] - difference[:, self.lower] - closed
        points = self.points_3d(state)
        shear = points[:, self.upper] - points[:, self.lower] - self.closed_gap
        return torch.cat([difference, gap, self._shear(shear)], dim=1).flatten(1), derivative

    def _shear(self, gap: torch.Tensor) -> torch.Tensor:
        """Gaps [..., 3, 3] -> their two components that should vanish [..., 3, 2]."""
        return torch.stack([gap[..., 0], gap[..., 2] - self.settings.lip_slope * gap[..., 1]], dim=-1)

    def _jacobian(self, derivative: torch.Tensor, rotation: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
        """Derivative [T, 148, N] of the residuals by the weights of a basis [N, 68, 3]."""
        by_basis = torch.einsum("tvij,nvj->tvin", derivative @ rotation[:, None], basis)
        gap = by_basis[:, self.upper] - by_basis[:, self.lower]
        shear = self._shear(basis[:, self.upper] - basis[:, self.lower]).flatten(1).T
        jacobian = torch.cat([by_basis, gap], dim=1).flatten(1, 2)
        return torch.cat([jacobian, shear.expand(len(jacobian), -1, -1)], dim=1)

    def update_shape(self, state: _State) -> None:
        residual, derivative = self._residual(state)
        jacobian = self._jacobian(derivative, state.rotation, self.shapes)
        jacobian, weights = jacobian.flatten(0, 1), self.weights.repeat(len(residual))[:, None] / len(residual)
        hessian = (jacobian * weights).T @ jacobian
        gradient = ((jacobian * weights).T @ residual.flatten()[:, None])[:, 0]
        hessian = hessian + torch.diag(self.shape_prior)
        state.shape = state.shape - torch.linalg.solve(hessian, gradient + self.shape_prior * state.shape)

    def update_frames(self, state: _State, prior: torch.Tensor, move_expression: bool) -> None:
        settings, expression = self.settings, state.expression
        residual, derivative = self._residual(state)
        rotated = self.points_3d(state) @ state.rotation.mT
        zero = torch.zeros_like(rotated[..., 0])
        x, y, z = rotated.unbind(-1)
        turn = torch.stack([zero, z, -y, -z, zero, x, y, -x, zero], dim=-1).unflatten(-1, (3, 3))
        by_pose = torch.cat([derivative @ turn, derivative], dim=-1)
        pose_gap = by_pose[:, self.upper] - by_pose[:, self.lower]
        by_pose = torch.cat([by_pose, pose_gap, torch.zeros_like(pose_gap)], dim=1).flatten(1, 2)
        jacobian = torch.cat([by_pose, self._jacobian(derivative, state.rotation, self.expressions)], dim=-1)

        weighted = jacobian * self.weights[:, None]
        hessian = weighted.mT @ jacobian
        gradient = (weighted.mT @ residual[..., None])[..., 0]
        neighbours = torch.cat([expression[:1], expression, expression[-1:]])
        neighbours = 0.5 * (neighbours[:-2] + neighbours[2:])
        gradient[:, 6:] += settings.expression_prior * (expression - prior)
        gradient[:, 6:] += settings.smoothness * (expression - neighbours)
        damping = torch.full((gradient.shape[1],), settings.expression_prior + settings.smoothness)
        damping[:6] = 1e-6
        hessian = hessian + torch.diag(damping.to(hessian))

        of_pose, coupling = hessian[:, :6, :6], hessian[:, :6, 6:]
        change = torch.zeros_like(expression)
        if move_expression:
            # The pose that goes with each expression is eliminated, which leaves a problem in a box.
            solved = torch.linalg.solve(of_pose, torch.cat([coupling, gradient[:, :6, None]], dim=-1))
            reduced = hessian[:, 6:, 6:] - coupling.mT @ solved[..., :-1]
            slope = gradient[:, 6:] - (coupling.mT @ solved[..., -1:])[..., 0]
            change = _solve_in_box(reduced, slope, -expression, 1 - expression)
        by_change = (coupling @ change[..., None])[..., 0]
        step = torch.linalg.solve(of_pose, -(gradient[:, :6] + by_change))
        state.rotation = _rotation(step[:, :3]) @ state.rotation
        state.translation = state.translation + step[:, 3:]
        state.expression = (expression + change).clamp(0, 1)


def _solve_in_box(
    hessian: torch.Tensor, gradient: torch.Tensor, low: torch.Tensor, high: torch.Tensor, sweeps: int = 6
) -> torch.Tensor:
    """The x [T, N] within low .. high that makes x H x / 2 + g x small, by coordinate descent from 0."""
    x = torch.zeros_like(gradient)
    diagonal = hessian.diagonal(dim1=1, dim2=2)
    columns = hessian.permute(2, 0, 1).contiguous()
    slope = gradient.clone()
    for _ in range(sweeps):
        for index in range(x.shape[1]):
            old = x[:, index].clone()
            x[:, index] = (old - slope[:, index] / diagonal[:, index]).clamp(low[:, index], high[:, index])
            slope += columns[index] * (x[:, index] - old)[:, None]
    return x


def _rotation(vector: torch.Tensor) -> torch.Tensor:
    """Rotation matrices [T, 3, 3] of rotation vectors [T, 3]."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    generator = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    return torch.linalg.matrix_exp(generator)
