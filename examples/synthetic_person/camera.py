"""The pinhole camera in OpenCV's convention, and rigid transforms [3, 4]."""

import numpy as np

SIZE = 512
FOCAL = 1520.0
FRONTAL = np.diag([1.0, -1.0, -1.0])
"""Rotation head -> camera of a head that looks straight into the camera."""
DISTANCE = 112.0
RAISE = 0.7
"""How far the head's origin lies below the optical axis, in cm."""


def intrinsics() -> np.ndarray:
    """[3, 3] in pixels of the frame, pixel centres at +0.5."""
    return np.array([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])


def rest_pose() -> np.ndarray:
    """[3, 4] head -> camera of the frontal head at its usual place."""
    return np.column_stack([FRONTAL, [0.0, RAISE, DISTANCE]])


def project(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Pixels [..., 2] of head-frame points [..., 3] under pose [3, 4]."""
    homogeneous = (points @ pose[:, :3].T + pose[:, 3]) @ intrinsics().T
    return homogeneous[..., :2] / homogeneous[..., 2:]


def clip_matrix(near: float = 40.0, far: float = 400.0) -> np.ndarray:
    """OpenGL clip matrix [4, 4] from camera space; row 0 of the framebuffer is the top row of the picture."""
    k = intrinsics()
    return np.array(
        [
            [2 * k[0, 0] / SIZE, 0, 2 * k[0, 2] / SIZE - 1, 0],
            [0, 2 * k[1, 1] / SIZE, 2 * k[1, 2] / SIZE - 1, 0],
            [0, 0, (far + near) / (far - near), -2 * far * near / (far - near)],
            [0, 0, 1, 0],
        ]
    )


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Head-frame rotation [3, 3], radians: yaw turns to the person's left, pitch up, roll to the person's right."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def turn(pose: np.ndarray, rotation: np.ndarray, pivot: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """`pose` after the head has turned by `rotation` about `pivot` and moved by `shift` (head-frame cm)."""
    move = pivot - rotation @ pivot + shift
    return np.column_stack([pose[:, :3] @ rotation, pose[:, :3] @ move + pose[:, 3]])


def four(transform: np.ndarray) -> np.ndarray:
    return np.vstack([transform, [0, 0, 0, 1]])
