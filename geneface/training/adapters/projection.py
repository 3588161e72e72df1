"""Landmark projection on a person's own frames: nothing is trained, one number is chosen on the dev part."""

import numpy as np
import torch

from geneface.models.projection import LandmarkProjection
from geneface.training.adapting import Adapted, Adapting
from geneface.training.person_speech import PersonSpeech, dev_score, generate_for

BLENDS = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_FRAMES = 2000
"""Own frames that are kept, evenly over the training part."""


def projection(person: PersonSpeech, neighbours: int, blend: float = 0.0) -> LandmarkProjection:
    """With the person's rest, scale and own frames, the rest among them."""
    kept = np.unique(np.linspace(0, len(person.own) - 1, MOST_FRAMES).round().astype(int))
    frames = torch.cat([person.rest()[None], person.own[kept]])
    adapter = LandmarkProjection(len(frames), min(neighbours, len(frames)), blend)
    person.fit(adapter)
    adapter.frames.copy_(frames)
    return adapter.eval()


def adapt(task: Adapting) -> Adapted:
    """The projection with the best `dev_score` over `BLENDS`; in seconds, without other voices."""
    person, neighbours, dev = task.person, task.config.neighbours, task.dev
    none, generator = projection(person, neighbours), person.generator
    _, unit = dev_score(generate_for(none, generator), dev, person.mean_landmarks, 1.0)
    best, score = none, -np.inf
    for blend in BLENDS:
        candidate = projection(person, neighbours, blend)
        found, _ = dev_score(generate_for(candidate, generator), dev, person.mean_landmarks, unit)
        if found > score:
            best, score = candidate, found
    return Adapted(best, generator, {"blend": best.blend, "dev_score": score})
