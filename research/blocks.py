"""A person's motion in rotation: each fifth of the video once held out, scored on its LM3D (docs/measures.md, Splits).

    python -m research.blocks --dataset DIR -o OUT [--config hub_configs/embedded/train_post_net.json]

No renderer is needed. OUT gets `blocks.json`, `blocks.md` and the trained post-nets; a block that is in `blocks.json`
is not done again. Everything is chosen on a dev part of its own beside each held-out fifth.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from geneface import metrics
from geneface.bundles.loading import trained_component
from geneface.datasets.person import BLOCKS
from geneface.datasets.voices import Voices, open_voices
from geneface.errors import InputError, run_script
from geneface.models.motion_generator import MotionGenerator
from geneface.models.post_net import PostNet
from geneface.models.projection import LandmarkProjection
from geneface.training.adapting import PostNetConfig
from geneface.training.kinds import ADAPTERS
from geneface.training.loop import parse_config
from geneface.training.motion_figures import Generate, HeldOut, generate_with
from geneface.training.person_speech import PersonSpeech, generate_for
from geneface.training.post_net import OWN_GENERATOR, train
from geneface.utils.files import read_json, write_json, write_text

VARIANTS = ("none", "transfer", *ADAPTERS.names())
"""Generic motion as it is; by rest and scale alone; and what can be trained."""
SEEDS = 5
FIGURES = {
    "r": "r",
    "r_temperature_1": f"r, temperature 1, {SEEDS} seeds",
    "spread": "spread",
    "lm3d_error_mm": "LM3D error, mm",
}


def block_figures(generate: Generate, clip: HeldOut, mean_landmarks: np.ndarray) -> dict[str, float]:
    """r, spread and LM3D error at temperature 0, and r over seeds at temperature 1."""
    real = metrics.lm3d_opening(clip.lm3d, mean_landmarks)
    lm3d = generate(clip.features, 0, 0.0).numpy()
    opening = metrics.lm3d_opening(lm3d, mean_landmarks)
    drawn = [metrics.lm3d_opening(generate(clip.features, seed, 1.0).numpy(), mean_landmarks) for seed in range(SEEDS)]
    return {
        "r": metrics.correlation(real, opening),
        "r_temperature_1": float(np.mean([metrics.correlation(real, curve) for curve in drawn])),
        "spread": metrics.spread(real, opening),
        "lm3d_error_mm": metrics.lm3d_error(clip.lm3d, lm3d),
    }


class Rotation:
    """The blocks of one dataset; generic components and voices are loaded once."""

    def __init__(self, config: PostNetConfig):
        self.config = config
        self.extractor = trained_component(config.feature_extractor)
        self.generator = MotionGenerator.from_pretrained(config.motion_generator).requires_grad_(False)

    @cached_property
    def voices(self) -> Voices:
        config = self.config
        return Voices(
            open_voices(config.corpora), self.extractor, self.generator, config.window, config.copies, config.seed
        )

    def score(self, variant: str, block: int) -> dict[str, float]:
        """Figures of a variant on the test part of a block, beside those on its dev part."""
        config = replace(self.config, block=block, output_dir=f"{self.config.output_dir}/{variant}_{block}")
        person = PersonSpeech(config.dataset, self.extractor, self.generator, block, config.copies, config.seed)
        generate = self._generate(variant, person, config)
        test, dev = (
            block_figures(generate, person.hold_out(split), person.mean_landmarks) for split in ("test", "dev")
        )
        return {**test, **{f"dev_{name}": value for name, value in dev.items()}}

    def _generate(self, variant: str, person: PersonSpeech, config: PostNetConfig) -> Generate:
        if variant == "none":
            return generate_with(self.generator)
        if variant == "transfer":
            adapter: Any = PostNet(**read_json(Path(config.model), "settings")).eval()
            person.fit(adapter)
            return generate_for(adapter, self.generator)
        folder = train(replace(config, adapter=variant), self.voices if variant == "post_net" else None)
        adapter = (LandmarkProjection if variant == "projection" else PostNet).from_pretrained(folder)
        if variant == "fine_tune":
            return generate_for(adapter, MotionGenerator.from_pretrained(folder.with_name(OWN_GENERATOR)))
        return generate_for(adapter, self.generator)


def table(found: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: a row a variant, every figure as its mean and its values by block."""
    rows = [["variant", *FIGURES.values(), "blocks with less error than none"]]
    for variant in (name for name in VARIANTS if name in found):
        blocks = found[variant]
        cells = []
        for name in FIGURES:
            values = [block[name] for block in blocks]
            cells.append(f"{np.mean(values):.3f} ({' '.join(f'{value:.2f}' for value in values)})")
        errors = [[block["lm3d_error_mm"] for block in found.get(name, [])] for name in (variant, "none")]
        less = sum(one < other for one, other in zip(*errors, strict=False))
        rows.append([variant, *cells, str(less) if errors[1] and variant != "none" else ""])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "| --- " * len(rows[0]) + "|", *lines[1:]]) + "\n"


def rotate(config: PostNetConfig, variants: Sequence[str]) -> dict[str, list[dict[str, float]]]:
    """Every variant on every block; writes `blocks.json` and `blocks.md` after each."""
    if unknown := sorted(set(variants) - set(VARIANTS)):
        raise InputError(f"unknown variant {unknown[0]!r}; known are {', '.join(VARIANTS)}")
    folder = Path(config.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "blocks.json"
    found: dict[str, list[dict[str, float]]] = read_json(note, "run") if note.exists() else {}
    rotation = Rotation(config)
    for variant in variants:
        blocks = found.setdefault(variant, [])
        for block in range(len(blocks), BLOCKS):
            blocks.append(rotation.score(variant, block))
            write_json(note, found)
            write_text(folder / "blocks.md", table(found))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, help="a person dataset")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--config", default="hub_configs/embedded/train_post_net.json", help="of the post-net")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings that override it")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), metavar="NAME", help=" ".join(VARIANTS))
    args = parser.parse_args()
    places = [f"dataset={json.dumps(args.dataset)}", f"output_dir={json.dumps(args.output)}"]
    config = parse_config(PostNetConfig, ["--config", args.config, "--set", *args.set, *places])
    print(table(rotate(config, args.variants)))


if __name__ == "__main__":
    run_script(main)
