"""Decoded pictures as they are to be seen: whole instead of two half pictures, and in BT.709's colours."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from geneface.errors import InputError
from geneface.media.colour import UNSPECIFIED

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream

DOLBY_VISION = ("dvh1", "dvhe", "dvav", "dva1", "dav1")
"""Names of Dolby Vision in mp4."""
FEWEST_COMBED, MOST_COMBED = 12, 250
"""Pictures that must be, and that are, looked at for combs."""
CURVES = {16: "smpte2084", 18: "arib-std-b67"}
"""Transfer curves of HDR (PQ and HLG) by their number in ISO/IEC 23091-2."""
PRIMARIES = {9: "bt2020", 11: "smpte431", 12: "smpte432"}
"""Primaries wider than BT.709's."""


class _Graph:
    """A chain of libavfilter's filters for pictures of one kind."""

    def __init__(self, frame: "VideoFrame", *filters: tuple[str, str]) -> None:
        import av

        self.kind = kind_of(frame)
        self._graph = av.filter.Graph()
        self._graph.threads = 0
        first = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        nodes = [first, *(self._graph.add(name, options) for name, options in filters), self._graph.add("buffersink")]
        for one, other in pairwise(nodes):
            one.link_to(other)
        self._graph.configure()

    def __call__(self, frame: "VideoFrame | None") -> "Iterator[VideoFrame]":
        """What comes out when a picture is put in; None puts an end to it."""
        import av

        self._graph.push(frame)
        while True:
            try:
                yield self._graph.pull()  # type: ignore[misc]
            except (av.BlockingIOError, av.EOFError):
                return


def kind_of(frame: "VideoFrame") -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def progressive(frames: "Iterator[VideoFrame]") -> "Iterator[VideoFrame]":
    """The same pictures, those of interlaced film without its combs; as many, at the same times."""
    graph: _Graph | None = None
    for frame in frames:
        if graph is not None and graph.kind != kind_of(frame):
            yield from graph(None)
            graph = None
        if graph is None:
            if not frame.interlaced_frame:
                yield frame
                continue
            graph = _Graph(frame, ("bwdif", "mode=send_frame:deint=interlaced"))
        yield from graph(frame)
    if graph is not None:
        yield from graph(None)


def check_colours(frame: "VideoFrame", stream: "VideoStream", name: str) -> None:
    """`InputError` if the colours of a film, of which this is a picture, mean something only to Dolby's decoders.

    Profile 5 alone of Dolby Vision is not also HDR10, HLG or SDR; it leaves all colour tags open.
    """
    dolby = stream.codec_context.codec_tag in DOLBY_VISION or frame.side_data.get("DOVI_RPU_BUFFER") is not None
    if dolby and {frame.color_trc, frame.color_primaries, frame.colorspace} == {UNSPECIFIED}:
        raise InputError(
            f"{name} is Dolby Vision of profile 5, whose colours cannot be read; export it as HDR10, HLG or SDR"
        )


class Combs:
    """Tells whether pictures that are marked as progressive are made of two half pictures, by libavfilter's idet."""

    def __init__(self) -> None:
        self._graph: _Graph | None = None
        self._seen = self._combed = 0

    @property
    def found(self) -> bool:
        """Whether most pictures are."""
        return self._seen >= FEWEST_COMBED and self._combed > 0.5 * self._seen

    def watch(self, frames: "Iterator[VideoFrame]") -> "Iterator[VideoFrame]":
        """The same pictures, the first of which are looked at."""
        import av

        for frame in frames:
            if self._seen < MOST_COMBED and not frame.interlaced_frame:
                try:
                    if self._graph is None or self._graph.kind != kind_of(frame):
                        self._graph = _Graph(frame, ("idet", ""))
                    for seen in self._graph(frame):
                        self._seen += 1
                        self._combed += bool(seen.interlaced_frame)
                except av.FFmpegError:
                    self._seen = MOST_COMBED
            yield frame


def wide(frame: "VideoFrame") -> bool:
    """Whether a picture's colours or brightness go beyond BT.709: HDR, or the primaries of BT.2020 or P3."""
    return frame.color_trc in CURVES or frame.color_primaries in PRIMARIES


class StandardColours:
    """Brings pictures of HDR and wide colours to BT.709; others go through as they are.

    Attributes:
        failed: whether there were some that could not be converted, and are too dull.
    """

    def __init__(self) -> None:
        self.failed = False
        self._graph: _Graph | None = None

    def __call__(self, frame: "VideoFrame") -> "VideoFrame":
        import av

        if self.failed or not wide(frame):
            return frame
        try:
            if self._graph is None or self._graph.kind != kind_of(frame):
                self._graph = _Graph(frame, *self._filters(frame))
            converted = next(self._graph(frame))
        except (av.FFmpegError, StopIteration):
            self.failed = True
            return frame
        return converted

    def _filters(self, frame: "VideoFrame") -> list[tuple[str, str]]:
        primaries = PRIMARIES.get(frame.color_primaries, "bt2020" if frame.color_trc in CURVES else "bt709")
        tags = f"color_primaries={primaries}:color_trc={CURVES.get(frame.color_trc, 'bt709')}"
        if frame.colorspace == UNSPECIFIED and not frame.format.is_rgb:
            tags += f":colorspace={'bt2020nc' if primaries == 'bt2020' else 'bt709'}"
        convert = "out_primaries=bt709:out_transfer=bt709"
        return [
            ("setparams", tags),
            ("scale", f"{convert}:out_color_matrix=bt709:out_range=tv"),
            ("format", "pix_fmts=yuv444p"),
        ]
