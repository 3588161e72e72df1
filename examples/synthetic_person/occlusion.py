"""Ambient occlusion: how much of the surrounding light reaches a point, found by rendering depth from all sides."""

from typing import Any

import moderngl
import numpy as np

_RESOLUTION = 384
_EXTENT = 26.0
_VERTEX = """
#version 330
in vec3 in_position;
uniform mat4 view;
void main() { gl_Position = view * vec4(in_position, 1.0); }
"""
_FRAGMENT = """
#version 330
void main() {}
"""


class Occlusion:
    """Occluders: one soup of triangles [M, 3] over vertices [V, 3]."""

    def __init__(self, context: moderngl.Context, vertices: np.ndarray, triangles: np.ndarray):
        self._context = context
        self._program: Any = context.program(_VERTEX, _FRAGMENT)
        vertex_buffer = context.buffer(vertices.astype(np.float32).tobytes())
        index_buffer = context.buffer(triangles.astype(np.int32).tobytes())
        self._array = context.vertex_array(self._program, [(vertex_buffer, "3f", "in_position")], index_buffer)
        self._depth = context.depth_texture((_RESOLUTION, _RESOLUTION))
        self._target = context.framebuffer(depth_attachment=self._depth)

    def openness(
        self, points: np.ndarray, normals: np.ndarray, directions: int = 96, bias: float = 0.15
    ) -> np.ndarray:
        """[N] share, 0 to 1, of the cosine-weighted sky that points [N, 3] with normals [N, 3] see."""
        centre = np.array([0.0, -2.0, 0.0])
        reached = np.zeros(len(points))
        total = np.full(len(points), 1e-6)
        self._context.enable(moderngl.DEPTH_TEST)
        for direction in _sphere(directions):
            view = _view(direction, centre)
            self._program["view"].write(view.T.astype("f4").tobytes())
            self._target.use()
            self._target.clear(depth=1.0)
            self._array.render()
            cosine = normals @ direction
            facing = np.flatnonzero(cosine > 0)
            depth = np.frombuffer(self._depth.read(), np.float32).reshape(_RESOLUTION, _RESOLUTION)
            lifted = points[facing] + normals[facing] * bias
            place = lifted @ view[:3, :3].T + view[:3, 3]
            column, row = np.clip(((place[:, :2] * 0.5 + 0.5) * _RESOLUTION).astype(int), 0, _RESOLUTION - 1).T
            seen = place[:, 2] * 0.5 + 0.5 < depth[row, column] + bias / (4 * _EXTENT)
            reached[facing] += cosine[facing] * seen
            total[facing] += cosine[facing]
        return reached / total


def _sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (a Fibonacci lattice)."""
    height = 1 - (2 * np.arange(count) + 1) / count
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), height, radius * np.sin(angle)], -1)


def _view(direction: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Orthographic clip matrix that looks from `direction` at `centre`."""
    side = np.cross(direction, [0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([side, np.cross(side, direction), -direction]) / np.array([[1], [1], [2]]) / _EXTENT
    matrix[:3, 3] = -matrix[:3, :3] @ centre
    return matrix
