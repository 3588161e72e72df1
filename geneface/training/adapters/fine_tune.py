"""The paper's ablation "with fine-tuning": the motion generator learns the person, in place of a post-net.

The paper fears for other voices (Section 3.2); few steps, ended by the dev part, keep them.
"""

import numpy as np
import torch

from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.training.adapters.config import Adapted
from geneface.training.motion_figures import HeldOut
from geneface.training.motion_generator import MotionGeneratorConfig, Objective
from geneface.training.person_speech import PersonSpeech, dev_score, generate_for


def fine_tune(
    person: PersonSpeech,
    dev: HeldOut,
    steps: int,
    batch_size: int = 8,
    window: int = 48,
    learning_rate: float = 2e-4,
    evaluate_every: int = 20,
    seed: int = 0,
) -> Adapted:
    """Continue Eq. 3, without the sync-expert, on the person's training part.

    The person's LM3D is brought into the generic domain by rest and scale, and back by an untrained post-net; so the
    generator starts where it is good. Gives both, and the best step with its `dev_score`.
    """
    torch.manual_seed(seed)
    transfer = PostNet(layers=1, channels=8)
    person.fit(transfer)
    transfer.eval()
    stride = person.generator.stride
    window = min(window, person.longest) // stride * stride
    generator = _copy(person.generator)
    objective = Objective(generator, MotionGeneratorConfig(output_dir="")).to(generator.device)
    optimizer = torch.optim.AdamW(generator.parameters(), lr=learning_rate, betas=(0.9, 0.98))

    def judge(unit: float) -> tuple[float, float]:
        generator.eval()
        found = dev_score(generate_for(transfer, generator), dev, person.mean_landmarks, unit)
        generator.train()
        return found

    _, unit = judge(1.0)
    best, (best_score, _), best_step = _copy(generator).eval(), judge(unit), 0
    for step in range(steps):
        rng = np.random.default_rng([seed, step])
        own = person.draw(batch_size, window, rng)
        noise = rng.standard_normal(
            (batch_size, generator.latent_frames(window), generator.latent_channels), dtype=np.float32
        )
        lm3d = (own.lm3d - transfer.target_rest) / transfer.target_scale * transfer.source_scale + transfer.source_rest
        terms, _ = objective(
            *(tensor.to(generator.device) for tensor in (lm3d, own.features, torch.from_numpy(noise)))
        )
        torch.stack(list(terms.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (step + 1) % evaluate_every == 0:
            score, _ = judge(unit)
            if score > best_score:
                best, best_score, best_step = _copy(generator).eval(), score, step + 1
    return Adapted(transfer, best, {"best_step": best_step, "dev_score": best_score})


def _copy(generator: MotionGenerator) -> MotionGenerator:
    copy = type(generator)(**generator.config).to(generator.device)
    copy.load_state_dict(generator.state_dict())
    return copy
