"""The page's stand-in for a pipeline offers what the real one does, with the same arguments and kinds of answers."""

import inspect

import numpy as np
import pytest
from fake_pipeline import FakePipeline

from geneface.pipelines.pipeline import GeneFacePipeline


@pytest.mark.parametrize("method", ["stream", "motion", "render", "set_progress_bar_config"])
def test_it_takes_the_same_arguments(method: str) -> None:
    fake, real = (inspect.signature(getattr(kind, method)).parameters for kind in (FakePipeline, GeneFacePipeline))
    assert list(fake) == list(real)
    assert [each.kind for each in fake.values()] == [each.kind for each in real.values()]
    assert [each.default for each in fake.values()] == [each.default for each in real.values()]


def test_it_gives_the_same_kinds_of_answers(tiny_pipeline, speech: np.ndarray) -> None:
    def shape(pipe) -> list:
        motion = next(iter(pipe.motion(speech, 16000, seed=1)))
        frames = next(iter(pipe.stream(speech, 16000, seed=1)))
        shown = pipe.render(motion[:2])
        return [
            {name: (type(value), getattr(value, "ndim", 0)) for name, value in vars(each).items()}
            for each in (motion, frames, shown, pipe.person)
        ]

    assert shape(FakePipeline()) == shape(tiny_pipeline)
