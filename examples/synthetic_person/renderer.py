"""Draws the actor with OpenGL, without a display: shadow map, picture, class mask."""

from typing import Any

import moderngl
import numpy as np

from . import scene as stage
from .backdrop import paint_backdrop
from .camera import clip_matrix, four
from .film import Film, Picture
from .groom import Colour, Strands, ribbon_triangles
from .parts import ActorMesh
from .programs import BACKDROP_UNIT, NOISE_UNIT, PAINT_UNIT, RELIEF_UNIT, SHADOW_UNIT, Programs, create_context
from .recipe import Recipe
from .relief import carve
from .skin import paint

_SHADOW = 1024
_TISSUES = (stage.SOCKET, stage.GUMS, stage.TONGUE, stage.TEETH)
_SHADERS_OF = {stage.SKIN: "skin", stage.LEFT_EYE: "eye", stage.RIGHT_EYE: "eye", stage.LASHES: "lash"}


class Renderer:
    """One actor, dressed and lit; `draw` makes a picture of one expression and pose.

    `samples` squared are taken of every pixel; the skin's paint has `texture` squared texels.
    """

    def __init__(self, mesh: ActorMesh, recipe: Recipe, samples: int = 3, texture: int = 1024):
        self.mesh, self.recipe, self._side = mesh, recipe, texture
        self.context = create_context()
        eyes = recipe.eyes
        looks = {"iris_inner": eyes.inner, "iris_outer": eyes.outer, "white_of_eye": eyes.white, "fringe": eyes.lashes}
        self._programs = Programs(self.context, recipe.studio, looks)
        self._film = Film(self._programs, samples)
        self._scene = stage.build(self.context, mesh, recipe)
        self._shadow_arrays: list[moderngl.VertexArray] = []
        self._shadow_map = self.context.depth_texture((_SHADOW, _SHADOW))
        self._shadow_map.compare_func = "<="
        self._shadow_map.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._shadow_target = self.context.framebuffer(depth_attachment=self._shadow_map)
        self._textures()
        self._body()
        self._clothes = [
            self._cloth(*pair) for pair in zip(self._scene.clothes, self._scene.clothes_occlusion, strict=True)
        ]
        self._hair()

    def draw(self, expression: np.ndarray, head: np.ndarray, torso: np.ndarray, person: bool = True) -> Picture:
        """Expression [57], poses [3, 4] of head and torso; without `person`, the empty studio."""
        if person:
            vertices = self.mesh.vertices(expression)
            self._update(vertices)
            self._pose(head, torso, stage.opening_of_lips(self.mesh, vertices))
            self._draw_shadow()
        self._film.expose_background()
        if person:
            self.context.enable(moderngl.DEPTH_TEST)
            self._shadow_map.use(SHADOW_UNIT)
            self._draw_person()
        return self._film.develop()

    def _draw_person(self) -> None:
        # Hair comes last: it is the dearest to shade, and what the head hides of it need not be.
        cloth = self._programs["cloth"]
        for array, piece in zip(self._clothes, self._scene.clothes, strict=True):
            cloth["colour"].value, cloth["weave"].value = piece.colour, piece.weave
            array.render()
        for material, array in self._body_arrays.items():
            program = array.program
            if material in (stage.LEFT_EYE, stage.RIGHT_EYE):
                program["centre"].value = tuple(self._scene.eye_centres[material - stage.LEFT_EYE])
            elif material in _TISSUES:
                program["tissue"].value = _TISSUES.index(material)
            array.render()
        strand = self._programs["strand"]
        strand["second"].value = self.recipe.hair.second
        for array, colour, shine in self._strand_arrays:
            strand["colour"].value, strand["shine"].value = colour, shine
            array.render()

    def _draw_shadow(self) -> None:
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self.context.enable(moderngl.DEPTH_TEST)
        for array in self._shadow_arrays:
            array.render()

    def _update(self, vertices: np.ndarray) -> None:
        index = self._scene.body.vertex
        self._moving.write(np.hstack([vertices[index], self.mesh.normals(vertices)[index]]).astype("f4").tobytes())
        for buffer, grown in zip(self._riding, self._scene.facial_hair, strict=True):
            points = grown.points(vertices - self.mesh.neutral)
            buffer.write(np.repeat(points.reshape(-1, 3), 2, axis=0).astype("f4").tobytes())

    def _pose(self, head: np.ndarray, torso: np.ndarray, opening: float) -> None:
        studio = self.recipe.studio
        shadow_clip = studio.shadow_clip(head @ [0.0, -4.0, 0.0, 1.0])
        matrices = {"head": four(head), "torso": four(torso), "clip": clip_matrix(), "shadow_clip": shadow_clip}
        self._programs.write(matrices, shadow_clip, studio.unit_directions()[0])
        self._programs["mouth"]["opening"].value = opening

    def _textures(self) -> None:
        recipe, landmarks = self.recipe, self.mesh.model.mean_landmarks.numpy()
        tiles = [self._rest_positions(name) for name in ("face", "head")]
        painted = [paint(tile, landmarks, recipe.skin, recipe.hair, recipe.seed) for tile in tiles]
        carved = [carve(tile, lips, recipe.skin, recipe.seed) for tile, (_, lips) in zip(tiles, painted, strict=True)]
        self._kept = []
        for layers, unit in (([colour for colour, _ in painted], PAINT_UNIT), (carved, RELIEF_UNIT)):
            data = np.stack(layers).astype("f2").tobytes()
            texture = self.context.texture_array((self._side, self._side, 2), 4, data, dtype="f2")
            texture.build_mipmaps()
            texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            texture.anisotropy = 4.0
            texture.use(unit)
            self._kept.append(texture)
        backdrop = paint_backdrop(recipe.backdrop, recipe.seed)
        room = self.context.texture(backdrop.shape[1::-1], 3, backdrop.astype("f2").tobytes(), dtype="f2")
        room.repeat_x = room.repeat_y = False
        room.use(BACKDROP_UNIT)
        noise = np.random.default_rng(recipe.seed).standard_normal((32, 32, 32)).astype("f2")
        grain = self.context.texture3d((32, 32, 32), 1, noise.tobytes(), dtype="f2", alignment=1)
        grain.filter = (moderngl.LINEAR, moderngl.LINEAR)
        grain.use(NOISE_UNIT)
        self._kept += [room, grain]

    def _rest_positions(self, name: str) -> np.ndarray:
        """Mean-mesh positions [P, P, 3] laid out in the texture space of one part; NaN where nothing lies."""
        part = self.mesh.parts[name]
        program = self._programs.get("position", "position.vert", "position.frag")
        corners = np.hstack([self.mesh.mean[part.vertex], np.mod(part.uv, 1.0)]).astype("f4")
        layout = [(self.context.buffer(corners.tobytes()), "3f 2f", "in_rest", "in_uv")]
        array = self.context.vertex_array(program, layout, self.context.buffer(part.triangles.tobytes()))
        target = self.context.framebuffer([self.context.texture((self._side, self._side), 4, dtype="f4")])
        target.use()
        target.clear(np.nan, np.nan, np.nan)
        array.render()
        positions = np.frombuffer(target.read(components=3, dtype="f4"), np.float32)
        return positions.reshape(self._side, self._side, 3)

    def _body(self) -> None:
        body = self._scene.body
        fixed = np.hstack([body.rest, body.uv, body.occlusion[:, None], body.head_weight[:, None]])
        static = self.context.buffer(fixed.astype("f4").tobytes())
        self._moving = self.context.buffer(reserve=len(body.vertex) * 24, dynamic=True)
        layout = [
            (self._moving, "3f 3f", "in_position", "in_normal"),
            (static, "3f 3f 2f", "in_rest", "in_uv", "in_shade"),
        ]
        self._body_arrays = {}
        for material, triangles in body.triangles.items():
            name = _SHADERS_OF.get(material, "mouth")
            index = self.context.buffer(triangles.astype("i4").tobytes())
            program = self._programs.get(name, "surface.vert", f"{name}.frag")
            self._body_arrays[material] = self.context.vertex_array(program, layout, index, skip_errors=True)
            if material == stage.SKIN:
                self._cast(layout, index)

    def _cloth(self, piece: Any, shade: np.ndarray) -> moderngl.VertexArray:
        columns = [piece.vertices, piece.normals, piece.vertices, piece.uv, shade[:, None]]
        vertices = np.hstack([*columns, np.zeros((len(shade), 1))]).astype("f4")
        names = ("in_position", "in_normal", "in_rest", "in_uv", "in_shade")
        layout = [(self.context.buffer(vertices.tobytes()), "3f 3f 3f 3f 2f", *names)]
        index = self.context.buffer(piece.triangles.tobytes())
        program = self._programs.get("cloth", "surface.vert", "cloth.frag")
        self._cast(layout, index)
        return self.context.vertex_array(program, layout, index, skip_errors=True)

    def _cast(self, layout: list[tuple[Any, ...]], index: moderngl.Buffer) -> None:
        program = self._programs.get("surface_shadow", "surface.vert", "depth.frag")
        self._shadow_arrays.append(self.context.vertex_array(program, layout, index, skip_errors=True))

    def _hair(self) -> None:
        scene, look = self._scene, self.recipe.hair
        lit = np.ones((1, 1))
        _, head = self._strands("strand", scene.hair, scene.hair_occlusion)
        _, casters = self._strands("strand_shadow", scene.hair.thinned(), lit)
        self._shadow_arrays.append(casters)
        self._strand_arrays: list[tuple[moderngl.VertexArray, Colour, float]] = [(head, look.colour, 1.0)]
        self._riding = []
        for grown, colour in zip(scene.facial_hair, (look.brow_colour, look.stubble_colour), strict=False):
            buffer, array = self._strands("strand", grown.strands, lit)
            self._riding.append(buffer)
            self._strand_arrays.append((array, colour, 0.15))

    def _strands(
        self, name: str, strands: Strands, occlusion: np.ndarray
    ) -> tuple[moderngl.Buffer, moderngl.VertexArray]:
        """The buffer of the ribbons' centre lines, and the array that draws them with the program `name`."""
        count, steps = strands.points.shape[:2]
        along = np.broadcast_to(np.linspace(0, 1, steps), (count, steps))
        half = strands.width[:, None] / 2 * (1 - 0.5 * along**2)
        shade, grey = (np.broadcast_to(kind[:, None], along.shape) for kind in (strands.shade, strands.grey))
        shared = [half, along, shade, np.broadcast_to(occlusion, along.shape), grey]
        vertices = np.repeat(
            np.concatenate([strands.tangents(), np.stack(shared, -1)], -1).reshape(-1, 8), 2, axis=0
        ).astype("f4")
        vertices[::2, 3] *= -1
        points = self.context.buffer(np.repeat(strands.points.reshape(-1, 3), 2, axis=0).astype("f4").tobytes())
        layout = [
            (points, "3f", "in_position"),
            (self.context.buffer(vertices.tobytes()), "3f 4f 1f", "in_tangent", "in_strand", "in_grey"),
        ]
        index = self.context.buffer(ribbon_triangles(count, steps).tobytes())
        program = self._programs.get(name, "strand.vert", "depth.frag" if name == "strand_shadow" else "strand.frag")
        return points, self.context.vertex_array(program, layout, index, skip_errors=True)
