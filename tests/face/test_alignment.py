import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from geneface.face.alignment import project, sharpen_poses, spread_poses

cv2 = pytest.importorskip("cv2", reason="OpenCV comes with mediapipe: pip install -r requirements-tracking.txt")

SIZE, FRAMES, FOCAL, DISTANCE = 256, 24, 600.0, 70.0
RADII = torch.tensor([8.0, 11.0, 9.0], dtype=torch.float64)
INTRINSICS = torch.tensor([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]], dtype=torch.float64)


def head_poses() -> torch.Tensor:
    """[T, 3, 4]: it turns by up to 8 degrees and shifts by 1 cm."""
    time = np.arange(FRAMES)
    angles = np.stack([0.08 * np.sin(time / 4), 0.14 * np.sin(time / 5), 0.04 * np.cos(time / 3)], 1)
    rotation = Rotation.from_rotvec(angles).as_matrix() @ np.diag([1.0, -1, -1])
    place = np.stack([np.sin(time / 6), 0.5 * np.cos(time / 5), np.full(FRAMES, DISTANCE)], 1)
    return torch.from_numpy(np.concatenate([rotation, place[:, :, None]], axis=2))


def picture(pose: torch.Tensor, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [SIZE, SIZE, 3] and mask [SIZE, SIZE]: an ellipsoid with a skin, as seen from the front."""
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    rays = torch.stack([(x - SIZE / 2) / FOCAL, (y - SIZE / 2) / FOCAL, torch.ones_like(x)], -1).double()
    origin, rays = -(pose[:, 3] @ pose[:, :3]) / RADII, rays @ pose[:, :3] / RADII
    a, b, c = rays.square().sum(-1), rays @ origin, origin.square().sum() - 1
    inside = b * b - a * c
    hit = origin + rays * ((-b - inside.clamp_min(0).sqrt()) / a)[..., None]
    where = ((hit[..., :2] + 1) / 2 * (len(skin) - 1)).float().numpy()
    seen = cv2.remap(skin, where[..., 0], where[..., 1], cv2.INTER_LINEAR)
    mask = (inside > 0).numpy()
    return np.where(mask[..., None], seen, 40).astype(np.uint8), mask.astype(np.uint8)


@pytest.fixture(scope="module")
def clip() -> tuple[torch.Tensor, list[np.ndarray], np.ndarray, np.ndarray, torch.Tensor]:
    """Poses, pictures, masks, landmarks that leave all but the eyes free, and the mesh."""
    noise = np.random.default_rng(0).normal(128, 60, (28, 28, 1)).repeat(3, 2).astype(np.float32)
    skin = cv2.resize(noise, (512, 512), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    poses = head_poses()
    drawn = [picture(pose, skin) for pose in poses]
    landmarks = np.full((FRAMES, 68, 2), SIZE - 40.0, np.float32)
    landmarks[:, 36:48] = (5.0, 5.0)
    directions = torch.nn.functional.normalize(
        torch.randn(8000, 3, generator=torch.Generator().manual_seed(1)), dim=-1
    )
    return (
        poses,
        [rgb for rgb, _ in drawn],
        np.stack([mask for _, mask in drawn]),
        landmarks,
        directions.double() * RADII,
    )


def motion_error(found: torch.Tensor, true: torch.Tensor) -> float:
    """RMS pixels by which points of the face move otherwise than they should, whatever the constant offset."""
    face = torch.tensor([[0.0, 2, 8], [3, 4, 6], [-3, 4, 6], [0, 6, 6]], dtype=torch.float64)
    error = project(face, found.double(), INTRINSICS)[0] - project(face, true, INTRINSICS)[0]
    return float((error - error.mean(0)).square().sum(-1).mean().sqrt())


def test_noisy_poses_become_those_of_the_picture(clip: tuple) -> None:
    poses, pictures, masks, landmarks, mesh = clip
    generator = np.random.default_rng(2)
    turned = Rotation.from_rotvec(generator.normal(0, 0.01, (FRAMES, 3))).as_matrix() @ poses[:, :, :3].numpy()
    shifted = poses[:, :, 3].numpy() + generator.normal(0, [0.1, 0.1, 0.3], (FRAMES, 3))
    noisy = torch.from_numpy(np.concatenate([turned, shifted[:, :, None]], axis=2))
    before = motion_error(noisy, poses)
    sharp = sharpen_poses(lambda: pictures, masks, landmarks, mesh, noisy, INTRINSICS, range(20))
    assert before > 1.0
    assert motion_error(sharp, poses) < 0.25 * before


def test_a_still_head_stays_still(clip: tuple) -> None:
    poses, pictures, masks, landmarks, mesh = clip
    generator = np.random.default_rng(3)
    turned = Rotation.from_rotvec(generator.normal(0, 0.01, (FRAMES, 3))).as_matrix() @ poses[0, :, :3].numpy()
    noisy = torch.cat([torch.from_numpy(turned), poses[:1, :, 3:].expand(FRAMES, 3, 1)], dim=2)
    still = [pictures[0]] * FRAMES
    sharp = sharpen_poses(lambda: still, masks[:1].repeat(FRAMES, 0), landmarks, mesh, noisy, INTRINSICS, range(20))
    rotation = sharp[:, :, :3].double().numpy()
    steps = Rotation.from_matrix(rotation[1:] @ rotation[:-1].transpose(0, 2, 1)).magnitude()
    assert np.degrees(steps).max() < 0.3


def test_a_head_without_corners_keeps_its_poses(clip: tuple) -> None:
    poses, pictures, masks, landmarks, mesh = clip
    blank = [np.full_like(pictures[0], 90)] * FRAMES
    assert torch.equal(
        sharpen_poses(lambda: blank, masks, landmarks, mesh, poses, INTRINSICS, range(20)), poses.float()
    )


def test_key_pictures_lie_far_apart() -> None:
    poses = head_poses()
    keys = spread_poses(poses, range(20), 4)
    assert len(set(keys)) == 4 and max(keys) < 20
    sideways = poses[keys][:, :3, :3] @ poses[keys[0], :3, :3].T
    assert float(sideways[1:, 0, 2].abs().max()) > 0.1
