"""From a recording to a finished, marked and signed mp4: what the command line and the web demo share."""

import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geneface.errors import InputError
from geneface.media.audio import FPS, AudioInput, AudioSource, open_audio
from geneface.media.mark import Mark
from geneface.media.provenance import NOTICE, prepare_seal
from geneface.media.video import VideoWriter, check_output
from geneface.media.webm import TRANSPARENT, TransparentWriter

if TYPE_CHECKING:
    import torch

    from geneface.output import FrameChunk
    from geneface.pipeline import GeneFacePipeline

HIGHEST_SEED = 2**31 - 1


class Interrupted(Exception):
    """The caller asked to stop; no file was left behind."""


@dataclass(frozen=True)
class GeneratedVideo:
    """A finished video and how it was made; `elapsed` in seconds of wall time, from the audio to the mp4."""

    path: Path
    frames: int
    elapsed: float
    seed: int
    unsigned: str = ""
    """Why it carries no Content Credentials, in one sentence; empty if it does."""

    @property
    def seconds(self) -> float:
        return self.frames / FPS

    @property
    def frames_per_second(self) -> float:
        return self.frames / max(self.elapsed, 1e-9)


def new_seed() -> int:
    return secrets.randbelow(HIGHEST_SEED + 1)


def generate_video(
    pipe: "GeneFacePipeline",
    audio: AudioInput,
    output: str | os.PathLike,
    *,
    sampling_rate: int | None = None,
    seed: int | None = None,
    mark: bool = True,
    on_frame: Callable[[int, int], None] | None = None,
    on_chunk: "Callable[[FrameChunk, AudioSource], None] | None" = None,
    should_stop: Callable[[], bool] | None = None,
    motion: "Iterable[torch.Tensor] | None" = None,
    **options: Any,
) -> GeneratedVideo:
    """Stream the frames of `pipe` into `output` in constant memory: H.264 and AAC in an mp4.

    A video with `background="transparent"` is VP9 with opacity and Opus in a webm.

    The video carries Content Credentials, signed with `geneface.media.certificate.signing_identity`, and a comment in
    its metadata. If it cannot be signed it is not kept; only where c2pa-python is missing it is, with `unsigned` set.

    Args:
        pipe: a `GeneFacePipeline`.
        audio: see `geneface.media.audio.open_audio`, as for `sampling_rate`.
        output: the mp4 or webm; it appears when it is complete, and not at all after an error.
        seed: same seed, same device, same video; drawn at random if None.
        mark: lay the label "AI-generated" over a corner of the frames (the pipeline's own frames never have it).
        on_frame: called with (frames done, frames in all).
        on_chunk: called with each chunk of frames once it is in the file, and the recording.
        should_stop: asked after every few frames; True stops with `Interrupted`.
        motion: what `GeneFacePipeline.motion` gave for this seed, if it is there already.
        options: `temperature`, `pose`, `blink`, `background`, `size` of `GeneFacePipeline.stream`.

    Raises `InputError` for bad input, before any work where that is possible.
    """
    import torch

    writer_type = output_writer(options.get("background"))
    output = check_output(output, writer_type.suffix, [audio, options.get("background")])
    seed = new_seed() if seed is None else check_seed(seed)
    seal, unsigned = prepare_seal(output, pipe.name, {"seed": seed, **options, "visible_mark": mark})

    def after_frame(pipe: Any, index: int, total: int) -> None:
        if should_stop is not None and should_stop():
            raise Interrupted
        if on_frame is not None:
            on_frame(index + 1, total)

    metadata = {"title": "Talking portrait", "comment": f"{NOTICE}; person={pipe.name}"}
    start = time.perf_counter()
    with ExitStack() as stack:
        source = stack.enter_context(open_audio(audio, sampling_rate))
        chunks = pipe.stream(
            source,
            generator=torch.Generator("cpu").manual_seed(seed),
            callback_on_frame_end=after_frame,
            motion=motion,
            **options,
        )
        writer: VideoWriter | None = None
        for chunk in chunks:
            if writer is None:
                height, width = chunk.frames.shape[1:3]
                label = Mark(width, height) if mark else None
                writer = stack.enter_context(
                    writer_type(output, (width, height), source, metadata=metadata, seal=seal)
                )
            if label is not None:
                label.draw(chunk.frames)
            writer.write(chunk.frames)
            if on_chunk is not None:
                on_chunk(chunk, source)
        if writer is None or writer.frames < source.frames:
            raise Interrupted
    return GeneratedVideo(output, writer.frames, time.perf_counter() - start, seed, unsigned)


def output_writer(background: Any) -> type[VideoWriter]:
    """What writes a video with this background; its `suffix` is how the file's name must end."""
    return TransparentWriter if isinstance(background, str) and background == TRANSPARENT else VideoWriter


def check_seed(seed: int) -> int:
    if not 0 <= seed <= HIGHEST_SEED:
        raise InputError(f"the seed {seed} is out of range; give a whole number from 0 to {HIGHEST_SEED}")
    return seed
