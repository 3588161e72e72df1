"""Shaders: compiled once by name, with what is constant for one actor set in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from geneface.errors import InputError

from .studio import Studio

SCENE_UNIT, SHADOW_UNIT, PAINT_UNIT, RELIEF_UNIT, NOISE_UNIT, LIGHT_UNIT, TONE_UNIT, BACKDROP_UNIT = range(8)
_SAMPLERS = {
    "scene": SCENE_UNIT,
    "shadow_map": SHADOW_UNIT,
    "paint": PAINT_UNIT,
    "relief": RELIEF_UNIT,
    "noise_map": NOISE_UNIT,
    "light_map": LIGHT_UNIT,
    "tone_map": TONE_UNIT,
    "backdrop": BACKDROP_UNIT,
}
_VERSION = "#version 330\n"
_SHADERS = Path(__file__).with_name("shaders")


class Programs:
    """`constants` are set in every program that has a uniform of that name."""

    def __init__(self, context: moderngl.Context, studio: Studio, constants: dict[str, object]):
        self.context = context
        self._programs: dict[str, Any] = {}
        self._constants = {
            "light_direction": [tuple(row) for row in studio.unit_directions()],
            "light_colour": list(studio.colours),
            "ambient_above": studio.above,
            "ambient_below": studio.below,
            "softness": studio.softness,
            "exposure": studio.exposure,
            **_SAMPLERS,
            **constants,
        }

    def __getitem__(self, name: str) -> Any:
        return self._programs[name]

    def items(self) -> Iterator[tuple[str, Any]]:
        yield from self._programs.items()

    def get(self, name: str, vertex: str, fragment: str) -> Any:
        if name in self._programs:
            return self._programs[name]
        sources = [_source(vertex), _source(fragment)]
        drawn = vertex != "screen.vert" and fragment not in ("depth.frag", "position.frag")
        if drawn or fragment == "background.frag":
            sources[1] = _source("output.glsl") + sources[1]
        # Strands are lit per vertex, surfaces per pixel.
        if vertex == "strand.vert":
            sources[0] = _source("light.glsl") + sources[0]
        elif drawn:
            sources[1] = _source("light.glsl") + sources[1]
        program: Any = self.context.program(_VERSION + sources[0], _VERSION + sources[1])
        for uniform, value in self._constants.items():
            if uniform in program:
                # The compiler shortens an array of which a shader reads only the first elements.
                program[uniform].value = value[: program[uniform].array_length] if isinstance(value, list) else value
        self._programs[name] = program
        return program

    def write(self, matrices: dict[str, np.ndarray], shadow_clip: np.ndarray, key: np.ndarray) -> None:
        """The matrices [4, 4] of one frame; shadow programs look along the key light's direction `key`."""
        for name, program in self._programs.items():
            for uniform, matrix in matrices.items():
                if uniform == "clip" and name.endswith("_shadow"):
                    matrix = shadow_clip
                if uniform in program:
                    program[uniform].write(matrix.T.astype("f4").tobytes())
            if "viewer" in program:
                program["viewer"].value = (*(-key), 0.0) if name.endswith("_shadow") else (0.0, 0.0, 0.0, 1.0)


def create_context() -> Any:
    try:
        return moderngl.create_context(standalone=True, backend="egl", require=330)  # type: ignore[arg-type]
    except Exception as error:  # glcontext and moderngl raise bare exceptions
        raise InputError(
            f"OpenGL 3.3 through EGL is not to be had here ({error}); on Debian, apt install libegl1 libgl1-mesa-dri"
        ) from None


def _source(name: str) -> str:
    return (_SHADERS / name).read_text(encoding="utf-8")
