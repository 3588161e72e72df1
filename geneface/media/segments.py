"""A video encoded in segments that are kept, so that who goes on after a kill encodes only those that are missing."""

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import numpy as np

from geneface.media.video import VideoWriter
from geneface.utils.units import FPS

SEGMENT = 250
"""Pictures; as many as x264 puts between two key frames."""


def write_in_segments(
    path: Path, pictures: Iterable[Callable[[], np.ndarray]], frames: int, folder: Path, crf: int
) -> None:
    """Write an mp4 without sound of so many pictures, each made by a call: uint8 [H, W, 3].

    The segments lie in `folder`. The file depends on the pictures alone, not on where a run was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    segments, rest = [], iter(pictures)
    for start in range(0, frames, SEGMENT):
        segments.append(folder / f"{start:08d}.mp4")
        part = islice(rest, min(SEGMENT, frames - start))
        if segments[-1].is_file():
            for _ in part:
                pass
            continue
        first = next(part)()
        with VideoWriter(segments[-1], first.shape[1::-1], crf=crf) as writer:
            writer.write(first[None])
            for make in part:
                writer.write(make()[None])
    _join(segments, path)


def _join(segments: list[Path], path: Path) -> None:
    """Copy the pictures of segments of `SEGMENT` frames, but for the last, into one file."""
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        stream = None
        for number, segment in enumerate(segments):
            with av.open(str(segment)) as given:
                source = given.streams.video[0]
                stream = stream or output.add_stream_from_template(source)
                shift = round(number * SEGMENT / (FPS * (source.time_base or 1)))
                for packet in given.demux(source):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        output.mux(packet)
