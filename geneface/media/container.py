"""A media file opened: which of its tracks is meant, and what of it can be decoded, at the right times."""

import os
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Literal, overload

from geneface.errors import InputError
from geneface.media.clock import Clock

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, VideoFrame, VideoStream
    from av.container import InputContainer

# Files come from strangers: only plain media containers are opened, no playlist that names other files or addresses.
FORMATS = (
    "wav,w64,flac,mp3,aac,ac3,eac3,ogg,mov,mp4,m4a,3gp,matroska,webm,avi,mpegts,mpeg,flv,asf,aiff,au,caf,amr,wv,ape,"
    "mxf,dv,gxf,nut,ivf,wtv,rm,h264,hevc,obu,m4v,mpegvideo,mjpeg,yuv4mpegpipe,dts,dtshd,truehd,mlp,tta,tak,mpc,mpc8,"
    "dsf,iff,voc,sox,ircam"
)
VIDEO_SUFFIXES = (
    *(
        ".mp4",
        ".m4v",
        ".mov",
        ".webm",
        ".mkv",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ts",
        ".mts",
        ".m2ts",
        ".vob",
        ".flv",
        ".f4v",
    ),
    *(".wmv", ".asf", ".3gp", ".3g2", ".ogv", ".mxf", ".dv"),
)
"""How the names of videos end, where a folder of them is given; one that is named may end in anything."""


def open_container(file: IO[bytes], name: str) -> "InputContainer":
    """PyAV's container over an open file; `InputError` if it is empty or of no known kind."""
    import av

    if file.seek(0, os.SEEK_END) == 0:
        raise InputError(f"{name} is empty; give an audio or video file with something in it")
    file.seek(0)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        return av.open(file, mode="r", options=options, metadata_errors="ignore")
    except (av.FFmpegError, ValueError):
        raise InputError(
            f"{name} cannot be read: it is damaged, or neither audio nor video; "
            "convert it to wav, flac, mp3, m4a, ogg or mp4"
        ) from None


@overload
def best_track(container: "InputContainer", kind: Literal["video"]) -> "VideoStream | None": ...
@overload
def best_track(container: "InputContainer", kind: Literal["audio"]) -> "AudioStream | None": ...
def best_track(container: "InputContainer", kind: Literal["audio", "video"]) -> "VideoStream | AudioStream | None":
    """The track that players choose: flagged as the default, no still picture, of the same programme; None without.

    One of a kind that nothing here decodes is none.
    """
    import av

    picture = container.streams.best("video")
    if picture is not None and picture.disposition & av.stream.Disposition.attached_pic:
        picture = None
    track = picture if kind == "video" else container.streams.best("audio", related=picture)
    if not isinstance(track, av.VideoStream | av.AudioStream) or track.codec_context is None:
        return None
    return track


def pictures_of(container: "InputContainer", name: object) -> "VideoStream":
    """The video track that players choose, made ready for decoding; `InputError` if there is none."""
    stream = best_track(container, "video")
    if stream is None:
        raise InputError(f"{name} has no video track; give a video file")
    stream.thread_type = "AUTO"
    return stream


@overload
def decodable(
    container: "InputContainer", stream: "VideoStream", clock: Clock | None = None
) -> Iterator["VideoFrame"]: ...
@overload
def decodable(
    container: "InputContainer", stream: "AudioStream", clock: Clock | None = None
) -> Iterator["AudioFrame"]: ...
def decodable(
    container: "InputContainer", stream: "VideoStream | AudioStream", clock: Clock | None = None
) -> "Iterator[VideoFrame] | Iterator[AudioFrame]":
    """The frames of one track of an open container at their times on `clock`; what cannot be decoded is left out."""
    import av

    clock = clock or Clock()
    tracks = [track for kind in ("video", "audio") if (track := best_track(container, kind)) is not None]
    # The other track takes part, because only both together tell a pause from a jump.
    packets = container.demux(*{track.index: track for track in (*tracks, stream)}.values())
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        clock.put_right(packet)
        if packet.stream.index != stream.index:  # Those that end a track have no index of their own.
            continue
        try:
            yield from stream.decode(packet)
        except av.FFmpegError:
            continue
