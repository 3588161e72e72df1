"""What the Talk tab makes, and what is seen of it meanwhile."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import anyio.to_thread

from geneface.media.subtitles import beside
from geneface.options import GenerationOptions
from geneface.ui.live import Preparing, Segment, Step, Waiting
from geneface.ui.making import Making
from geneface.ui.options import asked_subtitles, generation_options, page_defaults
from geneface.ui.plot import Voice, draw
from geneface.ui.recording import Written, title
from geneface.ui.speech import SEVERAL, Given
from geneface.ui.stage import Stage
from geneface.ui.status import explain, progress, status
from geneface.ui.studio import Finished, Studio, Subtitles
from geneface.ui.takes import MOST, Take, keep, zipped
from geneface.ui.updates import Updates
from geneface.ui.visits import Visit
from geneface.utils.words import sentence

MARKS = {"waits": "waits", "busy": "is made", "done": "done", "failed": "failed"}


@dataclass(frozen=True)
class Asked:
    """What the form says."""

    person: str
    given: Given
    options: dict[str, Any]

    @classmethod
    def of(cls, values: tuple[Any, ...]) -> "Asked":
        """Of the form's values, in its order: the person, what is said, the options."""
        person, kind, audio, text, voice, files, *rest = values
        options = dict(zip(page_defaults(), rest, strict=True))
        return cls(person, Given(kind, audio, text, voice, files), options)

    @property
    def files(self) -> list[str | None]:
        """The visitor's own."""
        return [
            self.given.audio,
            *(self.given.files or ()),
            *(self.options[name] for name in ("driving", "picture", "transcript_file")),
        ]


@dataclass(frozen=True)
class Rows:
    """How several recordings are getting on: a title, one of `MARKS`, and what is to be said, each."""

    rows: tuple[tuple[str, str, str], ...]

    def html(self) -> str:
        items = "".join(
            f'<li class="gf-{mark}"><b>{escape(name)}</b><span>{escape(note or MARKS[mark])}</span></li>'
            for name, mark, note in self.rows
        )
        return f'<ol class="gf-rows">{items}</ol>'


@dataclass(frozen=True)
class Whole:
    """All videos in one file, how many there are, and how many were asked for."""

    path: str
    made: int
    asked: int


@dataclass(frozen=True)
class _How:
    """How all of it is to be said; `values` are the form's."""

    values: tuple[object, ...]
    options: GenerationOptions
    driving: str
    subtitles: Subtitles


class Performer:
    """Makes what visitors of the Talk tab ask for.

    Args:
        cache: The folder of files that the server shows.
        live: Whether a video can be shown while it is made.
    """

    def __init__(self, studio: Studio, stage: Stage, cache: str, live: Callable[[], bool]) -> None:
        self._studio, self._stage, self._cache, self._live = studio, stage, cache, live

    async def make(self, visit: Visit, values: tuple[object, ...]) -> AsyncGenerator[object]:
        """What `Studio.talk` tells, and a `Take` for each finished video, which is the visit's from then on."""
        asked = Asked.of(values)
        options, driving = generation_options(asked.options)
        how = _How(values, options, driving, asked_subtitles(asked.options))
        said = asked.given.said()
        steps = self._several(visit, said, how) if asked.given.kind == SEVERAL else self._one(visit, said[0], how)
        async with aclosing(steps):
            async for step in steps:
                yield step

    async def _one(self, visit: Visit, said: str | Written, how: _How) -> AsyncGenerator[object]:
        person = str(how.values[0])
        steps = self._studio.talk(
            person, said, how.options, driving=how.driving, subtitles=how.subtitles, live=self._live()
        )
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, Finished):
                    notes = [sentence(note, {str(said): "the file"}) for note in step.result.notes]
                    file = beside(step.result.path, how.subtitles[0])
                    take = await anyio.to_thread.run_sync(
                        keep, step.result, person, title(said), notes, file, how.values, self._cache
                    )
                    visit.files |= take.files
                    visit.takes = [take, *visit.takes[: MOST - 1]]
                    yield take
                else:
                    yield step

    async def _several(self, visit: Visit, said: list[str | Written], how: _How) -> AsyncGenerator[object]:
        """One after the other; what fails stops no other. Others in line come in between."""
        rows = [[title(each), "waits", ""] for each in said]
        made: list[Take] = []
        for row, each in zip(rows, said, strict=True):
            row[1] = "busy"
            yield _rows(rows)
            try:
                steps = self._one(visit, each, how)
                async with aclosing(steps):
                    async for step in steps:
                        if isinstance(step, Step):
                            row[2] = f"{step.done / step.total:.0%}"
                            yield _rows(rows)
                        if isinstance(step, Take):
                            made.append(step)
                        if not isinstance(step, Segment):
                            yield step
                row[1:] = ["done", ""]
            except Exception as error:
                row[1:] = ["failed", explain(error, [str(each), how.driving])]
            yield _rows(rows)
        path = await anyio.to_thread.run_sync(zipped, made, self._cache) if made else ""
        visit.files |= {Path(path)} if path else set()
        yield Whole(path, len(made), len(said))

    async def show(self, visit: Visit, making: Making, live: bool = True) -> AsyncGenerator[Updates]:
        """What is seen of it, as updates of the stage; without the growing video for who comes later."""
        import gradio as gr

        stage, playing, asked = self._stage, False, Asked.of(making.asked)
        several = asked.given.kind == SEVERAL
        try:
            steps = making.follow()
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Preparing | Step | Waiting):
                        yield {stage.said: progress(step)}
                    elif isinstance(step, Voice):
                        yield {stage.plot: draw(step)}
                    elif isinstance(step, Rows):
                        yield {stage.rows: gr.update(value=step.html(), visible=True)}
                    elif isinstance(step, Segment) and live and not several:
                        if not playing:
                            playing = True
                            yield {stage.live: gr.update(visible=True)}
                        yield {stage.live: str(step.path)}
                    elif isinstance(step, Take) and step in visit.takes:
                        yield stage.done(step, visit.takes)
                    elif isinstance(step, Whole):
                        yield stage.all_done(step.path, step.made, step.asked)
            if making.stopped:
                yield stage.at_rest(status("Stopped."))
        except Exception as error:
            yield stage.at_rest(status(explain(error, asked.files), "failed"))


def _rows(rows: list[list[str]]) -> Rows:
    return Rows(tuple((name, mark, note) for name, mark, note in rows))
