"""The visible mark: a small "AI-generated" label in the upper left corner, away from the face and from controls."""

import numpy as np

LABEL, SHORT_LABEL = "AI-generated", "AI"
SHORT_BELOW = 96
"""Pixels of the smaller side under which the whole label could not be read."""
TEXT, SMALLEST_TEXT, MARGIN = 0.034, 10, 0.024
"""Height of the letters and distance from the edges, as parts of the smaller side; `SMALLEST_TEXT` in pixels."""
SMOOTH = 4


class Mark:
    """The label for frames of one size, drawn once and laid over all of them.

    Light letters on a dark, half transparent ground can be read on any picture.
    """

    def __init__(self, width: int, height: int) -> None:
        self._picture = draw_label(min(width, height)).astype(np.float32) / 255
        start = round(MARGIN * min(width, height))
        self.area = (slice(start, start + self._picture.shape[0]), slice(start, start + self._picture.shape[1]))
        """Rows and columns that it covers."""

    def draw(self, frames: np.ndarray) -> None:
        """Mark uint8 frames [N, H, W, 3], or [N, H, W, 4] with straight alpha, in place."""
        overlay(frames, self.area, self._picture)


def overlay(frames: np.ndarray, area: tuple[slice, slice], picture: np.ndarray) -> None:
    """Lay a picture [h, w, 4] in [0, 1] over an area of uint8 frames [N, H, W, 3], or 4 with straight alpha."""
    patch, colour, alpha = frames[:, *area], picture[..., :3], picture[..., 3:]
    below = patch[..., 3:].astype(np.float32) / 255 if frames.shape[-1] == 4 else np.float32(1)
    below = below * (1 - alpha)
    opacity = alpha + below
    # Where both are fully transparent the colour does not matter.
    patch[..., :3] = (colour * alpha * 255 + patch[..., :3] * below) / np.maximum(opacity, 1e-6) + 0.5
    if frames.shape[-1] == 4:
        patch[..., 3:] = opacity * 255 + 0.5


def draw_label(side: int) -> np.ndarray:
    """uint8 [h, w, 4], for pictures whose smaller side has `side` pixels."""
    from PIL import Image, ImageDraw, ImageFont

    text = LABEL if side >= SHORT_BELOW else SHORT_LABEL
    font = ImageFont.load_default(max(round(TEXT * side), SMALLEST_TEXT))
    ink = font.getbbox(text)
    # From the height of a capital and not of the whole text, so that the letters sit in the middle of the ground.
    capital = font.getbbox("A")
    size = capital[3] - capital[1]
    height, padding = round(2.3 * size), round(0.85 * size)
    width = round(ink[2] - ink[0]) + 2 * padding
    ground = Image.new("L", (SMOOTH * width, SMOOTH * height))
    corners = (0, 0, SMOOTH * width - 1, SMOOTH * height - 1)
    ImageDraw.Draw(ground).rounded_rectangle(corners, radius=SMOOTH * height // 3, fill=150)
    label = Image.new("RGBA", (width, height), (16, 16, 18, 255))
    label.putalpha(ground.resize((width, height), Image.Resampling.BOX))
    letters = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    place = (padding - ink[0], (height - size) // 2 - capital[1])
    ImageDraw.Draw(letters).text(place, text, font=font, fill=(255, 255, 255, 245))
    return np.asarray(Image.alpha_composite(label, letters))
