"""Everything that stands in front of the camera, at rest: meshes, hair, clothes and ambient occlusion."""

from dataclasses import dataclass

import moderngl
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from . import rig
from .facial_hair import Anchored, grow_brows, grow_stubble
from .garment import Outfit, dress, under_collar
from .groom import Strands
from .hairstyle import grow
from .loft import Cloth
from .noise import smoothstep, unit
from .occlusion import Occlusion
from .outline import brow_test
from .parts import ActorMesh, Part
from .recipe import Recipe

SKIN, SOCKET, GUMS, TONGUE, TEETH, LEFT_EYE, RIGHT_EYE, LASHES = range(8)
_MATERIALS = {
    "face": SKIN,
    "head": SKIN,
    "eye_socket_left": SKIN,
    "eye_socket_right": SKIN,
    "socket": SOCKET,
    "gums": GUMS,
    "teeth": TEETH,
    "sclera_left": LEFT_EYE,
    "sclera_right": RIGHT_EYE,
    "lashes_left": LASHES,
    "lashes_right": LASHES,
}
_TILE = {"face": 0, "head": 1}


@dataclass(frozen=True)
class Body:
    """The drawn parts of the face model as one vertex list; triangles by material."""

    vertex: np.ndarray
    rest: np.ndarray
    uv: np.ndarray
    occlusion: np.ndarray
    head_weight: np.ndarray
    triangles: dict[int, np.ndarray]


@dataclass(frozen=True)
class Scene:
    body: Body
    hair: Strands
    hair_occlusion: np.ndarray
    facial_hair: list[Anchored]
    """Brows, and stubble if there is any."""
    clothes: list[Cloth]
    clothes_occlusion: list[np.ndarray]
    eye_centres: np.ndarray
    """[2, 3] of the left and the right eyeball on the mean mesh."""


def build(context: moderngl.Context, mesh: ActorMesh, recipe: Recipe) -> Scene:
    """Dress and groom the actor."""
    neutral, mean, look = mesh.neutral, mesh.mean, recipe.hair
    normals = mesh.normals(neutral)
    skin_triangles = np.concatenate([mesh.parts[name].vertex[mesh.parts[name].triangles] for name in ("face", "head")])
    hair = grow(neutral, mean, skin_triangles, look, recipe.seed)
    landmarks = mesh.model.mean_landmarks.numpy()
    grown = (neutral, normals, mean, skin_triangles)
    facial_hair = [grow_brows(*grown, brow_test(landmarks, look.brow, look.arch), look, recipe.seed + 1)]
    if look.stubble:
        facial_hair.append(grow_stubble(*grown, landmarks, look, recipe.seed + 3))
    clothes = dress(neutral, recipe.outfit, recipe.seed + 2)

    casters = hair.thinned()
    occluders = [(neutral, skin_triangles), *((piece.vertices, piece.triangles) for piece in clothes[-2:])]
    occluders.append(casters.ribbons())
    first = np.cumsum([0] + [len(points) for points, _ in occluders])
    soup = np.concatenate([points for points, _ in occluders])
    indices = np.concatenate([triangles + start for (_, triangles), start in zip(occluders, first, strict=False)])
    closed = Occlusion(context, soup, indices)
    opened = _open_mouth(context, mesh)
    outward = unit(hair.points - np.array([0.0, 2.0, -1.0]))
    sampled = [(neutral, normals), *((piece.vertices, piece.normals) for piece in clothes)]
    sampled.append((hair.points[:, ::3], outward[:, ::3]))
    points, directions = (np.concatenate([pair[i].reshape(-1, 3) for pair in sampled]) for i in range(2))
    ends = np.cumsum([len(pair[0]) for pair in sampled[:-1]])
    skin_open, *cloth_open, hair_open = np.split(closed.openness(points, directions), ends)
    return Scene(
        body=_body(mesh, skin_open, opened, recipe.outfit),
        hair=hair,
        hair_occlusion=np.repeat(hair_open.reshape(len(hair.points), -1), 3, axis=1)[:, : hair.points.shape[1]],
        facial_hair=facial_hair,
        clothes=clothes,
        clothes_occlusion=[_softened(openness, piece) for openness, piece in zip(cloth_open, clothes, strict=True)],
        eye_centres=np.stack([_eye_centre(mesh, side) for side in ("left", "right")]),
    )


def _softened(openness: np.ndarray, piece: Cloth) -> np.ndarray:
    """Without the steps that come from a limited number of directions; times the shade of neighbouring pieces."""
    return gaussian_filter(openness.reshape(piece.grid), 3.0, mode="nearest").reshape(-1) * piece.contact


def _open_mouth(context: moderngl.Context, mesh: ActorMesh) -> np.ndarray:
    """Openness [V] with the mouth wide open: what is inside the mouth is seen only then."""
    expression = np.zeros(len(mesh.model.expression_names), np.float32)
    for name, weight in (("jawOpen", 0.7), ("mouthUpperUp_L", 0.4), ("mouthUpperUp_R", 0.4)):
        expression[mesh.model.expression_names.index(name)] = weight
    vertices = mesh.vertices(expression)
    return Occlusion(context, vertices, mesh.triangles).openness(vertices, mesh.normals(vertices), directions=48)


def _eye_centre(mesh: ActorMesh, side: str) -> np.ndarray:
    """On the visual axis, at the middle of the eyeball."""
    eyeball = mesh.mean[np.unique(mesh.parts[f"sclera_{side}"].vertex)]
    low, high = eyeball.min(0), eyeball.max(0)
    cornea = eyeball[eyeball[:, 2] > high[2] - 0.1].mean(0)
    return np.array([cornea[0], cornea[1], (low[2] + high[2]) / 2])


def _body(mesh: ActorMesh, closed: np.ndarray, opened: np.ndarray, outfit: Outfit) -> Body:
    parts = [mesh.parts[name] for name in _MATERIALS]
    triangles: dict[int, list[np.ndarray]] = {}
    first = 0
    for part in parts:
        for material, chosen in _materials(mesh, part):
            kept = part.triangles[chosen]
            hidden = under_collar(mesh.neutral[part.vertex], outfit)[kept].any(1)
            triangles.setdefault(material, []).append(kept[~hidden] + first)
        first += len(part.vertex)
    vertex = np.concatenate([part.vertex for part in parts])
    inner = np.concatenate([np.full(len(part.vertex), part.name in ("socket", "gums", "teeth")) for part in parts])
    return Body(
        vertex=vertex,
        rest=mesh.mean[vertex],
        uv=np.concatenate([_paint_uv(part, mesh) for part in parts]),
        occlusion=np.where(inner, opened[vertex], closed[vertex]),
        head_weight=rig.head_weight(mesh.neutral[vertex]),
        triangles={material: np.concatenate(pieces) for material, pieces in triangles.items()},
    )


def _paint_uv(part: Part, mesh: ActorMesh) -> np.ndarray:
    """[K, 3]: place in the paint and its tile; the eye sockets take the colour of the lids' rim."""
    tile = _TILE.get(part.name, 0)
    uv = np.mod(part.uv, 1.0)
    if part.name.startswith("eye_socket"):
        face = mesh.parts["face"]
        rim = mesh.mean[mesh.parts[f"sclera_{part.name.rsplit('_')[-1]}"].vertex].mean(0) + np.array([0, -0.85, 1.0])
        uv = np.broadcast_to(face.uv[np.argmin(np.linalg.norm(mesh.mean[face.vertex] - rim, axis=1))], uv.shape)
    return np.column_stack([uv, np.full(len(uv), tile)]).astype(np.float32)


def _materials(mesh: ActorMesh, part: Part) -> list[tuple[int, np.ndarray]]:
    """Materials of a part with the triangles [M] that they take: the tongue's islands in the gums' texture."""
    everything = np.ones(len(part.triangles), bool)
    if part.name != "gums":
        return [(_MATERIALS[part.name], everything)]
    corners = part.triangles
    links = coo_matrix((np.ones(len(corners)), (corners[:, 0], corners[:, 1])), shape=(len(part.vertex),) * 2)
    links = links + coo_matrix((np.ones(len(corners)), (corners[:, 1], corners[:, 2])), shape=links.shape)
    island = connected_components(links, directed=False)[1]
    points = mesh.mean[part.vertex]
    narrow = [np.abs(points[island == label, 0]).max() < 2.1 for label in range(island.max() + 1)]
    forward = [points[island == label, 2].max() > 6.0 for label in range(island.max() + 1)]
    tongue = (np.array(narrow) & np.array(forward))[island[corners[:, 0]]]
    return [(GUMS, ~tongue), (TONGUE, tongue)]


def opening_of_lips(mesh: ActorMesh, vertices: np.ndarray) -> float:
    """How far the lips are apart, 0 to 1 at a centimetre, in a mesh [V, 3]."""
    upper, lower = vertices[mesh.model.landmark_vertices[[62, 66]].numpy(), 1]
    return float(smoothstep(0.0, 1.0, upper - lower))
