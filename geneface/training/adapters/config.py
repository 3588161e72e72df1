"""What the adapters' trainings share: their settings, and what they give."""

from dataclasses import dataclass, field
from typing import NamedTuple

from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.training.loop import LoopConfig

ADAPTERS = ("post_net", "projection", "fine_tune")


@dataclass
class PostNetConfig(LoopConfig):
    """Settings of `geneface.training.post_net`."""

    dataset: str = "runs/person"
    """A person dataset: audio.flac and tracks.safetensors."""
    block: int | None = None
    """The fifth of the video (0 to 4) that is the test part, instead of the last tenth."""
    adapter: str = "post_net"
    """"post_net"; "projection" on the person's own frames, in seconds, without voices; or "fine_tune", which writes
    a motion generator of the person's own, too, into `output_dir/motion_generator`."""
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
    evaluate_every: int = 20
    """Steps between looks at the dev part, which chooses the model."""


class Adapted(NamedTuple):
    """What brings speech to a person."""

    adapter: PostNet | LandmarkProjection
    generator: MotionGenerator
    choice: dict[str, float]
    """What was chosen on the dev part, and its `dev_score`."""
