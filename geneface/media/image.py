"""Still pictures in and out, as uint8 RGB arrays."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geneface.errors import InputError
from geneface.utils.untrusted import MEGABYTE, open_plain

if TYPE_CHECKING:
    from PIL import Image

LARGEST, MOST_PIXELS = 256 * MEGABYTE, 64_000_000
"""Bytes of a picture's file, and its pixels; each takes about 12 bytes while it is read."""


def read_image(path: str | Path, size: tuple[int, int] | None = None, most_pixels: int = MOST_PIXELS) -> np.ndarray:
    """[H, W, 3] uint8; scaled and cropped about its middle to `size` = (width, height) if given.

    Raises `InputError` for a file that is missing, not a picture, or of more than `most_pixels`.
    """
    from PIL import Image, ImageOps

    try:
        with open_plain(Path(path), LARGEST) as file, Image.open(file) as image:
            if size and image.width * image.height > most_pixels:
                image.draft("RGB", size)  # A JPEG can be decoded at less than its size.
            if image.width * image.height > most_pixels:
                raise InputError(
                    f"{path} has {image.width} x {image.height} pixels, over {most_pixels // 10**6} million; "
                    "give a smaller one"
                )
            picture = _eight_bits(ImageOps.exif_transpose(image)).convert("RGB")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; name a picture") from None
    except InputError:
        raise
    except Exception:  # Whatever a decoder raises at what it was not made for.
        raise InputError(f"{path} is not a picture that can be read; give a PNG, JPEG or WebP file") from None
    if size and picture.size != size:
        picture = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _eight_bits(image: "Image.Image") -> "Image.Image":
    """A picture of one deep channel on the scale of 0 to 255, where Pillow would cut off all that is brighter."""
    from PIL import Image

    if not image.mode.startswith(("I", "F")):
        return image
    levels = np.asarray(image, np.float64)
    levels = np.nan_to_num(levels, posinf=levels[np.isfinite(levels)].max(initial=0.0))
    most = levels.max(initial=0.0)
    if image.mode.startswith("I"):
        # Of 32 bits mostly 16 are used.
        white = 2.0**16 - 1 if image.mode != "I" or most < 2**16 else 2.0**31 - 1
    else:
        white = next((white for white in (1.0, 255.0, 2.0**16 - 1) if most <= white), most)
    return Image.fromarray(np.clip(levels * (255 / white), 0, 255).round().astype(np.uint8))


def write_image(path: str | Path, picture: np.ndarray) -> None:
    """Write uint8 [H, W, 3] in the format that the file's name ends in."""
    from PIL import Image

    Image.fromarray(picture).save(path)


def in_rows(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures [H, W, 3] of one size as one, so many beside each other; the last row is filled up with black."""
    cells = [*pictures, *[np.zeros_like(pictures[0])] * (-len(pictures) % columns)]
    rows = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows)
