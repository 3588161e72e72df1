"""Lips that meet are told from lips that do not, and what is closed only by chance is seen, too."""

from typing import Any

import numpy as np
import pytest
import torch
from tiny import tiny_components

from geneface.datasets.corpus import Corpus
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.resources import resource
from research import lips
from research.lips import Looker, Seen, Spoken, lip_figures

SAID = Spoken(np.zeros(640 * 40, np.float32), [("p", 5), ("a", 12), ("f", 20), ("u", 27), ("i", 35)])


def looking(gap: np.ndarray, pixels: np.ndarray | None = None, interior: np.ndarray | None = None) -> Any:
    class Fake:
        def look(self, said: Spoken) -> Seen:
            return Seen(gap, np.linspace(-0.3, 0.3, len(gap)), pixels, interior)

    return Fake()


def test_closed_and_open_are_told_apart() -> None:
    gap = np.full(40, 0.5)
    assert lip_figures(looking(gap), [SAID])["p, b, m closed, motion"] == 0
    gap[7] = 0.01
    found = lip_figures(looking(gap), [SAID])
    assert found["p, b, m closed, motion"] == 1 and found["open vowels closed, motion"] == 0
    assert found["width of round vowels, motion, cm"] < found["width of spread vowels, motion, cm"]
    shut = lip_figures(looking(np.zeros(40)), [SAID])
    assert shut["open vowels closed, motion"] == 1, "a mouth that never opens does not win"
    assert shut["open vowels closed within 2 frames, no p, b, m near, motion"] == 1


def test_teeth_that_stay_to_be_seen_are_counted() -> None:
    gap, pixels, interior = np.full(40, 0.5), np.full(40, 9.0), np.full(40, np.nan)
    gap[5], pixels[5], interior[5], interior[12] = 0.0, 1.0, 30, 400
    found = lip_figures(looking(gap, pixels, interior), [SAID])
    assert found["p, b, m closed, pixels"] == 1 and found["p, b, m with no inside of the mouth to be seen"] == 0
    interior[5] = 10
    assert lip_figures(looking(gap, pixels, interior), [SAID])["p, b, m with no inside of the mouth to be seen"] == 1


def test_the_motion_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    pipe = GeneFacePipeline(**tiny_components(), name="tiny").to("cpu")
    seen = Looker(pipe).look(SAID)
    assert seen.gap.shape == (40,) and seen.pixels is None and np.isfinite(seen.width).all()
    corpus = Corpus(resource("examples/speech"))
    said = list(lips.spoken(pipe, corpus, corpus.clips[:2]))
    assert len(said) == 2, "without a phoneme head only what has times"
    assert all(0 <= middle < len(each.samples) // 640 for each in said for _, middle in each.middles)
    found = {"tiny": lip_figures(Looker(pipe), said)}
    assert "| p, b, m closed, motion |" in lips.table(found)
