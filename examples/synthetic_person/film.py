"""From what the lens sees to a picture: light scattered in the skin, film curve, filtering, class mask."""

from dataclasses import dataclass

import moderngl
import numpy as np

from .camera import DISTANCE, FOCAL, SIZE
from .programs import LIGHT_UNIT, SCENE_UNIT, TONE_UNIT, Programs

MASK_SIZE = 128


@dataclass(frozen=True)
class Picture:
    """`rgb` uint8 [512, 512, 3]; `mask` uint8 [128, 128]: 0 background, 1 head, 2 torso."""

    rgb: np.ndarray
    mask: np.ndarray


class Film:
    """Targets of `samples` x `samples` samples a pixel, and the passes over the whole picture."""

    def __init__(self, programs: Programs, samples: int):
        context = self._context = programs.context
        side = SIZE * samples
        scene, light, tone, spread, self._linear = (context.texture((side, side), 4, dtype="f2") for _ in range(5))
        self._spread, self._inputs = spread, ((scene, SCENE_UNIT), (tone, TONE_UNIT))
        self._light = light
        for texture in (light, spread):
            texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
            texture.repeat_x = texture.repeat_y = False
        self.lens = context.framebuffer([scene, light, tone], context.depth_renderbuffer((side, side)))
        self._across = context.framebuffer([spread])
        self._scattered = context.framebuffer([self._linear])
        self._picture = context.framebuffer([context.texture((SIZE, SIZE), 4)])
        self._labels = context.framebuffer([context.texture((MASK_SIZE, MASK_SIZE), 1)])
        self._screens = {
            name: context.vertex_array(programs.get(name, "screen.vert", f"{name}.frag"), [])
            for name in ("background", "scatter", "combine", "resolve", "mask")
        }
        for name in ("scatter", "combine"):
            programs[name]["centimetre"].value = FOCAL / DISTANCE * samples / side
        programs["resolve"]["samples"].value = samples
        programs["mask"]["cell"].value = side // MASK_SIZE

    def expose_background(self) -> None:
        self.lens.use()
        self.lens.clear(depth=1.0)
        self._pass("background")

    def develop(self) -> Picture:
        for texture, unit in self._inputs:
            texture.use(unit)
        self._light.use(LIGHT_UNIT)
        self._across.use()
        self._pass("scatter")
        self._spread.use(LIGHT_UNIT)
        self._scattered.use()
        self._pass("combine")
        self._linear.use(SCENE_UNIT)
        self._picture.use()
        self._pass("resolve")
        self._labels.use()
        self._pass("mask")
        rgb = np.frombuffer(self._picture.read(components=4), np.uint8).reshape(SIZE, SIZE, 4)[..., :3]
        mask = np.frombuffer(self._labels.read(components=1, alignment=1), np.uint8).reshape(MASK_SIZE, MASK_SIZE)
        return Picture(np.ascontiguousarray(rgb), mask.copy())

    def _pass(self, name: str) -> None:
        self._context.disable(moderngl.DEPTH_TEST)
        self._screens[name].render(moderngl.TRIANGLES, 3)
