"""Draws the actor with OpenGL, without a display: shadow map, picture, class mask."""

from dataclasses import dataclass
from pathlib import Path

import moderngl
import numpy as np

from . import scene as stage
from . import skin
from .camera import SIZE, clip_matrix, four, rest_pose
from .groom import Strands, ribbon_triangles
from .noise import Noise
from .parts import ActorMesh
from .studio import Studio

MASK_SIZE = 128
_SAMPLES = 2
_SHADOW = 1024
_PAINT = 1024
_SHADERS = Path(__file__).with_name("shaders")
HAIR = (0.085, 0.046, 0.026)
BROW = (0.060, 0.034, 0.021)
WOOL = (0.055, 0.115, 0.175)


@dataclass(frozen=True)
class Picture:
    """`rgb` uint8 [512, 512, 3]; `mask` uint8 [128, 128]: 0 background, 1 head, 2 torso."""

    rgb: np.ndarray
    mask: np.ndarray


class Renderer:
    """One actor, dressed and lit; `draw` makes a picture of one expression and pose."""

    def __init__(self, mesh: ActorMesh, seed: int, studio: Studio | None = None):
        self.mesh, self.studio = mesh, studio or Studio()
        self.context = moderngl.create_context(standalone=True, backend="egl", require=330)
        self._scene = stage.build(self.context, mesh, seed)
        self._programs: dict[str, moderngl.Program] = {}
        self._targets()
        self._textures(seed)
        self._body()
        self._cloth()
        self._hair = self._strands(self._scene.hair, self._scene.hair.points, self._scene.hair_occlusion)
        self._brows = self._strands(self._scene.brows.strands, self._scene.brows.strands.points, np.ones(1))
        self._screen = {
            name: self.context.vertex_array(self._program("screen.vert", f"{name}.frag"), [])
            for name in ("background", "resolve", "mask")
        }

    def draw(self, expression: np.ndarray, head: np.ndarray, torso: np.ndarray, person: bool = True) -> Picture:
        """Expression [57], poses [3, 4] of head and torso; without `person`, the empty studio."""
        if person:
            vertices = self.mesh.vertices(expression)
            self._update(vertices)
            opening = stage.openness_of_jaw(expression, self.mesh.model.expression_names)
            self._set(head, torso, opening)
            self._draw_shadow(head, torso)
        self._target.use()
        self.context.disable(moderngl.DEPTH_TEST)
        self._screen["background"].render(moderngl.TRIANGLES, 3)
        self.context.enable(moderngl.DEPTH_TEST)
        self._target.depth_mask = True
        self.context.clear(depth=1.0) if False else self._target.clear_depth()
        return self._develop()
