"""What is behind the person in place of the person's own background."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.options import Background


def background_picture(background: Background, width: int, height: int) -> torch.Tensor | None:
    """[3, height, width] in [0, 1] from a path, a colour like #20a0ff or a uint8 picture; None for the person's own.

    Raises `InputError` for a picture that is not there or cannot be read.
    """
    if background is None:
        return None
    if isinstance(background, str) and background.startswith("#"):
        colour = np.frombuffer(bytes.fromhex(background[1:]), np.uint8).reshape(1, 1, 3)
        picture = np.broadcast_to(colour, (height, width, 3))
    elif isinstance(background, np.ndarray):
        picture = _cropped(background, width / height)
    elif not Path(background).exists():
        raise InputError(f"{background} does not exist; name a picture, or a colour like #2060a0")
    else:
        picture = read_image(background, (width, height))
    tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    return F.interpolate(tensor, size=(height, width), mode="bilinear", antialias=True)[0]


def _cropped(picture: np.ndarray, aspect: float) -> np.ndarray:
    """The middle of a picture [H, W, 3], of this width to height."""
    height, width = picture.shape[:2]
    wide, high = min(width, max(round(height * aspect), 1)), min(height, max(round(width / aspect), 1))
    top, left = (height - high) // 2, (width - wide) // 2
    return picture[top : top + high, left : left + wide]
