"""Draws the actor with OpenGL, without a display: shadow map, picture, class mask."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from geneface.errors import InputError

from . import scene as stage
from . import skin
from .camera import SIZE, clip_matrix, four
from .groom import Strands, ribbon_triangles
from .parts import ActorMesh
from .studio import Studio

MASK_SIZE = 128
_VERSION = "#version 330\n"
_SAMPLES = 2
_SHADOW = 1024
_PAINT = 1024
_SHADERS = Path(__file__).with_name("shaders")
_SCENE_UNIT, _SHADOW_UNIT, _PAINT_UNIT, _NOISE_UNIT = range(4)
_TISSUES = (stage.SOCKET, stage.GUMS, stage.TONGUE, stage.TEETH)
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
        self.context = _context()
        self._scene = stage.build(self.context, mesh, seed)
        self._programs: dict[str, Any] = {}
        self._shadow_arrays: list[moderngl.VertexArray] = []
        self._targets()
        self._textures(seed)
        self._body()
        self._cloth()
        lit = np.ones((1, 1))
        _, self._hair = self._strands("strand", self._scene.hair, self._scene.hair_occlusion)
        _, casters = self._strands("strand_shadow", self._scene.hair.thinned(), lit)
        self._shadow_arrays.append(casters)
        self._brow_points, self._brows = self._strands("strand", self._scene.brows.strands, lit)
        self._screen = {
            name: self.context.vertex_array(self._program(name, "screen.vert", f"{name}.frag"), [])
            for name in ("background", "resolve", "mask")
        }

    def draw(self, expression: np.ndarray, head: np.ndarray, torso: np.ndarray, person: bool = True) -> Picture:
        """Expression [57], poses [3, 4] of head and torso; without `person`, the empty studio."""
        if person:
            vertices = self.mesh.vertices(expression)
            self._update(vertices)
            self._pose(head, torso, stage.opening_of_lips(self.mesh, vertices))
            self._draw_shadow()
        self._target.use()
        self._target.clear(depth=1.0)
        self.context.disable(moderngl.DEPTH_TEST)
        self._screen["background"].render(moderngl.TRIANGLES, 3)
        self.context.enable(moderngl.DEPTH_TEST)
        if person:
            self._shadow_map.use(_SHADOW_UNIT)
            self._draw_person()
        return self._develop()

    def _draw_person(self) -> None:
        # Hair comes last: it is the dearest to shade, and what the head hides of it need not be.
        self._cloth_array.render()
        for material, array in self._body_arrays.items():
            program = array.program
            if material in (stage.LEFT_EYE, stage.RIGHT_EYE):
                program["centre"].value = tuple(self._scene.eye_centres[material - stage.LEFT_EYE])
            elif material in _TISSUES:
                program["tissue"].value = _TISSUES.index(material)
            array.render()
        strand = self._programs["strand"]
        for array, colour, shine in ((self._hair, HAIR, 1.0), (self._brows, BROW, 0.08)):
            strand["colour"].value, strand["shine"].value = colour, shine
            array.render()

    def _draw_shadow(self) -> None:
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self.context.enable(moderngl.DEPTH_TEST)
        for array in self._shadow_arrays:
            array.render()

    def _develop(self) -> Picture:
        self.context.disable(moderngl.DEPTH_TEST)
        self._linear.use(_SCENE_UNIT)
        self._picture.use()
        self._screen["resolve"].render(moderngl.TRIANGLES, 3)
        self._labels.use()
        self._screen["mask"].render(moderngl.TRIANGLES, 3)
        rgb = np.frombuffer(self._picture.read(components=4), np.uint8).reshape(SIZE, SIZE, 4)[..., :3]
        mask = np.frombuffer(self._labels.read(components=1, alignment=1), np.uint8).reshape(MASK_SIZE, MASK_SIZE)
        return Picture(np.ascontiguousarray(rgb), mask.copy())

    def _update(self, vertices: np.ndarray) -> None:
        index = self._scene.body.vertex
        self._moving.write(np.hstack([vertices[index], self.mesh.normals(vertices)[index]]).astype("f4").tobytes())
        points = self._scene.brows.points(vertices - self.mesh.neutral)
        self._brow_points.write(np.repeat(points.reshape(-1, 3), 2, axis=0).astype("f4").tobytes())

    def _pose(self, head: np.ndarray, torso: np.ndarray, opening: float) -> None:
        shadow_clip = self.studio.shadow_clip(head @ [0.0, -4.0, 0.0, 1.0])
        key = self.studio.unit_directions()[0]
        values = {"head": four(head), "torso": four(torso), "clip": clip_matrix(), "shadow_clip": shadow_clip}
        for name, program in self._programs.items():
            for uniform, matrix in values.items():
                if uniform == "clip" and name.endswith("_shadow"):
                    matrix = shadow_clip
                if uniform in program:
                    program[uniform].write(matrix.T.astype("f4").tobytes())
            if "viewer" in program:
                program["viewer"].value = (*(-key), 0.0) if name.endswith("_shadow") else (0.0, 0.0, 0.0, 1.0)
        self._programs["mouth"]["opening"].value = opening

    def _program(self, name: str, vertex: str, fragment: str) -> Any:
        """The shaders of this name, compiled once, with what is constant in them set."""
        if name in self._programs:
            return self._programs[name]
        sources = [_source(vertex), _source(fragment)]
        # Strands are lit per vertex, surfaces per pixel.
        if vertex == "strand.vert":
            sources[0] = _source("light.glsl") + sources[0]
        elif vertex == "surface.vert" and fragment != "depth.frag":
            sources[1] = _source("light.glsl") + sources[1]
        program = self.context.program(_VERSION + sources[0], _VERSION + sources[1])
        studio = self.studio
        constants = {
            "light_direction": [tuple(row) for row in studio.unit_directions()],
            "light_colour": list(studio.colours),
            "ambient_above": studio.above,
            "ambient_below": studio.below,
            "exposure": studio.exposure,
            "cell": SIZE * _SAMPLES // MASK_SIZE,
            "scene": _SCENE_UNIT,
            "shadow_map": _SHADOW_UNIT,
            "paint": _PAINT_UNIT,
            "noise_map": _NOISE_UNIT,
        }
        for uniform, value in constants.items():
            if uniform in program:
                # The compiler shortens an array of which a shader reads only the first elements.
                program[uniform].value = value[: program[uniform].array_length] if isinstance(value, list) else value
        self._programs[name] = program
        return program

    def _targets(self) -> None:
        side = SIZE * _SAMPLES
        self._linear = self.context.texture((side, side), 4, dtype="f2")
        self._target = self.context.framebuffer([self._linear], self.context.depth_renderbuffer((side, side)))
        self._picture = self.context.framebuffer([self.context.texture((SIZE, SIZE), 4)])
        self._labels = self.context.framebuffer([self.context.texture((MASK_SIZE, MASK_SIZE), 1)])
        self._shadow_map = self.context.depth_texture((_SHADOW, _SHADOW))
        self._shadow_map.compare_func = "<="
        self._shadow_map.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._shadow_target = self.context.framebuffer(depth_attachment=self._shadow_map)

    def _textures(self, seed: int) -> None:
        tiles = [self._rest_positions(name) for name in ("face", "head")]
        landmarks = self.mesh.model.mean_landmarks.numpy()
        painted = np.stack([skin.paint(tile, landmarks, seed) for tile in tiles])
        self._paint = self.context.texture_array((_PAINT, _PAINT, 2), 4, painted.astype("f2").tobytes(), dtype="f2")
        self._paint.build_mipmaps()
        self._paint.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        self._paint.use(_PAINT_UNIT)
        noise = np.random.default_rng(seed).standard_normal((32, 32, 32)).astype("f2")
        self._noise = self.context.texture3d((32, 32, 32), 1, noise.tobytes(), dtype="f2", alignment=1)
        self._noise.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._noise.use(_NOISE_UNIT)

    def _rest_positions(self, name: str) -> np.ndarray:
        """Mean-mesh positions [P, P, 3] laid out in the texture space of one part; NaN where nothing lies."""
        part = self.mesh.parts[name]
        program = self.context.program(_VERSION + _source("position.vert"), _VERSION + _source("position.frag"))
        corners = np.hstack([self.mesh.mean[part.vertex], np.mod(part.uv, 1.0)]).astype("f4")
        layout = [(self.context.buffer(corners.tobytes()), "3f 2f", "in_rest", "in_uv")]
        array = self.context.vertex_array(program, layout, self.context.buffer(part.triangles.tobytes()))
        target = self.context.framebuffer([self.context.texture((_PAINT, _PAINT), 4, dtype="f4")])
        target.use()
        target.clear(np.nan, np.nan, np.nan)
        array.render()
        positions = np.frombuffer(target.read(components=3, dtype="f4"), np.float32)
        return positions.reshape(_PAINT, _PAINT, 3)

    def _body(self) -> None:
        body = self._scene.body
        fixed = np.hstack([body.rest, body.uv, body.occlusion[:, None], body.head_weight[:, None]])
        static = self.context.buffer(fixed.astype("f4").tobytes())
        self._moving = self.context.buffer(reserve=len(body.vertex) * 24, dynamic=True)
        names = {stage.SKIN: "skin", stage.LEFT_EYE: "eye", stage.RIGHT_EYE: "eye", stage.LASHES: "lash"}
        layout = [
            (self._moving, "3f 3f", "in_position", "in_normal"),
            (static, "3f 3f 2f", "in_rest", "in_uv", "in_shade"),
        ]
        self._body_arrays = {}
        for material, triangles in body.triangles.items():
            name = names.get(material, "mouth")
            index = self.context.buffer(triangles.astype("i4").tobytes())
            program = self._program(name, "surface.vert", f"{name}.frag")
            self._body_arrays[material] = self.context.vertex_array(program, layout, index, skip_errors=True)
            if material == stage.SKIN:
                self._shadow_arrays.append(
                    self.context.vertex_array(self._surface_shadow(), layout, index, skip_errors=True)
                )

    def _cloth(self) -> None:
        garment, shade = self._scene.garment, self._scene.garment_occlusion
        columns = [garment.vertices, garment.normals, garment.vertices, garment.uv, shade[:, None]]
        vertices = np.hstack([*columns, np.zeros((len(shade), 1))]).astype("f4")
        names = ("in_position", "in_normal", "in_rest", "in_uv", "in_shade")
        layout = [(self.context.buffer(vertices.tobytes()), "3f 3f 3f 3f 2f", *names)]
        index = self.context.buffer(garment.triangles.tobytes())
        program = self._program("cloth", "surface.vert", "cloth.frag")
        program["colour"].value = WOOL
        self._cloth_array = self.context.vertex_array(program, layout, index, skip_errors=True)
        self._shadow_arrays.append(self.context.vertex_array(self._surface_shadow(), layout, index, skip_errors=True))

    def _surface_shadow(self) -> Any:
        return self._program("surface_shadow", "surface.vert", "depth.frag")

    def _strands(
        self, name: str, strands: Strands, occlusion: np.ndarray
    ) -> tuple[moderngl.Buffer, moderngl.VertexArray]:
        """The buffer of the ribbons' centre lines, and the array that draws them with the program `name`."""
        count, steps = strands.points.shape[:2]
        along = np.broadcast_to(np.linspace(0, 1, steps), (count, steps))
        half = strands.width[:, None] / 2 * (1 - 0.75 * along**2)
        shade = np.broadcast_to(strands.shade[:, None], along.shape)
        shared = np.concatenate(
            [strands.tangents(), np.stack([half, along, shade, np.broadcast_to(occlusion, along.shape)], -1)], -1
        )
        vertices = np.repeat(shared.reshape(-1, 7), 2, axis=0).astype("f4")
        vertices[::2, 3] *= -1
        points = self.context.buffer(np.repeat(strands.points.reshape(-1, 3), 2, axis=0).astype("f4").tobytes())
        layout = [
            (points, "3f", "in_position"),
            (self.context.buffer(vertices.tobytes()), "3f 4f", "in_tangent", "in_strand"),
        ]
        index = self.context.buffer(ribbon_triangles(count, steps).tobytes())
        program = self._program(name, "strand.vert", "depth.frag" if name == "strand_shadow" else "strand.frag")
        return points, self.context.vertex_array(program, layout, index, skip_errors=True)


def _context() -> Any:
    try:
        return moderngl.create_context(standalone=True, backend="egl", require=330)  # type: ignore[arg-type]
    except Exception as error:  # glcontext and moderngl raise bare exceptions
        raise InputError(
            f"OpenGL 3.3 through EGL is not to be had here ({error}); on Debian, apt install libegl1 libgl1-mesa-dri"
        ) from None


def _source(name: str) -> str:
    return (_SHADERS / name).read_text(encoding="utf-8")
