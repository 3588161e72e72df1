"""What runs behind the page: pipelines kept loaded, one piece of work at a time, off the server's event loop."""

import asyncio
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from geneface.errors import InputError
from geneface.media.audio import AudioSource, open_audio
from geneface.media.subtitles import How, Transcript, timed
from geneface.options import GenerationOptions
from geneface.pipelines.generate import GeneratedVideo, generate_video, output_writer
from geneface.ui.live import Countdown, Live, Preparing, Waiting
from geneface.ui.persons import display_name
from geneface.ui.plot import Voice, mouth_curve, voice_curve
from geneface.ui.recording import Written, check_speech, video_stem
from geneface.utils.stopping import StopToken
from geneface.utils.units import FPS
from geneface.utils.words import duration

if TYPE_CHECKING:
    from geneface import GeneFacePipeline
    from geneface.speaking.speech import Speech

Load: TypeAlias = "Callable[[str], GeneFacePipeline]"
Tell = Callable[[object], None]
K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
Subtitles: TypeAlias = tuple[How | None, Transcript | None]
"""How they are wanted, and what the recording says if it does not know."""
QUEUE = "pipeline"
"""Name of the queue of all work that needs the device and is asked for by API; one at a time."""
LINE, MOST_WAITING = "line", 20
"""The same for the page, whose visitors are let in so that they see their place in the line; the most of them."""
LOOK_EVERY = 0.2
"""Seconds between looks at the line."""
LONGEST = 600.0
MOST_LOADED, MOST_KEPT = 6, 24
"""Persons whose pipelines are kept loaded, each about 130 MB; and pictures made of persons."""
LONGEST_KEPT = 3600.0
"""Seconds after which a made file is gone, even if nothing more is made."""


@dataclass(frozen=True)
class Finished:
    """The last step of a piece of work."""

    result: GeneratedVideo


class Studio:
    """Loads persons at first use and makes videos with them.

    Args:
        load: From a person's name to a `GeneFacePipeline`.
        max_seconds: The longest recording that is taken.
        mark: Whether videos carry the visible label "AI-generated".
    """

    def __init__(self, load: Load, max_seconds: float = LONGEST, mark: bool = True) -> None:
        self.max_seconds, self.mark = max_seconds, mark
        self._load = load
        self._pipes: OrderedDict[str, GeneFacePipeline] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._loading, self._working, self._making = threading.Lock(), threading.Lock(), threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="geneface-")
        self._runs: list[Path] = []
        self._line: list[object] = []

    def pipe(self, person: str, tell: Tell = lambda step: None) -> "GeneFacePipeline":
        """The person's pipeline, loaded at first use; those not used for longest are given up."""
        with self._loading:
            if person not in self._pipes:
                tell(Preparing(f"Waking up {display_name(person)}"))
                pipe = self._load(person)
                pipe.set_progress_bar_config(disable=True)
                self._pipes[person] = pipe
            return _latest(self._pipes, person, MOST_LOADED)

    def kept(self, what: tuple[str, str], make: Callable[[], T]) -> T:
        """What `make` gives, made once for each (kind, person)."""
        with self._making:
            if what not in self._kept:
                self._kept[what] = make()
            return _latest(self._kept, what, MOST_KEPT)

    def forget(self, person: str) -> None:
        """Load the person anew at the next use, because its bundle has changed."""
        with self._loading:
            self._pipes.pop(person, None)
        with self._making:
            for what in [what for what in self._kept if what[1] == person]:
                del self._kept[what]

    @contextmanager
    def recording(
        self, said: str | Written, tell: Tell = lambda step: None, stop: StopToken | None = None, preferred: str = ""
    ) -> Iterator[AudioSource]:
        """The decoded recording, or the spoken text; `InputError` if it is longer than this server takes, or nobody
        speaks in it. `preferred` is the voice that suits the person."""
        if isinstance(said, Written):
            with open_audio(self._speak(said, tell, stop, preferred)) as source:
                yield source
            return
        audio = said
        from geneface.media.video import probe

        self._check_length(probe(audio).audio_seconds)
        # What a file says of its length may be wrong, so it is looked at while decoding, too.
        with open_audio(audio, check_seconds=self._check_length) as source:
            check_speech(source)
            yield source

    def listen(self, audio: str) -> np.ndarray:
        """How loud each frame of a recording is, [T]; `InputError` as of `recording`."""
        with self.recording(audio) as source:
            return voice_curve(source)

    def _speak(self, written: Written, tell: Tell, stop: StopToken | None, preferred: str) -> "Speech":
        from geneface.speaking.speech import speak

        tell(Preparing("Speaking the text"))
        speech = speak(
            written.text,
            written.voice or None,
            preferred=preferred,
            on_sentence=lambda done, total: tell(Preparing(f"Speaking the text: sentence {done} of {total}")),
            stop=stop,
        )
        self._check_length(speech.seconds)
        return speech

    def _check_length(self, seconds: float) -> None:
        if seconds > self.max_seconds:
            raise InputError(
                f"the recording is {duration(seconds)} long; this server takes up to {duration(self.max_seconds)}: "
                "cut it, or run GeneFace yourself"
            )

    async def work(self, job: Callable[[Tell, StopToken, Path], GeneratedVideo]) -> AsyncGenerator[object]:
        """Run `job(tell, stop, folder)` in a thread; yield what it tells, then `Finished` with its result.

        Before it yields `Waiting`, whenever fewer pieces of work are still to be done first.
        Leaving the iteration stops the job within a few frames. The files in `folder` live until the next but one
        piece of work, and an hour at most, by when the server has copied them into its own cache.
        """
        loop, steps, stop = asyncio.get_running_loop(), asyncio.Queue[object](), StopToken()

        def tell(step: object) -> None:
            loop.call_soon_threadsafe(steps.put_nowait, step)

        def run() -> None:
            try:
                with self._working:
                    stop.check()
                    tell(Finished(job(tell, stop, self._new_folder())))
            except BaseException as error:
                tell(error)

        ticket, ahead = object(), 0
        running: asyncio.Future[None] | None = None
        self._line.append(ticket)
        try:
            while place := self._line.index(ticket):
                if place != ahead:
                    ahead = place
                    yield Waiting(ahead)
                await asyncio.sleep(LOOK_EVERY)
            running = asyncio.ensure_future(asyncio.to_thread(run))
            while True:
                step = await steps.get()
                if isinstance(step, BaseException):
                    raise step
                yield step
                if isinstance(step, Finished):
                    return
        finally:
            stop.stop()
            try:
                if running is not None:
                    await asyncio.shield(running)
            finally:
                self._line.remove(ticket)

    def _new_folder(self) -> Path:
        for old in self._runs[:-1]:
            shutil.rmtree(old, ignore_errors=True)
        self._runs = [*self._runs[-1:], Path(tempfile.mkdtemp(dir=self._folder.name))]
        gone = threading.Timer(LONGEST_KEPT, shutil.rmtree, (self._runs[-1],), {"ignore_errors": True})
        gone.daemon = True
        gone.start()
        return self._runs[-1]

    def talk(
        self,
        person: str,
        said: str | Written,
        options: GenerationOptions,
        *,
        driving: str = "",
        subtitles: Subtitles = (None, None),
        live: bool = False,
    ) -> AsyncGenerator[object]:
        """Make a video: yields `Step`, `Voice`, `Segment` if `live`, and `Finished` with a `GeneratedVideo`.

        The head moves as in the video `driving`, if one is named.
        """

        def job(tell: Tell, stop: StopToken, folder: Path) -> GeneratedVideo:
            preferred = ""
            if isinstance(said, Written) and (card := self.pipe(person, tell).card):
                preferred = card.voice
            with self.recording(said, tell, stop, preferred) as source:
                seeded = options.seeded()
                output = folder / (video_stem(person, said, seeded.seed or 0) + output_writer(seeded).suffix)
                return self._talk(person, source, output, seeded, driving, subtitles, live, tell, stop)

        return self.work(job)

    def _talk(
        self,
        person: str,
        source: AudioSource,
        output: Path,
        options: GenerationOptions,
        driving: str,
        subtitles: Subtitles,
        live: bool,
        tell: Tell,
        stop: StopToken,
    ) -> GeneratedVideo:
        if subtitles[0]:
            timed(source, subtitles[1])  # That nothing tells what is said is known before any work.
        pipe = self.pipe(person, tell)
        if driving:
            options = replace(options, pose=self._driven(pipe, driving, source.frames, tell, stop))
        tell(Preparing("Listening"))
        loudness = voice_curve(source)
        tell(Voice(loudness, None))
        motion = []
        for chunk in pipe.motion(source, options=options):
            motion.append(chunk)
            stop.check()
        tell(Voice(loudness, mouth_curve(pipe, motion)))
        live = live and output.suffix == ".mp4"
        countdown = Countdown(tell)
        with Live(output.parent, source, tell) if live else _Silent() as player:
            return generate_video(
                pipe,
                source,
                output,
                options=options,
                mark=self.mark,
                on_frame=countdown,
                on_chunk=lambda chunk, _: player.show(chunk.frames, countdown.seconds_left),
                stop=stop,
                motion=motion,
                subtitles=subtitles[0],
                transcript=subtitles[1],
            )

    def _driven(self, pipe: "GeneFacePipeline", video: str, frames: int, tell: Tell, stop: StopToken) -> np.ndarray:
        """Head poses [frames, 3, 4] after a driving video."""
        from geneface.preprocessing.driving import drive, track_head

        def watched(done: int, most: int) -> None:
            self._check_length(done / FPS)
            if done % FPS == 0:
                tell(Preparing(f"Watching the driving video: {done // FPS} s"))

        tell(Preparing("Watching the driving video"))
        return drive(pipe.person, track_head(video, on_frame=watched, stop=stop), frames)


def _latest(kept: OrderedDict[K, V], key: K, most: int) -> V:
    """What is kept under `key`, used just now; what is too much and was used longest ago is dropped."""
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]


class _Silent:
    """Shows nothing before the video is finished."""

    def show(self, frames: object, seconds_left: float) -> None:
        pass

    def __enter__(self) -> "_Silent":
        return self

    def __exit__(self, *error: object) -> None:
        pass
