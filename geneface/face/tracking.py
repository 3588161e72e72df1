"""Fits the face model to a whole video: one identity, one camera, a pose and an expression for each frame.

Identity, offsets and focal length come from some forty frames of the video; then pose and expression are fitted in
overlapping chunks, so that neither time nor memory of the joint problem grows with the length of the video. The pose
is smoothed where it is fitted: its second differences in time are part of the least-squares problem, so a frame whose
points are noisy, wrong or missing leans on its neighbours by as much as its own points are worth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from geneface.face.fit_problem import (
    FitProblem,
    FitSettings,
    FitState,
    SurfacePoints,
    expression_step,
    move,
    pose_gradient,
)
from geneface.face.parts import Keep, Tensors, join, make_anew, ranges

KEYFRAMES = 40
CHUNK, CONTEXT = 250, 40
FOCAL_LENGTHS = (1.2, 1.7, 2.4, 3.4, 4.8)
"""Where the search for the focal length looks first, in sizes of the picture."""
USUAL_FOCAL, FOCAL_SPREAD, FOCAL_PRIOR = 2.4, 0.4, 0.04
"""Usual value in sizes of the picture, its spread as a logarithm, and what one such spread costs in cm²."""
ITERATIONS = 8
VIDEO_SETTINGS = FitSettings(identity_components=100, identity_prior=0.03, offset_prior=0.2, others=0.5)
"""A video says more about its one person than a clip of seconds: the priors weigh less."""
STIFFNESS = torch.tensor([2000.0, 2000.0, 2000.0, 80.0, 80.0, 80.0], dtype=torch.float64)
"""Weights of squared second differences of the pose (radians, cm): what passes is slower than some 4 Hz."""
BAD_FRAME = 2.5
"""A frame whose error is this many times the median loses most of its weight."""
HELD = 1e9
"""Weight of a pose that is known: no expression moves it."""
LOST = 1e-4
"""Weight of a frame in which no face was found."""


@dataclass(frozen=True)
class Observation:
    """What a landmark detector saw in a video, and which points of the face model's surface that was."""

    surface: SurfacePoints
    points: np.ndarray
    """[R, N, 2 or more] square pixels; may be mapped from disk"""
    rows: np.ndarray
    """[T] which of the R rows stands for each frame"""
    columns: np.ndarray
    """[P] which of the N points stand for the points of the surface"""
    start: np.ndarray
    """[T, N_e] expressions to start from and to pull to"""
    valid: np.ndarray
    """[T] bool"""

    def problem(
        self, frames: np.ndarray, intrinsics: torch.Tensor, settings: FitSettings, weights: torch.Tensor | None
    ) -> FitProblem:
        points = torch.from_numpy(np.ascontiguousarray(self.points[self.rows[frames]][:, self.columns, :2]))
        trust = torch.from_numpy(np.where(self.valid[frames], 1.0, LOST))
        return FitProblem(self.surface, points, intrinsics, settings, weights, trust)

    def prior(self, frames: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.start[frames])).double().clamp(0, 1)


@dataclass(frozen=True)
class Track:
    """The face model's motion through a video; float32."""

    identity: torch.Tensor
    """[N_i]"""
    intrinsics: torch.Tensor
    """[3, 3]"""
    expression: torch.Tensor
    """[T, N_e] in [0, 1]"""
    pose: torch.Tensor
    """[T, 3, 4] head -> camera"""
    offset: torch.Tensor
    """[P, 3] cm from the surface's points to the detector's, in the head frame"""
    projected: torch.Tensor
    """[T, P, 2] pixels"""

    def project(self, surface: SurfacePoints, offset: torch.Tensor) -> torch.Tensor:
        """Pixels [T, P, 2] of any points of the surface, each off its place by `offset` [P, 3] cm."""
        identity = self.identity[: len(surface.identity_basis)].double()
        points = surface.mean + torch.einsum("i,ivc->vc", identity, surface.identity_basis) + offset
        points = points + torch.einsum("te,evc->tvc", self.expression.double(), surface.expression_basis)
        camera = points @ self.pose[:, :, :3].double().mT + self.pose[:, None, :, 3].double()
        return camera[..., :2] / camera[..., 2:] * self.intrinsics.diagonal()[:2] + self.intrinsics[:2, 2]


Sharpen = Callable[[Track], torch.Tensor]
"""From a track to better poses [T, 3, 4]."""


def track_face(
    observation: Observation,
    identities: int,
    size: int,
    train: range,
    settings: FitSettings = VIDEO_SETTINGS,
    weights: torch.Tensor | None = None,
    sharpen: Sharpen | None = None,
    keep: Keep = make_anew,
) -> Track:
    """Fit the whole video, of pictures `size` a side.

    Identity, offsets and camera are those of frames in `train`. `identities` is the length of the identity to
    return. `weights` [P] multiply those of the settings; 0 leaves a point out. `sharpen` makes better poses of those
    that were found, with which the expressions are then fitted again. `keep` is asked for each part of the work.
    """
    keys = np.flatnonzero(observation.valid[: train.stop])
    keys = keys[keys >= train.start]
    keys = keys[np.linspace(0, len(keys) - 1, min(KEYFRAMES, len(keys))).astype(int)]
    person = keep("person", lambda: fit_person(observation, keys, size, settings, weights))
    shape, intrinsics = person["shape"], camera_matrix(float(person["focal"]), size)
    components = min(settings.identity_components, identities)
    identity = torch.zeros(identities)
    identity[:components] = shape[:components].float()

    frames = len(observation.rows)

    def fit(part: range, held: torch.Tensor | None) -> Tensors:
        seen = np.arange(max(part.start - CONTEXT, 0), min(part.stop + CONTEXT, frames))
        problem = observation.problem(seen, intrinsics, settings, weights)
        state = fit_motion(problem, shape, observation.prior(seen), None if held is None else held[seen])
        found = {"expression": state.expression, "pose": state.pose, "projected": problem.project(state)[0]}
        return {name: value[part.start - seen[0] :][: len(part)].float() for name, value in found.items()}

    def follow(name: str, held: torch.Tensor | None = None) -> Track:
        parts = [keep(f"{name}-{part.start}", partial(fit, part, held)) for part in ranges(frames, CHUNK)]
        offset = shape[components:].unflatten(0, (-1, 3)).float()
        return Track(identity, intrinsics.float(), offset=offset, **join(parts))

    track = follow("landmarks")
    return follow("sharpened", sharpen(track)) if sharpen else track


def camera_matrix(focal: float, size: int) -> torch.Tensor:
    """[3, 3] of a camera that looks through the middle of the picture; focal length in sizes of the picture."""
    return torch.tensor([[focal * size, 0.0, size / 2], [0.0, focal * size, size / 2], [0.0, 0.0, 1.0]]).double()


def fit_person(
    observation: Observation, keys: np.ndarray, size: int, settings: FitSettings, weights: torch.Tensor | None
) -> Tensors:
    """From the frames `keys`: `shape` [N_i + 3P] (identity, then offsets) and the `focal` length in sizes of the
    picture."""
    prior = observation.prior(keys)
    tried: dict[float, tuple[float, FitState]] = {}

    def attempt(focal: float) -> float:
        problem = observation.problem(keys, camera_matrix(focal, size), settings, weights)
        if tried:
            near = min(tried, key=lambda known: abs(np.log(known / focal)))
            known = tried[near][1]
            translation = known.translation * torch.tensor([1.0, 1.0, focal / near]).double()
            state = FitState(known.shape.clone(), known.expression.clone(), known.rotation.clone(), translation)
            rounds = 4
        else:
            shape = torch.zeros_like(problem.shape_prior)
            state, rounds = FitState(shape, prior.clone(), *problem.weak_perspective(prior)), ITERATIONS
        for iteration in range(rounds):
            problem.update_shape(state)
            equations = problem.normal_equations(state, prior)
            still = torch.zeros_like(prior)
            change = expression_step(equations, state.expression) if iteration >= 2 or tried else still
            move(state, change, torch.linalg.solve(equations.hessian[:, :6, :6], -pose_gradient(equations, change)))
        # All frames share one shape: it counts once, against the data of all of them.
        cost = float(problem.cost(state).median())
        cost += float((problem.shape_prior * state.shape.square()).sum()) / len(keys)
        cost += settings.expression_prior * float((state.expression - prior).square().sum(-1).median())
        cost += FOCAL_PRIOR * float(np.log(focal / USUAL_FOCAL) / FOCAL_SPREAD) ** 2
        tried[focal] = (cost, state)
        return cost

    first = FOCAL_LENGTHS.index(USUAL_FOCAL)
    for focal in (*FOCAL_LENGTHS[first::-1], *FOCAL_LENGTHS[first + 1 :]):
        attempt(focal)
    best = min(tried, key=lambda focal: tried[focal][0])
    for step in (1.19, 1.09):
        for focal in (best / step, best * step):
            attempt(focal)
        best = min(tried, key=lambda focal: tried[focal][0])
    return {"shape": tried[best][1].shape, "focal": torch.tensor(best).double()}


def fit_motion(
    problem: FitProblem, shape: torch.Tensor, prior: torch.Tensor, held: torch.Tensor | None = None
) -> FitState:
    """Pose and expression of successive frames for a given shape, smooth in time; `held` [T, 3, 4] are poses that
    are known already."""
    where = problem.weak_perspective(prior) if held is None else (held[:, :, :3].double(), held[:, :, 3].double())
    state = FitState(shape, prior.clone(), *where)
    seen = problem.trust.clone()
    for iteration in range(ITERATIONS):
        if iteration >= 3:
            error = problem.cost(state).sqrt()
            usual = error[seen > LOST].median() if (seen > LOST).any() else error.median()
            problem.trust = seen / (1 + (error / (BAD_FRAME * usual)) ** 8)
        equations = problem.normal_equations(state, prior)
        if held is not None:
            equations.hessian[:, :6, :6] += HELD * torch.eye(6, dtype=torch.float64)
            move(state, expression_step(equations, state.expression), torch.zeros(len(prior), 6).double())
            continue
        equations.gradient[:, :6] += _smoothness(state)
        of_pose = equations.hessian[:, :6, :6].clone()
        # Neighbours hold a pose back by this much while its expression is found.
        equations.hessian[:, :6, :6] += torch.diag(6 * STIFFNESS)
        change = expression_step(equations, state.expression) if iteration >= 2 else torch.zeros_like(prior)
        move(state, change, _smooth_step(of_pose, pose_gradient(equations, change)))
    return state


def _smoothness(state: FitState) -> torch.Tensor:
    """Gradient [T, 6] of the pose's squared second differences; a rotation counts as its vector from the first."""
    from scipy.spatial.transform import Rotation

    turns = (state.rotation @ state.rotation[:1].mT).numpy()
    course = np.concatenate([Rotation.from_matrix(turns).as_rotvec(), state.translation.numpy()], axis=1)
    bend = np.zeros((len(course) + 2, 6))
    bend[2:-2] = course[2:] - 2 * course[1:-1] + course[:-2] if len(course) > 2 else 0
    return torch.from_numpy(bend[2:] - 2 * bend[1:-1] + bend[:-2]) * STIFFNESS


def _smooth_step(of_pose: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The steps [T, 6] of all poses at once: each frame's equations [T, 6, 6], [T, 6], bound by their smoothness."""
    from scipy.linalg import solveh_banded

    frames = len(of_pose)
    bands = np.zeros((13, frames, 6))
    for below in range(6):
        bands[below, :, : 6 - below] = of_pose.diagonal(offset=-below, dim1=1, dim2=2).numpy()
    ones = np.ones(max(frames - 2, 0))
    weights = STIFFNESS.numpy()
    for shift, stencil in ((0, (1, 4, 1)), (1, (-2, -2)), (2, (1,))):
        profile = np.zeros(frames)
        for place, value in enumerate(stencil):
            profile[place : place + len(ones)] += value * ones
        bands[6 * shift] += profile[:, None] * weights
    step = solveh_banded(bands.reshape(13, -1), -gradient.numpy().ravel(), lower=True, check_finite=False)
    return torch.from_numpy(step).unflatten(0, (frames, 6))
