"""The fast renderer on people's clips: every dataset a row, held out at the end and where the head turns most.

    python -m research.real_persons DATASET... -o OUT [--set steps=1500 window=64]

OUT gets the trained renderers, with held-out frames beside the real ones, `figures.json` and `figures.md`; what is in
`figures.json` is not trained again. `noise` is a renderer that begins as noise and learns warp and pose by itself, as
those of older bundles; `start` begins as many heads of nobody.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from geneface.errors import run_script
from geneface.resources import resource
from geneface.training.loop import parse_config
from geneface.training.renderers.fast import RendererConfig, train
from geneface.utils.files import read_json, write_json, write_text

VARIANTS = {"noise": {"renderer": "hub_configs/embedded/renderer.json"}, "start": {"renderer": ""}}
HOLD_OUTS = ("end", "turned")
REGIONS = ("head", "mouth", "full")
Figures = dict[str, dict[str, dict[str, float]]]
"""Of dev and test, by row."""


def table(found: Figures, split: str) -> str:
    """Markdown: PSNR in dB of each region."""
    lines = [
        "| " + " | ".join(["clip", "held out", "begins as", *REGIONS]) + " |",
        "| --- " * (3 + len(REGIONS)) + "|",
    ]
    for row, figures in sorted(found.items()):
        cells = [f"{figures[split][region]:.1f}" for region in REGIONS]
        lines.append("| " + " | ".join([*row.split("/"), *cells]) + " |")
    return "\n".join(lines) + "\n"


def measure(
    datasets: Sequence[Path], output: Path, settings: Sequence[str], variants: Sequence[str], hold_outs: Sequence[str]
) -> Figures:
    """Train what is missing; the tables are written after each."""
    output.mkdir(parents=True, exist_ok=True)
    base = read_json(resource("hub_configs/train/person.json"), "settings")["fast"]
    note = output / "figures.json"
    found: Figures = read_json(note, "run") if note.exists() else {}
    for dataset in datasets:
        for hold_out in hold_outs:
            for variant in variants:
                row = f"{dataset.name}/{hold_out}/{variant}"
                if row in found:
                    continue
                place = {"dataset": str(dataset), "output_dir": str(output / row), "hold_out": hold_out}
                write_json(output / "settings.json", {**base, **place, **VARIANTS[variant]})
                config = parse_config(RendererConfig, ["--config", str(output / "settings.json"), "--set", *settings])
                found[row] = read_json(train(config).with_name("report.json"), "run")
                write_json(note, found)
                write_text(output / "figures.md", "\n".join(f"{s}\n\n{table(found, s)}" for s in ("dev", "test")))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+", type=Path, help="of geneface preprocess")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the training")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--hold-out", nargs="+", choices=HOLD_OUTS, default=list(HOLD_OUTS))
    args = parser.parse_args(argv)
    print(json.dumps(measure(args.datasets, args.output, args.set, args.variants, args.hold_out), indent=2))


if __name__ == "__main__":
    run_script(main)
