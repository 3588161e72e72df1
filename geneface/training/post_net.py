"""Train what brings speech to a person: `accelerate launch -m geneface.training.post_net --config FILE`.

`adapter` chooses how, among `training.adapters`: the paper's post-net, landmark projection, or a motion generator of
the person's own, which is written into `output_dir/motion_generator`.
"""

from pathlib import Path

from geneface.bundles.loading import trained_component
from geneface.datasets.voices import Voices
from geneface.errors import run_script
from geneface.models.features import AudioFeatures, check_features
from geneface.models.motion_generator import MotionGenerator
from geneface.training.adapting import Adapted, Adapting, PostNetConfig
from geneface.training.kinds import ADAPTERS
from geneface.training.loop import Loop, Watch, parse_config
from geneface.training.motion_figures import motion_figures
from geneface.training.person_speech import PersonSpeech, generate_for
from geneface.utils.files import atomic_folder

OWN_GENERATOR = "motion_generator"


def train(config: PostNetConfig, voices: Voices | None = None, watch: Watch | None = None) -> Path:
    """Train, and write `output_dir/model` and `report.json`; returns the model's folder.

    `voices` of an earlier training with the same settings save the time to make them again.
    """
    adapter = ADAPTERS[config.adapter]
    loop = Loop(config, watch)
    extractor: AudioFeatures = trained_component(config.feature_extractor)
    generator: MotionGenerator = trained_component(config.motion_generator)
    for network in (extractor, generator):
        network.to(loop.device).requires_grad_(False)
    check_features(extractor, generator, "motion generator")
    person = PersonSpeech(config.dataset, extractor, generator, config.block, config.copies, config.seed)
    dev = person.hold_out("dev")
    found: Adapted = adapter.adapt(Adapting(loop, config, person, dev, extractor, voices))

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
