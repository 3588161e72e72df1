"""`geneface dub`: a person's own video with a mouth that says another speech, everything else as it is."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from geneface.dubbing.blend import Blender
from geneface.dubbing.performance import Performance, leaves_range
from geneface.dubbing.reel import Reel, plan_reel
from geneface.dubbing.shots import Shot, follow_shots
from geneface.dubbing.sound import voice_over
from geneface.errors import InputError
from geneface.face.crop import Crop
from geneface.media.audio import AudioInput, open_audio
from geneface.media.intake import file_identity
from geneface.media.mark import Mark
from geneface.media.provenance import COMPOSITE, NOTICE, prepare_seal
from geneface.media.timed import TimedWriter
from geneface.media.video import check_output, probe
from geneface.media.watermark import Watermark, video_number
from geneface.motion.face_motion import FaceMotion
from geneface.options import GenerationOptions, takes_options
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.preprocessing.progress import StepProgress
from geneface.utils.files import ResumableFolder

QUALITY = 14
"""x264's crf: what was not changed is not to be told from the source."""


@dataclass(frozen=True)
class DubbedVideo:
    """A finished dubbed video; `elapsed` in seconds of wall time."""

    path: Path
    frames: int
    seconds: float
    elapsed: float
    seed: int
    unsigned: str
    """Why it carries no Content Credentials; empty if it does."""
    notes: tuple[str, ...]
    """What keeps its own mouth and why, and what is odd about the files, a sentence each."""


@takes_options
def dub_video(
    pipe: GeneFacePipeline,
    video: str | os.PathLike,
    speech: AudioInput,
    output: str | os.PathLike,
    *,
    consent: str,
    options: GenerationOptions | None = None,
    keep_sound: bool = False,
    mark: bool = True,
    assets: Path | None = None,
    progress: StepProgress | None = None,
    **changes: object,
) -> DubbedVideo:
    """Let the person of `pipe` say `speech` in `video`, at its own size and time stamps, as long as the speech lasts.

    Where the speech is longer than the video, the video's last shot goes on, back and forth. Shots in which no face
    can be followed keep their own mouth.

    Args:
        pipe: The person that the video shows, best trained on this very video.
        consent: What the person shown has agreed to.
        options: `seed`, `temperature`, `mouth`; the head is the video's own.
        keep_sound: Keep the video's own sound, quietly, under the speech.
        mark: Lay the label "AI-generated" over a corner.
        assets: Where third-party models are, see `geneface.hub.assets`.
        progress: Goes through all the work; what it raises ends that, and what was tracked is kept for the next time.

    Raises:
        InputError: for bad input, or without consent.
    """
    if not consent.strip():
        raise InputError("dubbing changes what a person says: give what the person shown has agreed to as the consent")
    video, began = Path(video), time.perf_counter()
    output = check_output(output, inputs=[video, *([speech] if isinstance(speech, str | os.PathLike) else [])])
    options = GenerationOptions.of(options, **changes).seeded()
    settings = {**options.changed(), "visible_mark": mark, "dubbed": 1}
    with ExitStack() as stack:
        source = stack.enter_context(open_audio(speech))
        seal, unsigned = prepare_seal(output, pipe.name, settings, source_type=COMPOSITE, voice=source.synthetic)
        track = source
        if keep_sound:
            if not probe(video).audio_codec:
                raise InputError(f"{video} has no sound that could be kept")
            track = stack.enter_context(voice_over(source, video))
        tracking = ResumableFolder(output.with_name(f"{output.name}.tracking"), file_identity(video))
        work = stack.enter_context(tracking)
        progress = progress or StepProgress()
        shots, notes = follow_shots(video, work, assets, progress)
        motion = FaceMotion.join(list(pipe.motion(source, options=options)))
        dub = Dub(pipe, shots, motion.landmarks)
        metadata = {"title": "Dubbed video", "comment": f"{NOTICE}; person={pipe.name}"}
        opened = partial(TimedWriter, output, audio=track, crf=QUALITY, metadata=metadata, seal=seal)
        number = video_number(pipe.name, options.seed or 0)
        writer = dub.write(opened, plan_reel(video, source.seconds, shots), source.seconds, number, mark, progress)
        notes = [*notes, *dub.notes(), *source.notes]
        work.discard()
    elapsed = time.perf_counter() - began
    return DubbedVideo(output, writer.frames, writer.end, elapsed, options.seed or 0, unsigned, tuple(notes))


class Dub:
    """The person of a pipeline in the shots of a video, whose speech moves the landmarks `mouth` [T, 68, 3]."""

    def __init__(self, pipe: GeneFacePipeline, shots: list[Shot], mouth: torch.Tensor):
        self.shots = shots
        self._acts = [Performance(pipe.person, pipe.renderer, shot, mouth, pipe.dtype) for shot in shots]
        self._person = pipe.person
        self._crops: list[Crop | None] = []

    def frames(self, reel: Reel) -> Iterator[np.ndarray]:
        """The dubbed pictures uint8 [H, W, 3], before any mark."""
        playing: int | None = None
        blender = None
        for picture, time_here, start in zip(reel, reel.sources, reel.starts, strict=True):
            now = next((number for number, shot in enumerate(self.shots) if time_here in shot), None)
            self._crops.append(None if now is None else self.shots[now].crop)
            if now is None:
                playing = None
                yield picture
                continue
            shot = self.shots[now]
            if now != playing or blender is None:
                playing, blender = now, Blender(shot.crop)
            pictured = self._acts[now].frame(float(shot.place(np.array([time_here]))[0]), float(start))
            yield blender.blend(picture, pictured.own, pictured.made, pictured.points)

    def write(
        self,
        opened: Callable[[tuple[int, int]], TimedWriter],
        reel: Reel,
        seconds: float,
        number: int,
        mark: bool,
        progress: StepProgress,
    ) -> TimedWriter:
        """All frames into what `opened` gives for their size, with watermark `number` and label; `seconds` or more."""
        ends = [*reel.starts[1:].tolist(), max(reel.end, seconds)]
        progress.part("dubbing", 0, 1)
        frames = iter(progress.each(self.frames(reel), "dubbing", len(ends)))
        first = next(frames)
        height, width = (side // 2 * 2 for side in first.shape[:2])
        watermark, label = Watermark(width, height, number), Mark(width, height)
        with opened((width, height)) as writer:
            for place, frame in enumerate(chain([first], frames)):
                even = np.ascontiguousarray(frame[:height, :width])
                self._draw_around(watermark, even, place)
                if mark:
                    label.draw(even[None])
                writer.write_at(even, float(reel.starts[place]), ends[place])
        return writer

    def _draw_around(self, watermark: Watermark, frame: np.ndarray, number: int) -> None:
        """Mark the square around the face, in place; what is not changed is not marked."""
        if (crop := self._crops[number]) is None:
            return
        marked = frame[None].copy()
        watermark.draw(marked)
        left, top, right, bottom = (max(round(edge), 0) for edge in crop.box)
        frame[top:bottom, left:right] = marked[0, top:bottom, left:right]

    def notes(self) -> list[str]:
        """Where the head turns further than the person's training showed it."""
        return [
            f"from {shot.times[0]:.1f} to {shot.times[-1]:.1f} s the head turns further than the person's training "
            "showed it; train on this video for a mouth that fits"
            for shot in self.shots
            if leaves_range(self._person, shot)
        ]
