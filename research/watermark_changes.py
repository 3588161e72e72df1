"""What is done to a marked video on its way: re-encoding, scaling, cropping, cutting, recording from a screen."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geneface.utils.units import FPS

Frames = Iterable[np.ndarray]
"""uint8 [H, W, 3], one after the other."""
SCREEN, SHOWN, SCREEN_FPS, GAMMA = (720, 1280), 600, 30, 1.15
"""Of the screen recording: height and width, pixels a side of the video on it, frames a second, its curve."""


@dataclass(frozen=True)
class Change:
    """One way to alter a video, encoded again with x264's `medium` at `crf`."""

    name: str
    crf: int
    frames: Callable[[Frames], Frames] = iter
    fps: int = FPS
    promised: bool = True
    """The watermark is meant to survive it."""


def scaled(width: int, height: int) -> Callable[[Frames], Iterator[np.ndarray]]:
    def frames(source: Frames) -> Iterator[np.ndarray]:
        return (resized(frame, width, height) for frame in source)

    return frames


def resized(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC))


def cropped(part: float, back: bool = False) -> Callable[[Frames], Iterator[np.ndarray]]:
    """`part` of height and of width cut off, more of it above and left; `back` scales to the size before."""

    def frames(source: Frames) -> Iterator[np.ndarray]:
        for frame in source:
            height, width = frame.shape[:2]
            high, wide = (round((1 - part) * size / 2) * 2 for size in (height, width))
            top, left = round(0.7 * (height - high)), round(0.6 * (width - wide))
            piece = np.ascontiguousarray(frame[top : top + high, left : left + wide])
            yield resized(piece, width, height) if back else piece

    return frames


def cut(start: float, seconds: float) -> Callable[[Frames], Iterator[np.ndarray]]:
    def frames(source: Frames) -> Iterator[np.ndarray]:
        for number, frame in enumerate(source):
            if start * FPS <= number < (start + seconds) * FPS:
                yield frame

    return frames


def screen_recording(source: Frames) -> Iterator[np.ndarray]:
    """The video in the window of a player: scaled, off the middle, with a gamma and at another rate of frames."""
    height, width = SCREEN
    top, left = (height - SHOWN) // 2 + 10, width - SHOWN - 137
    desk = np.full((height, width, 3), 34, np.uint8)
    desk[:40] = 210
    desk[90::44, 60:480] = 150
    curve = (255 * (np.arange(256) / 255) ** GAMMA + 0.5).astype(np.uint8)
    recorded = 0
    for number, frame in enumerate(source):
        desk[top : top + SHOWN, left : left + SHOWN] = curve[resized(frame, SHOWN, SHOWN)]
        while recorded / SCREEN_FPS < (number + 1) / FPS:
            yield desk.copy()
            recorded += 1


def turned(degrees: float) -> Callable[[Frames], Iterator[np.ndarray]]:
    def frames(source: Frames) -> Iterator[np.ndarray]:
        from PIL import Image

        for frame in source:
            yield np.asarray(Image.fromarray(frame).rotate(degrees, Image.Resampling.BICUBIC))

    return frames


def mirrored(source: Frames) -> Iterator[np.ndarray]:
    return (np.ascontiguousarray(frame[:, ::-1]) for frame in source)


CHANGES = (
    Change("H.264, CRF 23", 23),
    Change("H.264, CRF 28", 28),
    Change("scaled to 360, CRF 23", 23, scaled(360, 360)),
    Change("scaled to 720, CRF 23", 23, scaled(720, 720)),
    Change("10% cropped, CRF 23", 23, cropped(0.1)),
    Change("10% cropped and scaled back, CRF 23", 23, cropped(0.1, back=True)),
    Change("10 s cut out, CRF 23", 23, cut(1.6, 10)),
    Change("screen recording, CRF 26", 26, screen_recording, SCREEN_FPS),
    Change("H.264, CRF 35", 35, promised=False),
    Change("25% cropped, CRF 28", 28, cropped(0.25), promised=False),
    Change("scaled to 256, CRF 28", 28, scaled(256, 256), promised=False),
    Change("scaled to 360, CRF 35", 35, scaled(360, 360), promised=False),
    Change("stretched to 16:9, CRF 23", 23, scaled(912, 512), promised=False),
    Change("turned by 2 degrees, CRF 23", 23, turned(2), promised=False),
    Change("mirrored, CRF 23", 23, mirrored, promised=False),
)


def encode(frames: Frames, path: Path, crf: int, fps: int, preset: str = "medium") -> None:
    """Write frames as other tools would: H.264 without any mark of ours."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": preset})
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())
