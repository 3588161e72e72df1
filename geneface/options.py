"""What a caller may ask of a generation: checked in one place, with one sentence for each mistake."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from geneface.errors import InputError
from geneface.media.image import read_image
from geneface.models.blink import FASTEST, blink_rate

Background = str | Path | np.ndarray | None


def check_options(
    *, temperature: float, blink: str | float, pose: str | np.ndarray = "natural", size: int | None = None
) -> None:
    """Raise `InputError` for a value that is not among those that `GeneFacePipeline.__call__` names."""
    if not 0 <= temperature <= 2:
        raise InputError(f"temperature is {temperature}; it must be between 0 and 2")
    if isinstance(pose, str) and pose not in ("natural", "still"):
        raise InputError(f"pose is {pose!r}; it must be natural, still, or an array of head poses")
    if not isinstance(pose, str) and (np.ndim(pose) != 3 or np.shape(pose)[1:] != (3, 4) or not len(pose)):
        raise InputError(f"the pose array has shape {list(np.shape(pose))}; it must be [N, 3, 4], head to camera")
    try:
        blink_rate(blink)
    except (TypeError, ValueError):
        message = f"blink is {blink!r}; it must be natural, none, or blinks a minute from 0 to {FASTEST:.0f}"
        raise InputError(message) from None
    if size is not None and (not 64 <= size <= 2048 or size % 2):
        raise InputError(f"size is {size}; it must be an even number between 64 and 2048")


def background_picture(background: Background, side: int) -> torch.Tensor | None:
    """[3, side, side] in [0, 1] from a path, a colour like #20a0ff or a uint8 picture; None for the person's own."""
    if background is None:
        return None
    if isinstance(background, str) and background.startswith("#"):
        try:
            colour = np.frombuffer(bytes.fromhex(background[1:]), np.uint8).reshape(1, 1, 3)
        except ValueError:
            raise InputError(f"background {background!r} is not a colour like #20a0ff") from None
        picture = np.broadcast_to(colour, (side, side, 3))
    elif isinstance(background, np.ndarray):
        if background.dtype != np.uint8 or background.ndim != 3 or background.shape[2] != 3:
            raise InputError("a background array must be uint8 of shape [H, W, 3]")
        picture = background
    else:
        picture = read_image(background, (side, side))
    tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    return F.interpolate(tensor, size=(side, side), mode="bilinear", antialias=True)[0]
