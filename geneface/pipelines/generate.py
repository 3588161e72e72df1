"""From a recording to a finished, marked and signed mp4: what the command line and the web demo share."""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, cast

from geneface.media.audio import AudioInput, AudioSource, open_audio
from geneface.media.captions import find_font
from geneface.media.overlays import Overlays
from geneface.media.provenance import NOTICE, prepare_seal
from geneface.media.subtitles import How, Transcript, beside, timed, write_subtitles
from geneface.media.video import VideoWriter, check_output
from geneface.media.watermark import video_number
from geneface.media.webm import TransparentWriter
from geneface.options import GenerationOptions, takes_options
from geneface.utils.stopping import Stopped, StopToken
from geneface.utils.units import FPS

if TYPE_CHECKING:
    from geneface.motion.face_motion import FaceMotion
    from geneface.pipelines.pipeline import GeneFacePipeline
    from geneface.renderers.frames import FrameChunk


@dataclass(frozen=True)
class GeneratedVideo:
    """A finished video and how it was made; `elapsed` in seconds of wall time, from the audio to the mp4."""

    path: Path
    frames: int
    elapsed: float
    seed: int
    unsigned: str = ""
    """Why it carries no Content Credentials, in one sentence; empty if it does."""
    notes: tuple[str, ...] = ()
    """What is odd about the recording, a sentence each."""

    @property
    def seconds(self) -> float:
        return self.frames / FPS

    @property
    def frames_per_second(self) -> float:
        return self.frames / max(self.elapsed, 1e-9)


@takes_options
def generate_video(
    pipe: "GeneFacePipeline | Callable[[], GeneFacePipeline]",
    audio: AudioInput,
    output: str | os.PathLike,
    *,
    sampling_rate: int | None = None,
    options: GenerationOptions | None = None,
    mark: bool = True,
    on_frame: Callable[[int, int], None] | None = None,
    on_chunk: "Callable[[FrameChunk, AudioSource], None] | None" = None,
    stop: StopToken | None = None,
    motion: "Iterable[FaceMotion] | None" = None,
    subtitles: How | None = None,
    transcript: Transcript | None = None,
    **changes: object,
) -> GeneratedVideo:
    """Stream the frames of `pipe` into `output` in constant memory: H.264 and AAC in an mp4.

    A video with `background="transparent"` is VP9 with opacity and Opus in a webm.

    The video carries Content Credentials, signed with `geneface.media.certificate.signing_identity`, and a comment in
    its metadata, and its frames an invisible watermark. If it cannot be signed it is not kept; only where c2pa-python
    is missing it is, with `unsigned` set.

    Args:
        pipe: a `GeneFacePipeline`, or what loads one: it is called when nothing is wrong with files and options.
        audio: see `geneface.media.audio.open_audio`, as for `sampling_rate`.
        output: the mp4 or webm; it appears when it is complete, and not at all after an error.
        options: how to speak, and before what; `changes` are fields of `GenerationOptions` by name.
        mark: lay the label "AI-generated" over a corner of the frames (the pipeline's own frames never have it).
        on_frame: called with (frames done, frames in all).
        on_chunk: called with each chunk of frames once it is in the file, and the recording.
        stop: heeded after every few frames; no file is left behind.
        motion: what `GeneFacePipeline.motion` gave for these options, if it is there already.
        subtitles: "burn" into the pictures, or "srt" or "vtt" beside the video.
        transcript: what is said, see `geneface.media.subtitles.read_transcript`; a `Speech` knows it by itself.

    Raises `InputError` for bad input, before any work where that is possible, and `Stopped`.
    """
    options = GenerationOptions.of(options, **changes).seeded()
    writer_type = output_writer(options)
    output = check_output(output, writer_type.suffix, [audio, options.background])

    with ExitStack() as stack:
        source = stack.enter_context(open_audio(audio, sampling_rate))
        said = timed(source, transcript) if subtitles else ()
        if subtitles == "burn":
            find_font(said, 16)  # That there is none is said before any work.
        pipe = loaded(pipe)
        settings = {**options.changed(), "visible_mark": mark} | ({"subtitles": subtitles} if subtitles else {})
        seal, unsigned = prepare_seal(output, pipe.name, settings, voice=source.synthetic)
        spoken = "; synthetic voice" * bool(source.synthetic)
        metadata = {"title": "Talking portrait", "comment": f"{NOTICE}; person={pipe.name}{spoken}"}
        start = time.perf_counter()
        overlays = Overlays(video_number(pipe.name, options.seed or 0), mark, said if subtitles == "burn" else ())
        told = _after_frame(on_frame, stop)
        writer: VideoWriter | None = None
        for chunk in pipe.stream(source, options=options, callback_on_frame_end=told, motion=motion):
            if writer is None:
                height, width = chunk.frames.shape[1:3]
                writer = stack.enter_context(
                    writer_type(output, (width, height), source, metadata=metadata, seal=seal)
                )
            overlays.draw(chunk.frames, chunk.start)
            writer.write(chunk.frames)
            if on_chunk is not None:
                on_chunk(chunk, source)
        if writer is None or writer.frames < source.frames:
            raise Stopped
    if file := beside(output, subtitles):
        write_subtitles(file, said)
    return GeneratedVideo(
        output, writer.frames, time.perf_counter() - start, options.seed or 0, unsigned, tuple(source.notes)
    )


def _after_frame(
    on_frame: Callable[[int, int], None] | None, stop: StopToken | None
) -> "Callable[[GeneFacePipeline, int, int], None]":
    def told(pipe: "GeneFacePipeline", index: int, total: int) -> None:
        if stop is not None:
            stop.check()
        if on_frame is not None:
            on_frame(index + 1, total)

    return told


def loaded(pipe: "GeneFacePipeline | Callable[[], GeneFacePipeline]") -> "GeneFacePipeline":
    """The pipeline, or what loads it called."""
    # A pipeline can be called, too: that makes frames.
    return cast("GeneFacePipeline", pipe() if isinstance(pipe, FunctionType) else pipe)


def output_writer(options: GenerationOptions) -> type[VideoWriter]:
    """What writes a video with these options; its `suffix` is how the file's name must end."""
    return TransparentWriter if options.transparent else VideoWriter
