"""Between RGB arrays and the YUV frames of a video codec."""

import os
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.reformatter import VideoReformatter

MOST_THREADS = 4
BT709, UNSPECIFIED = 1, 2
"""Numbers of a matrix, primaries and a transfer curve alike in ISO/IEC 23091-2."""
HD = 1280, 576
"""Pictures as wide, or higher, have BT.709's matrix if nothing else is said."""


class Converter:
    """Pictures to frames in a codec's pixel format, with BT.709's matrix and narrow range.

    Several pictures are converted at once, so that a GPU's frames do not wait in a queue for one core.
    """

    def __init__(self, pixel_format: str):
        self.pixel_format = pixel_format
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1))

    def __call__(self, pictures: np.ndarray) -> "Iterator[VideoFrame]":
        """Frames, in order, of uint8 [N, H, W, 3 or 4]."""
        return self._pool.map(self._convert, pictures) if len(pictures) > 1 else map(self._convert, pictures)

    def _convert(self, pixels: np.ndarray) -> "VideoFrame":
        import av
        from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

        if not hasattr(self._own, "reformatter"):
            self._own.reformatter = VideoReformatter()
        return self._own.reformatter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24" if pixels.shape[-1] == 3 else "rgba"),
            format=self.pixel_format,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,
            threads=1,
        )

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def to_rgb(frame: "VideoFrame", reformatter: "VideoReformatter", size: tuple[int, int] | None = None) -> np.ndarray:
    """uint8 [H, W, 3], turned and mirrored as its display matrix asks; `size` is what to scale to before that."""
    from av.video.reformatter import Colorspace, Interpolation

    # Without these flags swscale's fast path darkens every channel by one level.
    exact = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    width, height = size or (frame.width, frame.height)
    # As players do: what is not tagged is BT.709 from 720 lines on, BT.601 below.
    untagged = frame.colorspace == UNSPECIFIED and not frame.format.is_rgb
    matrix = Colorspace.ITU709 if untagged and (frame.width >= HD[0] or frame.height > HD[1]) else None
    scaled = reformatter.reformat(
        frame, width=width, height=height, format="rgb24", interpolation=exact, src_colorspace=matrix
    )
    pixels, (exchanged, mirrored, upended) = scaled.to_ndarray(), orientation(frame)
    if exchanged:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels[:: -1 if upended else 1, :: -1 if mirrored else 1])


def orientation(frame: "VideoFrame") -> tuple[bool, bool, bool]:
    """What a picture's display matrix asks for: rows and columns exchanged, then left and right, top and bottom."""
    from av.buffer import Buffer

    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, Buffer):
        return False, False, False
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0
