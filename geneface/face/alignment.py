"""Sharpens head poses: landmarks give them to about a pixel, the picture itself to a tenth of one.

Corners of the upper head, which is nearly rigid, are followed from a few key pictures into all others. Their places
in the head frame and the poses are then found together, so that the corners stay where they are on the head. The
poses of the landmarks remain what they are on average: corners say how the head moves, not where it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from geneface.face.fit_problem import rotation_matrix
from geneface.face.ibug68 import LEFT_EYE, NOSE_BASE, RIGHT_EYE
from geneface.face.parts import Course, Keep, Tensors, join, make_anew, ranges

KEYS, NEAREST = 10, 3
"""Key pictures, and how many of them, nearest by pose, each picture is compared with."""
CORNERS = 150
"""Most corners of a key picture."""
FEWEST = 4
"""Corners of a key picture, on average, that say anything."""
SAMPLED = 120
"""Pictures that take part in finding the corners' places."""
ROUNDS, BATCH = 40, 64
NEIGHBOURS, FRONT = 24, 1.5
"""Vertices round a corner that tell its depth, and by how many cm those of the front differ."""
BACK_AND_FORTH = 0.4
"""Pixels by which a corner may miss its place when it is followed back."""
OUTLIER = 1.0
"""Pixels of error from where on a corner loses its weight."""
PLACE_SPREAD = 0.7
"""cm that a corner may lie off the mesh: hair does."""
POSE_SPREAD = torch.tensor([0.02, 0.02, 0.02, 0.2, 0.2, 1.0], dtype=torch.float64)
"""Radians and cm by which the landmarks' poses are taken to be off."""
WINDOW = (21, 21)


@dataclass
class Corners:
    """Corners of a key picture: [N, 2] pixels, [N, 3] places in the head frame in cm."""

    grey: np.ndarray
    pixels: np.ndarray
    places: torch.Tensor


@dataclass(frozen=True)
class Sightings:
    """Where corners were seen in F pictures."""

    places: torch.Tensor
    """[F, N] numbers of corners"""
    pixels: torch.Tensor
    """[F, N, 2]"""
    seen: torch.Tensor
    """[F, N] 0 or 1"""


def sharpen_poses(
    pictures: Callable[[], Iterable[np.ndarray]],
    masks: np.ndarray,
    landmarks: np.ndarray,
    vertices: torch.Tensor,
    pose: torch.Tensor,
    intrinsics: torch.Tensor,
    train: range,
    keep: Keep = make_anew,
) -> torch.Tensor:
    """Poses [T, 3, 4] in which the picture of the upper head stays still on the head.

    Args:
        pictures: gives all frames, uint8 [H, W, 3]; called twice.
        masks: [T, h, w], 1 on the head.
        landmarks: [T, 68, 2] pixels.
        vertices: [V, 3] the person's neutral mesh in cm.
        pose: [T, 3, 4] from the landmarks.
        intrinsics: [3, 3].
        train: The frames that may tell where corners are.
        keep: Is asked for each part of the work.
    """
    pose, intrinsics, vertices = pose.double(), intrinsics.double(), vertices.double()
    keys = spread_poses(pose, train)
    known = keep("corners", lambda: place_corners(pictures, masks, landmarks, vertices, pose, intrinsics, train, keys))
    if "places" not in known:
        return pose.float()
    numbers = known["counts"].tolist()
    parts = zip(known["grey"], known["pixels"].split(numbers), known["places"].split(numbers), strict=True)
    corners = [Corners(grey.numpy(), pixels.numpy(), places) for grey, pixels, places in parts]
    offsets, chosen = np.cumsum([0, *numbers]), nearest_keys(pose, pose[keys])

    def sharpen(batch: range) -> Tensors:
        seen = _collect(
            follow([corners[k] for k in chosen[i]], offsets[chosen[i]], _grey(picture), pose[i], intrinsics)
            for i, picture in zip(batch, course.part(batch.start, batch.stop), strict=True)
        )
        before = found = pose[batch.start : batch.stop]
        for _ in range(6):
            found = step_poses(found, before, known["places"], seen, intrinsics)
        return {"pose": found}

    course = Course(pictures())
    batches = ranges(len(pose), BATCH)
    return join(keep(f"poses-{batch.start}", partial(sharpen, batch)) for batch in batches)["pose"].float()


def place_corners(
    pictures: Callable[[], Iterable[np.ndarray]],
    masks: np.ndarray,
    landmarks: np.ndarray,
    vertices: torch.Tensor,
    pose: torch.Tensor,
    intrinsics: torch.Tensor,
    train: range,
    keys: list[int],
) -> Tensors:
    """The corners of the pictures `keys`, placed on the head by how they are seen to move; arguments as of
    `sharpen_poses`. Gives how many each picture has, `counts` [K], and unless these are too few `grey` [K, H, W],
    `pixels` [N, 2] and `places` [N, 3]."""
    sampled = sorted({*keys, *np.linspace(train.start, train.stop - 1, min(SAMPLED, len(train))).astype(int).tolist()})
    wanted = set(sampled)
    grey = {index: _grey(picture) for index, picture in enumerate(pictures()) if index in wanted}
    corners = [find_corners(grey[key], masks[key], landmarks[key], vertices, pose[key], intrinsics) for key in keys]
    counts = [len(key.pixels) for key in corners]
    if sum(counts) < FEWEST * len(keys):
        return {"counts": torch.tensor(counts)}
    offsets = np.cumsum([0, *counts])
    chosen = nearest_keys(pose[sampled], pose[keys])
    sightings = _collect(
        (follow([corners[k] for k in near], offsets[near], grey[index], pose[index], intrinsics))
        for index, near in zip(sampled, chosen, strict=True)
    )
    meshed = torch.cat([key.places for key in corners])
    places, found = meshed.clone(), pose[sampled].clone()
    for _ in range(ROUNDS):
        found = step_poses(found, pose[sampled], places, sightings, intrinsics)
        places = step_places(places, meshed, found, sightings, intrinsics)
    return {
        "counts": torch.tensor(counts),
        "grey": torch.from_numpy(np.stack([key.grey for key in corners])),
        "pixels": torch.from_numpy(np.concatenate([key.pixels for key in corners])),
        "places": places,
    }


def spread_poses(pose: torch.Tensor, train: range, count: int = KEYS) -> list[int]:
    """Frames whose poses lie far from one another, the first of them nearest to the median."""
    course = _course(pose[train.start : train.stop])
    chosen = [int((course - course.median(0).values).norm(dim=1).argmin())]
    distance = torch.full((len(course),), torch.inf, dtype=course.dtype)
    while len(chosen) < min(count, len(course)):
        distance = torch.minimum(distance, (course - course[chosen[-1]]).norm(dim=1))
        chosen.append(int(distance.argmax()))
    return [train.start + index for index in chosen]


def nearest_keys(pose: torch.Tensor, keys: torch.Tensor, count: int = NEAREST) -> np.ndarray:
    """[T, count] numbers of the keys that lie nearest by pose."""
    both = _course(torch.cat([keys, pose]))
    return torch.cdist(both[len(keys) :], both[: len(keys)]).topk(min(count, len(keys)), largest=False).indices.numpy()


def _course(pose: torch.Tensor) -> torch.Tensor:
    """[T, 5] numbers of which a distance of 1 changes the picture about as much in each: 5 degrees, 1 cm."""
    turn = small_turn(pose[:, :, :3] @ pose[:1, :, :3].mT)
    return torch.cat([11.5 * turn, pose[:, :2, 3]], dim=1)


def small_turn(rotation: torch.Tensor) -> torch.Tensor:
    """Rotation vectors [T, 3] of small rotations [T, 3, 3]."""
    return 0.5 * torch.stack(
        [
            rotation[:, 2, 1] - rotation[:, 1, 2],
            rotation[:, 0, 2] - rotation[:, 2, 0],
            rotation[:, 1, 0] - rotation[:, 0, 1],
        ],
        dim=-1,
    )


def find_corners(
    grey: np.ndarray,
    mask: np.ndarray,
    landmarks: np.ndarray,
    vertices: torch.Tensor,
    pose: torch.Tensor,
    intrinsics: torch.Tensor,
) -> Corners:
    """Corners of the head above the nose's base and outside of the eyes, placed at the mesh's depth."""
    import cv2
    from scipy.spatial import KDTree

    area = cv2.resize((mask == 1).astype(np.uint8), grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    area = cv2.erode(area, np.ones((9, 9), np.uint8))
    area[int(landmarks[NOSE_BASE, 1]) :] = 0
    for eye in (landmarks[RIGHT_EYE], landmarks[LEFT_EYE]):
        reach = 0.35 * np.ptp(eye[:, 0])
        (left, top), (right, bottom) = (eye.min(0) - reach).astype(int), (eye.max(0) + reach).astype(int)
        area[max(top, 0) : bottom, max(left, 0) : right] = 0
    pixels = cv2.goodFeaturesToTrack(grey, CORNERS, 0.005, 6, mask=area)
    pixels = np.zeros((0, 2), np.float32) if pixels is None else pixels[:, 0]
    camera = (vertices @ pose[:, :3].T + pose[:, 3]).numpy()
    focal, centre = float(intrinsics[0, 0]), intrinsics[:2, 2].numpy()
    shown = camera[:, :2] / camera[:, 2:] * focal + centre
    depth = np.zeros(len(pixels))
    for row, (pixel, near) in enumerate(zip(pixels, KDTree(shown).query(pixels, NEIGHBOURS)[1], strict=True)):
        # Of a mesh that is seen through, only the front counts.
        front = near[camera[near, 2] < camera[near, 2].min() + FRONT]
        closeness = 1 / (np.linalg.norm(shown[front] - pixel, axis=1) + 0.5) ** 2
        depth[row] = (camera[front, 2] * closeness).sum() / closeness.sum()
    seen = np.concatenate([(pixels - centre) / focal, np.ones((len(pixels), 1))], axis=1) * depth[:, None]
    return Corners(grey, pixels, (torch.from_numpy(seen) - pose[:, 3]) @ pose[:, :3])


def follow(
    corners: list[Corners], starts: np.ndarray, grey: np.ndarray, pose: torch.Tensor, intrinsics: torch.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers [n] of the corners that were found again in a picture, and their pixels [n, 2] there."""
    import cv2

    flow = partial(cv2.calcOpticalFlowPyrLK, winSize=WINDOW, maxLevel=2, flags=cv2.OPTFLOW_USE_INITIAL_FLOW)
    numbers, pixels = [], []
    for key, start in zip(corners, starts, strict=True):
        if not len(key.pixels):
            continue
        there = project(key.places, pose[None], intrinsics)[0][0].numpy().astype(np.float32)
        found, good, _ = flow(key.grey, grey, key.pixels, there.copy())
        back, kept, _ = flow(grey, key.grey, found, key.pixels.copy())
        same = np.linalg.norm(back - key.pixels, axis=1) < BACK_AND_FORTH
        keep = (good[:, 0] > 0) & (kept[:, 0] > 0) & same
        numbers.append(start + np.flatnonzero(keep))
        pixels.append(found[keep])
    if not numbers:
        return np.zeros(0, np.int64), np.zeros((0, 2), np.float32)
    return np.concatenate(numbers), np.concatenate(pixels)


def project(
    places: torch.Tensor, pose: torch.Tensor, intrinsics: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pixels [F, N, 2] of places [N, 3] or [F, N, 3], their derivative by camera coordinates [F, N, 2, 3], and the
    places turned into the camera's directions [F, N, 3]."""
    turned = places @ pose[:, :, :3].mT
    camera = turned + pose[:, None, :, 3]
    focal = intrinsics.diagonal()[:2]
    slope = focal / camera[..., 2:]
    pixels = camera[..., :2] * slope + intrinsics[:2, 2]
    by_depth = -(camera[..., :2] * slope / camera[..., 2:])[..., None]
    return pixels, torch.cat([torch.diag_embed(slope), by_depth], dim=-1), turned


def _trust(error: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Weights [F, N] of errors [F, N, 2] in pixels."""
    return seen / (1 + error.square().sum(-1) / OUTLIER**2).square()


def step_poses(
    pose: torch.Tensor, prior: torch.Tensor, places: torch.Tensor, sightings: Sightings, intrinsics: torch.Tensor
) -> torch.Tensor:
    """A Gauss-Newton step of poses [F, 3, 4], each on its own."""
    pixels, by_camera, turned = project(places[sightings.places], pose, intrinsics)
    error = pixels - sightings.pixels
    weight = _trust(error, sightings.seen)[..., None, None]
    zero = torch.zeros_like(turned[..., 0])
    x, y, z = turned.unbind(-1)
    turn = torch.stack([zero, z, -y, -z, zero, x, y, -x, zero], dim=-1).unflatten(-1, (3, 3))
    by_pose = torch.cat([by_camera @ turn, by_camera], dim=-1)
    weighted = (by_pose * weight).flatten(1, 2).mT
    stiffness = POSE_SPREAD.square().reciprocal()
    off = small_turn(pose[:, :, :3] @ prior[:, :, :3].mT)
    off = torch.cat([off, pose[:, :, 3] - prior[:, :, 3]], dim=-1)
    hessian = weighted @ by_pose.flatten(1, 2) + torch.diag(stiffness)
    gradient = (weighted @ error.flatten(1)[..., None])[..., 0] + stiffness * off
    step = torch.linalg.solve(hessian, -gradient)
    return torch.cat([rotation_matrix(step[:, :3]) @ pose[:, :, :3], (pose[:, :, 3] + step[:, 3:])[..., None]], dim=-1)


def step_places(
    places: torch.Tensor, meshed: torch.Tensor, pose: torch.Tensor, sightings: Sightings, intrinsics: torch.Tensor
) -> torch.Tensor:
    """A Gauss-Newton step of the corners' places [N, 3], each on its own and held near the mesh."""
    pixels, by_camera, _ = project(places[sightings.places], pose, intrinsics)
    error = pixels - sightings.pixels
    weighted = by_camera @ pose[:, None, :, :3]
    by_place, weighted = weighted, weighted * _trust(error, sightings.seen)[..., None, None]
    numbers = sightings.places.flatten()
    hessian = torch.eye(3).double().repeat(len(places), 1, 1) / PLACE_SPREAD**2
    hessian.index_add_(0, numbers, (weighted.mT @ by_place).flatten(0, 1))
    gradient = (places - meshed) / PLACE_SPREAD**2
    gradient.index_add_(0, numbers, (weighted.mT @ error[..., None])[..., 0].flatten(0, 1))
    return places - torch.linalg.solve(hessian, gradient)


def _collect(found: Iterable[tuple[np.ndarray, np.ndarray]]) -> Sightings:
    """Pad what was seen in each picture to one length."""
    pairs = list(found)
    width = max(1, *(len(numbers) for numbers, _ in pairs))
    places, seen = np.zeros((len(pairs), width), np.int64), np.zeros((len(pairs), width))
    pixels = np.zeros((len(pairs), width, 2))
    for row, (numbers, where) in enumerate(pairs):
        places[row, : len(numbers)], pixels[row, : len(numbers)], seen[row, : len(numbers)] = numbers, where, 1
    return Sightings(torch.from_numpy(places), torch.from_numpy(pixels), torch.from_numpy(seen))


def _grey(picture: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
