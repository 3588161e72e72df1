"""The same pictures and sound in a new file that says nothing about where they come from."""

from pathlib import Path

from geneface.errors import InputError
from geneface.media.container import best_track


def remux(source: Path, target: Path) -> None:
    """Copy the tracks of `source` that players choose into the mp4 `target`, not coded anew, without any metadata."""
    import av

    try:
        with (
            av.open(str(source), metadata_errors="ignore") as given,
            av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as made,
        ):
            found = [best_track(given, "video"), best_track(given, "audio")]
            tracks = [track for track in found if track is not None]
            copies = {track.index: made.add_stream_from_template(track) for track in tracks}
            for copy in copies.values():
                copy.metadata.clear()
            for packet in given.demux(tracks):
                if packet.size:  # Matroska's first one has no decoding time.
                    packet.stream = copies[packet.stream.index]
                    made.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise InputError(f"{source} cannot be copied ({error}); give another copy of it") from None
