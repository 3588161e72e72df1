"""What is behind the person in place of the person's own background."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.options import Background


def background_picture(background: Background, side: int) -> torch.Tensor | None:
    """[3, side, side] in [0, 1] from a path, a colour like #20a0ff or a uint8 picture; None for the person's own.

    Raises `InputError` for a picture that is not there or cannot be read.
    """
    if background is None:
        return None
    if isinstance(background, str) and background.startswith("#"):
        colour = np.frombuffer(bytes.fromhex(background[1:]), np.uint8).reshape(1, 1, 3)
        picture = np.broadcast_to(colour, (side, side, 3))
    elif isinstance(background, np.ndarray):
        picture = background
    elif not Path(background).exists():
        raise InputError(f"{background} does not exist; name a picture, or a colour like #2060a0")
    else:
        picture = read_image(background, (side, side))
    tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    return F.interpolate(tensor, size=(side, side), mode="bilinear", antialias=True)[0]
