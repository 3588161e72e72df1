"""What the adapters' trainings share: their settings, what they have to work with, and what they give."""

from dataclasses import dataclass, field
from typing import NamedTuple

from geneface.datasets.voices import Voices, open_voices
from geneface.models.features import AudioFeatures
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.training.kinds import DEFAULT_ADAPTER
from geneface.training.loop import Loop, LoopConfig
from geneface.training.motion_figures import HeldOut
from geneface.training.person_speech import PersonSpeech


@dataclass
class PostNetConfig(LoopConfig):
    """Settings of `geneface.training.post_net`."""

    dataset: str = "runs/person"
    """A person dataset: audio.flac and tracks.safetensors."""
    block: int | None = None
    """The fifth of the video (0 to 4) that is the test part, instead of the last tenth."""
    adapter: str = DEFAULT_ADAPTER
    """One of `training.adapters`."""
    neighbours: int = 10
    """Own frames that a projected frame is made of."""
    model: str = "hub_configs/embedded/post_net.json"
    discriminator: str = "hub_configs/embedded/discriminator.json"
    feature_extractor: str = "examples/persons/generic/feature_extractor"
    motion_generator: str = "examples/persons/generic/motion_generator"
    sync_expert: str = "examples/persons/generic/sync_expert"
    """A trained one, or "" to train without."""
    corpora: list[str] = field(default_factory=lambda: ["examples/speech"])
    """Folders with many voices: their audio drives the adversarial part."""
    copies: int = 2
    """Of each voice's clip and of the person's, the first as it is, more with changed sound."""
    window: int = 50
    """Frames."""
    discriminator_learning_rate: float = 2e-4
    adversarial_weight: float = 0.1
    sync_weight: float = 0.05
    supervised_weight: float = 1.0
    rest_weight: float = 0.5
    keep_weight: float = 0.5
    """Of the change on other voices, beyond rest and scale: a short recording says nothing of theirs."""
    timing_weight: float = 1.0
    """Of 1 - r of the mouth opening of other voices, before and after: a person changes how far a mouth moves, and
    where, not when."""
    evaluate_every: int = 20
    """Steps between looks at the dev part, which chooses the model."""


class Adapted(NamedTuple):
    """What brings speech to a person."""

    adapter: PostNet | LandmarkProjection
    generator: MotionGenerator
    choice: dict[str, float]
    """What was chosen on the dev part, and its `dev_score`."""


@dataclass
class Adapting:
    """What an adapter is trained from."""

    loop: Loop
    config: PostNetConfig
    person: PersonSpeech
    dev: HeldOut
    """Which chooses."""
    extractor: AudioFeatures
    other_voices: Voices | None = None
    """Those of an earlier training, if there are any."""

    def voices(self) -> Voices:
        """Many voices, in windows no longer than the person's own longest run."""
        config, window = self.config, min(self.config.window, self.person.longest)
        if self.other_voices is None or self.other_voices.window != window:
            corpora, generator = open_voices(config.corpora), self.person.generator
            self.other_voices = Voices(corpora, self.extractor, generator, window, config.copies, config.seed)
        return self.other_voices
