"""The least-squares problem of a 3DMM fit: residuals in centimetres, their derivatives, damped Gauss-Newton steps."""

from dataclasses import dataclass

import torch

from geneface.face import ibug68
from geneface.face.face_model import FaceModel


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
    others: float = 0.2
    """Points beyond the 68."""
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
class SurfacePoints:
    """Points that ride on the face model's surface; the first 68 are its landmarks."""

    mean: torch.Tensor
    """[P, 3] cm"""
    identity_basis: torch.Tensor
    """[N_i, P, 3]"""
    expression_basis: torch.Tensor
    """[N_e, P, 3]"""

    @classmethod
    def of(
        cls, face: FaceModel, vertices: torch.Tensor | None = None, places: torch.Tensor | None = None
    ) -> "SurfacePoints":
        """The model's 68 landmarks, then points that move as `vertices` [n] do and lie at `places` [n, 3]."""
        key, mean = face.landmark_vertices, face.mean_landmarks
        if vertices is not None and places is not None:
            key, mean = torch.cat([key, vertices]), torch.cat([mean, places])
        return cls(mean.double(), face.identity_basis[:, key].double(), face.expression_basis[:, key].double())


@dataclass
class FitState:
    """What is sought; float64."""

    shape: torch.Tensor
    """[N_i + 3P]: identity, then offsets"""
    expression: torch.Tensor
    """[T, N_e]"""
    rotation: torch.Tensor
    """[T, 3, 3]"""
    translation: torch.Tensor
    """[T, 3]"""

    @property
    def pose(self) -> torch.Tensor:
        """[T, 3, 4]"""
        return torch.cat([self.rotation, self.translation[..., None]], dim=-1)


@dataclass
class NormalEquations:
    """Gauss-Newton's quadratic at the present state, for each frame: 6 of the pose, then N_e of the expression."""

    hessian: torch.Tensor
    """[T, 6 + N_e, 6 + N_e]"""
    gradient: torch.Tensor
    """[T, 6 + N_e]"""


class FitProblem:
    """Points [T, P, 2] in square pixels, seen by a camera [3, 3], and what explains them.

    `weights` [P] multiply those of the settings; `trust` [T] multiplies the data of each frame.
    """

    def __init__(
        self,
        surface: SurfacePoints,
        points: torch.Tensor,
        intrinsics: torch.Tensor,
        settings: FitSettings,
        weights: torch.Tensor | None = None,
        trust: torch.Tensor | None = None,
    ):
        self.points, self.intrinsics, self.settings = points.double(), intrinsics.double(), settings
        self.mean = surface.mean
        self.trust = torch.ones(len(points)).double() if trust is None else trust.double()
        self.count = len(self.mean)
        self.identities = surface.identity_basis[: settings.identity_components]
        self.components = len(self.identities)
        unknowns = self.components + 3 * self.count
        self.shape_prior = torch.full((unknowns,), settings.offset_prior, dtype=torch.float64)
        self.shape_prior[: self.components] = settings.identity_prior
        # Whether the lips are open is not a constant of the face.
        self.shape_prior[self.components :].view(-1, 3)[ibug68.INNER_LIPS] *= 20
        self.expressions = surface.expression_basis
        self.upper, self.lower = ibug68.UPPER_LIP, ibug68.LOWER_LIP
        self.closed_gap = self.mean[self.upper] - self.mean[self.lower]
        parts = torch.full((self.count,), settings.others, dtype=torch.float64)
        for name, part in (
            ("jaw_line", ibug68.JAW),
            ("brows", ibug68.BROWS),
            ("nose", ibug68.NOSE),
            ("eyes", ibug68.EYES),
            ("outer_lips", ibug68.OUTER_LIPS),
            ("inner_lips", ibug68.INNER_LIPS),
        ):
            parts[part] = getattr(settings, name)
        if weights is not None:
            parts = parts * weights.double()
        self.parts = parts
        seen = (parts[self.upper] > 0) & (parts[self.lower] > 0)
        gaps = torch.cat([settings.lip_gap * seen, settings.lip_shear * torch.ones(3)])
        self.weights = torch.cat([parts, gaps]).repeat_interleave(2)

    def points_3d(self, state: FitState) -> torch.Tensor:
        """[T, P, 3] in the head frame."""
        identity, offset = state.shape[: self.components], state.shape[self.components :]
        neutral = self.mean + offset.view(-1, 3) + torch.einsum("i,ivc->vc", identity, self.identities)
        return neutral + torch.einsum("te,evc->tvc", state.expression, self.expressions)

    def project(self, state: FitState) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """-> pixels [T, P, 2]; their derivative in cm by camera coordinates [T, P, 2, 3]; cm per pixel [T]"""
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
        root = self.parts.sqrt()[:, None]
        affine = torch.linalg.lstsq(
            root * torch.cat([shape, torch.ones_like(shape[..., :1])], dim=-1), root * self.points
        ).solution.mT
        u, singular, v = torch.linalg.svd(affine[:, :, :3], full_matrices=False)
        rows = u @ v
        rotation = torch.cat([rows, torch.linalg.cross(rows[:, 0], rows[:, 1])[:, None]], dim=1)
        depth = self.intrinsics[0, 0] / singular.mean(dim=-1)
        offset = (affine[:, :, 3] - self.intrinsics[:2, 2]) / self.intrinsics[0, 0] * depth[:, None]
        return rotation, torch.cat([offset, depth[:, None]], dim=-1)

    def cost(self, state: FitState) -> torch.Tensor:
        """Weighted squared residuals of each frame [T]."""
        return (self.residual(state)[0].square() * self.weights).sum(-1)

    def residual(self, state: FitState) -> tuple[torch.Tensor, torch.Tensor]:
        """Residuals [T, 2P + 12] and the derivative of the points [T, P, 2, 3], both in cm.

        Residuals: points [P, 2], seen lip gaps [3, 2], lip shear [3, 2].
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
        """Derivative [T, 2P + 12, N] of the residuals by the weights of a basis [N, P, 3]."""
        by_basis = torch.einsum("tvij,nvj->tvin", derivative @ rotation[:, None], basis)
        gap = by_basis[:, self.upper] - by_basis[:, self.lower]
        shear = self._shear(basis[:, self.upper] - basis[:, self.lower]).flatten(1).T
        jacobian = torch.cat([by_basis, gap], dim=1).flatten(1, 2)
        return torch.cat([jacobian, shear.expand(len(jacobian), -1, -1)], dim=1)

    def update_shape(self, state: FitState) -> None:
        """One step of identity and offsets, which all frames share."""
        residual, derivative = self.residual(state)
        weights = self.weights * (self.trust / self.trust.sum())[:, None]
        by_identity = self._jacobian(derivative, state.rotation, self.identities)
        weighted = (by_identity * weights[..., None]).flatten(0, 1)
        count, lips = self.components, sorted({*self.upper, *self.lower})
        hessian, gradient = torch.diag(self.shape_prior), self.shape_prior * state.shape
        hessian[:count, :count] += weighted.T @ by_identity.flatten(0, 1)
        gradient[:count] += weighted.T @ residual.flatten()

        # An offset moves its own point only, and those of the lips their gaps.
        own = derivative @ state.rotation[:, None]
        own_weighted = own * weights[:, : 2 * self.count].unflatten(1, (self.count, 2))[..., None]
        cross = torch.einsum("tvin,tvij->nvj", by_identity[:, : 2 * self.count].unflatten(1, (-1, 2)), own_weighted)
        gradient[count:] += torch.einsum(
            "tvij,tvi->vj", own_weighted, residual[:, : 2 * self.count].unflatten(1, (-1, 2))
        ).flatten()
        blocks = torch.einsum("tvij,tvik->vjk", own_weighted, own)
        rows = count + torch.arange(3 * self.count).view(-1, 3)
        hessian[rows[:, :, None], rows[:, None, :]] += blocks
        hessian[:count, count:] += cross.flatten(1)
        unit = torch.zeros(3 * len(lips), self.count, 3, dtype=torch.float64)
        unit.view(len(lips), 3, self.count, 3)[range(len(lips)), :, lips] = torch.eye(3, dtype=torch.float64)
        gaps = self._jacobian(derivative, state.rotation, unit)[:, 2 * self.count :].flatten(0, 1)
        gaps_weighted = gaps * weights[:, 2 * self.count :].flatten()[:, None]
        columns = rows[lips].flatten()
        hessian[columns[:, None], columns] += gaps_weighted.T @ gaps
        hessian[:count, columns] += by_identity[:, 2 * self.count :].flatten(0, 1).T @ gaps_weighted
        gradient[columns] += gaps_weighted.T @ residual[:, 2 * self.count :].flatten()
        hessian[count:, :count] = hessian[:count, count:].T
        state.shape = state.shape - torch.linalg.solve(hessian, gradient)

    def normal_equations(self, state: FitState, prior: torch.Tensor) -> NormalEquations:
        """Data, priors and the smoothness of expressions."""
        settings, expression = self.settings, state.expression
        residual, derivative = self.residual(state)
        rotated = self.points_3d(state) @ state.rotation.mT
        zero = torch.zeros_like(rotated[..., 0])
        x, y, z = rotated.unbind(-1)
        turn = torch.stack([zero, z, -y, -z, zero, x, y, -x, zero], dim=-1).unflatten(-1, (3, 3))
        by_pose = torch.cat([derivative @ turn, derivative], dim=-1)
        pose_gap = by_pose[:, self.upper] - by_pose[:, self.lower]
        by_pose = torch.cat([by_pose, pose_gap, torch.zeros_like(pose_gap)], dim=1).flatten(1, 2)
        jacobian = torch.cat([by_pose, self._jacobian(derivative, state.rotation, self.expressions)], dim=-1)

        weighted = jacobian * (self.weights * self.trust[:, None])[..., None]
        hessian = weighted.mT @ jacobian
        gradient = (weighted.mT @ residual[..., None])[..., 0]
        neighbours = torch.cat([expression[:1], expression, expression[-1:]])
        neighbours = 0.5 * (neighbours[:-2] + neighbours[2:])
        gradient[:, 6:] += settings.expression_prior * (expression - prior)
        gradient[:, 6:] += settings.smoothness * (expression - neighbours)
        damping = torch.full((gradient.shape[1],), settings.expression_prior + settings.smoothness)
        damping[:6] = 1e-6
        return NormalEquations(hessian + torch.diag(damping.to(hessian)), gradient)


def expression_step(equations: NormalEquations, expression: torch.Tensor) -> torch.Tensor:
    """The change [T, N_e] of expressions within [0, 1], with the pose that goes with each eliminated."""
    hessian, gradient = equations.hessian, equations.gradient
    of_pose, coupling = hessian[:, :6, :6], hessian[:, :6, 6:]
    solved = torch.linalg.solve(of_pose, torch.cat([coupling, gradient[:, :6, None]], dim=-1))
    reduced = hessian[:, 6:, 6:] - coupling.mT @ solved[..., :-1]
    slope = gradient[:, 6:] - (coupling.mT @ solved[..., -1:])[..., 0]
    return solve_in_box(reduced, slope, -expression, 1 - expression)


def pose_gradient(equations: NormalEquations, change: torch.Tensor) -> torch.Tensor:
    """The gradient [T, 6] by the pose after a change of expressions [T, N_e]."""
    return equations.gradient[:, :6] + (equations.hessian[:, :6, 6:] @ change[..., None])[..., 0]


def move(state: FitState, change: torch.Tensor, step: torch.Tensor) -> None:
    """Apply a change of expressions [T, N_e] and a step of the pose [T, 6]: rotation vector, translation."""
    state.rotation = rotation_matrix(step[:, :3]) @ state.rotation
    state.translation = state.translation + step[:, 3:]
    state.expression = (state.expression + change).clamp(0, 1)


def solve_in_box(
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


def rotation_matrix(vector: torch.Tensor) -> torch.Tensor:
    """Rotation matrices [T, 3, 3] of rotation vectors [T, 3]."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    generator = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    return torch.linalg.matrix_exp(generator)
