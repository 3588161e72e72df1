"""The paper's ablation "with fine-tuning": the motion generator learns the person, in place of a post-net.

The paper fears for other voices (Section 3.2); few steps, ended by the dev part, keep them.
"""

import numpy as np
import torch

from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.training.adapting import Adapted, Adapting
from geneface.training.motion_generator import MotionGeneratorConfig, Objective
from geneface.training.person_speech import dev_score, generate_for

BATCH, WINDOW, LEARNING_RATE = 8, 48, 2e-4
EVALUATE_EVERY = 20
"""Steps between looks at the dev part."""


def adapt(task: Adapting) -> Adapted:
    """Continue Eq. 3, without the sync-expert, on the person's training part.

    The person's LM3D is brought into the generic domain by rest and scale, and back by an untrained post-net; so the
    generator starts where it is good. Gives both, and the best step with its `dev_score`.
    """
    person, dev = task.person, task.dev
    torch.manual_seed(task.config.seed)
    transfer = PostNet(layers=1, channels=8)
    person.fit(transfer)
    transfer.eval()
    stride = person.generator.stride
    window = min(WINDOW, person.longest) // stride * stride
    generator = _copy(person.generator)
    objective = Objective(generator, MotionGeneratorConfig(output_dir="")).to(generator.device)
    optimizer = torch.optim.AdamW(generator.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98))

    def judge(unit: float) -> tuple[float, float]:
        generator.eval()
        found = dev_score(generate_for(transfer, generator), dev, person.mean_landmarks, unit)
        generator.train()
        return found

    _, unit = judge(1.0)
    best, (best_score, _), best_step = _copy(generator).eval(), judge(unit), 0
    for step in range(task.config.steps):
        rng = np.random.default_rng([task.config.seed, step])
        own = person.draw(BATCH, window, rng)
        noise = rng.standard_normal(
            (BATCH, generator.latent_frames(window), generator.latent_channels), dtype=np.float32
        )
        lm3d = (own.lm3d - transfer.target_rest) / transfer.target_scale * transfer.source_scale + transfer.source_rest
        terms, _ = objective(
            *(tensor.to(generator.device) for tensor in (lm3d, own.features, torch.from_numpy(noise)))
        )
        torch.stack(list(terms.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if (step + 1) % EVALUATE_EVERY == 0:
            score, _ = judge(unit)
            if score > best_score:
                best, best_score, best_step = _copy(generator).eval(), score, step + 1
    return Adapted(transfer, best, {"best_step": best_step, "dev_score": best_score})


def _copy(generator: MotionGenerator) -> MotionGenerator:
    copy = type(generator)(**generator.config).to(generator.device)
    copy.load_state_dict(generator.state_dict())
    return copy
