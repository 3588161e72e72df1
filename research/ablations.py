"""The paper's Tables 3 and 5, and its baseline AD-NeRF: trains what is missing and fills the table.

    python -m research.ablations --dataset DIR --corpora DIR ... -o OUT [--recordings FILE ...]
        [--rows NAME ...] [--seeds 0 1 2] [--steps N] [--renderer-steps N] [--device cuda]

OUT gets `table.md`, `table.json`, `rows/NAME_SEED.json` and `trained/NAME_SEED/`. What is there already is kept, and
the table is written again after every row; so several processes may make different rows of one OUT at the same time.
"""

import argparse
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import torch

from geneface.errors import InputError, run_script
from geneface.utils.files import read_json, write_json, write_text
from research.ablation_motion import MotionRows, Plan
from research.ablation_renderers import RendererRows
from research.ablation_rows import DEFAULT, ROWS, MotionRow
from research.ablation_table import Found, markdown


def results(output: Path) -> Found:
    """What `rows/` holds, in the order of the table."""
    found: Found = {}
    for name in ROWS:
        for path in sorted((output / "rows").glob(f"{name}_[0-9]*.json")):
            found.setdefault(name, {})[int(path.stem.rpartition("_")[2])] = read_json(path, "run")
    return found


def write_table(output: Path) -> str:
    """Write `table.md` and `table.json` of what `rows/` holds; returns the former."""
    found = results(output)
    table = markdown(found)
    published = {name: {"title": ROWS[name].title, "published": ROWS[name].published} for name in found}
    rows = {name: {**published[name], "seeds": seeds} for name, seeds in found.items()}
    write_text(output / "table.md", table)
    write_json(output / "table.json", {"rows": rows})
    return table


def ablate(plan: Plan, names: Sequence[str], seeds: Sequence[int]) -> str:
    """Make the rows that are missing, motion with every seed, renderers with the first; returns the table.

    Raises `InputError` for an unknown row, and for a motion row without corpora.
    """
    if unknown := [name for name in names if name not in ROWS]:
        raise InputError(f"unknown row {unknown[0]!r}; known are {', '.join(ROWS)}")
    (plan.output / "rows").mkdir(parents=True, exist_ok=True)
    # Only what is asked for is loaded: a row that is there already needs nothing.
    motion, renderers = cache(lambda: MotionRows(plan)), cache(lambda: RendererRows(plan))
    # Seed by seed, so that a table that is stopped early has all its rows.
    for seed, name in product(seeds, names):
        of_motion = isinstance(ROWS[name], MotionRow)
        note = plan.output / "rows" / f"{name}_{seed}.json"
        if note.is_file() or not (of_motion or seed == seeds[0]):
            continue
        if of_motion and not plan.corpora:
            raise InputError(f"the row {name} needs --corpora: folders with clips to train its generator on")
        write_json(note, (motion() if of_motion else renderers()).figures(name, seed))
        write_table(plan.output)
    return write_table(plan.output)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, help="a person dataset")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", default=[], metavar="DIR", help="clips to train motion generators on")
    parser.add_argument("--recordings", nargs="*", type=Path, default=[], help="voices that are not the person's")
    parser.add_argument("--rows", nargs="*", default=list(DEFAULT), metavar="NAME", help=" ".join(ROWS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="renderers take the first alone")
    parser.add_argument("--steps", type=int, help="of each motion generator")
    parser.add_argument("--renderer-steps", type=int)
    parser.add_argument("--rotate", action="store_true", help="in-domain: each fifth of the video held out in turn")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    places = ("face_model", "feature_extractor", "sync_expert", "motion", "post_net", "renderer", "nerf")
    for name in places:
        default = getattr(Plan, name)
        parser.add_argument(f"--{name.replace('_', '-')}", default=default, metavar="PATH", help=f"default: {default}")
    args = vars(parser.parse_args(argv))
    names, seeds = args.pop("rows"), args.pop("seeds")
    print(ablate(Plan(**args), names, seeds))


if __name__ == "__main__":
    run_script(main)
