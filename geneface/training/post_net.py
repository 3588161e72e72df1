"""Train what brings speech to a person: `accelerate launch -m geneface.training.post_net --config FILE`.

`adapter` chooses how: the paper's post-net, landmark projection, or a motion generator of the person's own.
"""

from pathlib import Path
from typing import Any

import torch

from geneface.components import trained_component
from geneface.data.voices import Voices, open_voices
from geneface.errors import InputError, run_script
from geneface.files import atomic_folder
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator
from geneface.models.sync_expert import SyncExpert
from geneface.training.adapters.config import ADAPTERS, PostNetConfig
from geneface.training.adapters.fine_tune import fine_tune
from geneface.training.adapters.post_net import PostNetTraining
from geneface.training.adapters.projection import choose_blend
from geneface.training.loop import Loop, Watch, parse_config
from geneface.training.motion_figures import motion_figures
from geneface.training.person_speech import PersonSpeech, generate_for

OWN_GENERATOR = "motion_generator"


def _frozen(place: str, device: torch.device) -> Any:
    return trained_component(place).to(device).requires_grad_(False)


def train(config: PostNetConfig, voices: Voices | None = None, watch: Watch | None = None) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder.

    `voices` of an earlier training with the same settings save the time to make them again.
    """
    if config.adapter not in ADAPTERS:
        raise InputError(f"adapter is {config.adapter!r}; it must be one of {', '.join(ADAPTERS)}")
    loop = Loop(config, watch)
    extractor: AudioFeatures = _frozen(config.feature_extractor, loop.device)
    generator: MotionGenerator = _frozen(config.motion_generator, loop.device)
    person = PersonSpeech(config.dataset, extractor, generator, config.block, config.copies, config.seed)
    dev = person.hold_out("dev")
    if config.adapter == "projection":
        found = choose_blend(person, config.neighbours, dev)
    elif config.adapter == "fine_tune":
        found = fine_tune(person, dev, config.steps, seed=config.seed)
    else:
        sync_expert: SyncExpert | None = None
        if config.sync_expert:
            sync_expert = SyncExpert.from_pretrained(config.sync_expert).to(loop.device).requires_grad_(False)
        window = min(config.window, person.longest)
        if voices is None or voices.window != window:
            voices = Voices(open_voices(config.corpora), extractor, generator, window, config.copies, config.seed)
        found = PostNetTraining(loop, config, person, generator, voices, sync_expert).run(dev)

    folder = loop.finish(found.adapter)
    if loop.accelerator.is_main_process:
        if found.generator is not generator:
            with atomic_folder(loop.folder / OWN_GENERATOR) as own:
                found.generator.save_pretrained(own)
        generate = generate_for(found.adapter.to(loop.device), found.generator)
        rest = found.adapter.target_rest.cpu().numpy()
        loop.report({**found.choice, "dev": motion_figures(generate, [dev], person.mean_landmarks, rest=rest)})
    return folder


if __name__ == "__main__":
    run_script(lambda: train(parse_config(PostNetConfig)))
