"""One page that shows in ten seconds whether a person's video was understood."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from geneface.face.crop import Crop
from geneface.face.face_model import FaceModel
from geneface.face.ibug68 import BROWS, CHIN
from geneface.face.parsing import HEAD, TORSO
from geneface.media.image import write_image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw as Pen
    from PIL.ImageFont import FreeTypeFont, ImageFont

COLUMNS, CELL, GAP, CAPTION = 6, 256, 6, 22
PLOT_HEIGHT = 130
PAPER, INK, FAINT = (250, 250, 248), (30, 30, 30), (150, 150, 150)
ALARM, MOUTH, SOUND, DOTS = (190, 40, 30), (200, 80, 20), (70, 110, 190), (60, 255, 90)
TINTS = {HEAD: (255, 120, 40), TORSO: (40, 140, 255)}


@dataclass(frozen=True)
class Sheet:
    """What goes on the page; frames are those of `chosen`."""

    title: str
    figures: list[str]
    warnings: list[str]
    source: np.ndarray
    """uint8 [H, W, 3]: a picture of the source"""
    crop: Crop
    background: np.ndarray
    chosen: list[int]
    pictures: list[np.ndarray]
    landmarks: np.ndarray
    """[n, N, 2]"""
    vertices: np.ndarray
    """[n, V, 2] the mesh in pixels"""
    shades: np.ndarray
    """[n, F] lightness of each polygon; 0 where it is not seen"""
    polygons: np.ndarray
    """[n, F, 4] from the farthest to the nearest"""
    masks: list[np.ndarray]
    opening: np.ndarray
    """[T]"""
    loudness: np.ndarray
    """[T]"""


def draw_sheet(sheet: Sheet, path: Path) -> None:
    from PIL import Image, ImageDraw

    width = COLUMNS * (CELL + GAP) + GAP
    notes = [("! " + text, ALARM) for text in sheet.warnings] or [("no warnings", (20, 120, 40))]
    text_height = 30 + 20 * (len(sheet.figures) + len(notes))
    rows = (
        ("landmarks", [_landmarks(p, dots) for p, dots in zip(sheet.pictures, sheet.landmarks, strict=True)]),
        (
            "3D face model, shaded, over the picture: it should turn, open its mouth and shut its eyes with the face",
            [_mesh(*each) for each in zip(sheet.pictures, sheet.vertices, sheet.shades, sheet.polygons, strict=True)],
        ),
        ("head (orange) and torso (blue)", [_mask(p, m) for p, m in zip(sheet.pictures, sheet.masks, strict=True)]),
    )
    top = GAP + max(text_height, CELL) + GAP
    height = top + len(rows) * (CELL + CAPTION + GAP) + CAPTION + PLOT_HEIGHT + GAP
    page = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(page)
    left = width - 2 * (CELL + GAP)
    page.paste(_source(sheet.source, sheet.crop), (left, GAP + CAPTION))
    draw.text((left, GAP), "source, and the square that is used", INK, font=_font(13))
    page.paste(_small(sheet.background), (left + CELL + GAP, GAP + CAPTION))
    draw.text((left + CELL + GAP, GAP), "background without the person", INK, font=_font(13))
    draw.text((GAP, GAP), sheet.title, INK, font=_font(20))
    for line, (text, colour) in enumerate([(text, INK) for text in sheet.figures] + notes):
        draw.text((GAP, GAP + 30 + 20 * line), text, colour, font=_font(14))
    top += CAPTION
    for caption, cells in rows:
        draw.text((GAP, top), caption, INK, font=_font(13))
        for column, cell in enumerate(cells):
            place = GAP + column * (CELL + GAP), top + CAPTION
            page.paste(cell, place)
            draw.text((place[0] + 4, place[1] + 2), f"{sheet.chosen[column] / 25:.1f} s", (255, 255, 255), _font(12))
        top += CELL + CAPTION + GAP
    draw.text(
        (GAP, top),
        "mouth opening (orange), loudness (blue): the mouth should move with the sound and rest without",
        INK,
        _font(13),
    )
    _plot(draw, sheet, (GAP, top + CAPTION, width - GAP, height - GAP))
    write_image(path, np.asarray(page))


def shade_mesh(
    vertices: torch.Tensor, pose: torch.Tensor, intrinsics: torch.Tensor, polygons: torch.Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mesh vertices [n, V, 3] as `vertices`, `shades` and `polygons` of a `Sheet`; polygons [F, 4]."""
    camera = vertices @ pose[:, :, :3].mT + pose[:, None, :, 3]
    pixels = camera[..., :2] / camera[..., 2:] * intrinsics.diagonal()[:2] + intrinsics[:2, 2]
    corners = camera[:, polygons]
    normal = torch.linalg.cross(corners[:, :, 2] - corners[:, :, 0], corners[:, :, 1] - corners[:, :, 0])
    normal = torch.nn.functional.normalize(normal, dim=-1)
    facing = (normal * torch.nn.functional.normalize(corners.mean(2), dim=-1)).sum(-1)
    light = normal @ torch.nn.functional.normalize(torch.tensor([0.4, 0.5, 1.0]), dim=0)
    shade = torch.where(facing > 0.05, 0.25 + 0.75 * light.clamp_min(0), 0.0)
    order = corners[..., 2].mean(2).argsort(dim=1, descending=True)
    return pixels.numpy(), shade.gather(1, order).numpy(), polygons[order].numpy()


def face_polygons(face: FaceModel) -> torch.Tensor:
    """The polygons [F, 4] of the face itself, without the head behind it: those in front of the jaw line's ends."""
    key = face.mean_landmarks
    # A triangle is a quad that repeats its last corner.
    quads = torch.where(face.faces < 0, face.faces[:, 2:3], face.faces)
    middle = face.mean[quads].mean(1)
    above = key[BROWS, 1].max() + 3.5
    inside = (middle[:, 2] > key[[0, 16], 2].max()) & (middle[:, 1] > key[CHIN, 1] - 0.5) & (middle[:, 1] < above)
    return quads[inside]


def _font(size: int) -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _small(picture: np.ndarray) -> "Picture":
    from PIL import Image

    return Image.fromarray(picture).resize((CELL, CELL), Image.Resampling.LANCZOS)


def _landmarks(picture: np.ndarray, points: np.ndarray) -> "Picture":
    from PIL import ImageDraw

    cell = _small(picture)
    draw = ImageDraw.Draw(cell)
    for x, y in points[:, :2] * (CELL / len(picture)):
        draw.ellipse((x - 1.3, y - 1.3, x + 1.3, y + 1.3), fill=DOTS)
    return cell


def _mesh(picture: np.ndarray, vertices: np.ndarray, shade: np.ndarray, polygons: np.ndarray) -> "Picture":
    from PIL import Image, ImageDraw

    cell = _small(picture)
    drawn = cell.copy()
    draw = ImageDraw.Draw(drawn)
    scaled = vertices * (CELL / len(picture))
    for polygon, light in zip(polygons, shade, strict=True):
        if light > 0:
            level = int(255 * min(light, 1.0))
            draw.polygon([(x, y) for x, y in scaled[polygon]], fill=(level, level, int(0.85 * level)))
    return Image.blend(cell, drawn, 0.65)


def _mask(picture: np.ndarray, mask: np.ndarray) -> "Picture":
    from PIL import Image

    tint = np.asarray(_small(picture)).astype(np.float32)
    wide = np.asarray(Image.fromarray(mask).resize((CELL, CELL), Image.Resampling.NEAREST))
    for part, colour in TINTS.items():
        tint[wide == part] = 0.6 * tint[wide == part] + 0.4 * np.array(colour, np.float32)
    return Image.fromarray(tint.astype(np.uint8))


def _source(picture: np.ndarray, crop: Crop) -> "Picture":
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    scale = CELL / max(width, height)
    cell = Image.fromarray(picture).resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    box = [scale * value for value in crop.box]
    ImageDraw.Draw(cell).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=DOTS, width=2)
    return cell


def _plot(draw: "Pen", sheet: Sheet, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, outline=FAINT)
    frames = len(sheet.opening)
    for curve, colour in ((sheet.loudness, SOUND), (sheet.opening, MOUTH)):
        low, high = (float(value) for value in np.percentile(curve, [1, 99]))
        level = np.clip((curve - low) / max(high - low, 1e-9), 0, 1)
        x = left + (right - left) * (np.arange(frames) + 0.5) / frames
        y = bottom - 4 - (bottom - top - 8) * level
        draw.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], fill=colour, width=1)
    for frame in sheet.chosen:
        at = left + (right - left) * (frame + 0.5) / frames
        draw.line([(at, top), (at, top + 8)], fill=INK)
