"""The table of the ablations: what was measured, beside what the paper says, and where the two disagree."""

from typing import Any

import numpy as np

from research.ablation_rows import PUBLISHED, ROWS, MotionRow, RendererRow

Found = dict[str, dict[int, dict[str, Any]]]
"""Figures by row and seed."""

MOTION_FIGURES = {
    "corpus_error_mm": "corpus: LM3D error, mm",
    "corpus_energy_mm": "corpus: energy score, mm",
    "corpus_r": "corpus: r",
    "corpus_spread": "corpus: spread",
    "person_error_mm": "in-domain: LM3D error, mm",
    "person_lmd_px": "in-domain: LMD of projected landmarks, px",
    "person_r": "in-domain: r",
    "person_sync": "in-domain: sync-expert",
    "ood_sync": "OOD: sync-expert",
    "ood_silence": "OOD: opening in silence",
    "ood_spread": "OOD: spread",
    "ood_jitter_mm": "OOD: jitter in silence, mm",
}
RENDERER_FIGURES = {
    f"{driver}_{region}": f"PSNR {region}, by {words}, dB"
    for driver, words in (("tracked", "tracked landmarks"), ("audio", "sound"))
    for region in ("full", "head", "mouth")
}
COMPARED = {
    "l2": (("corpus_error_mm", "person_error_mm"), True),
    "lmd": (("person_lmd_px",), True),
    "sync": (("person_sync",), False),
    "sync_ood": (("ood_sync",), False),
}
"""The paper's figures: which of ours are nearest to each, and whether lower is better."""
EMPTY = "–"
NOTES = """\
Mean ± standard deviation over seeds; r is Pearson's, of the mouth opening.

Corpus: unseen speakers of the corpora's `test` split; LM3D error, r and spread at temperature 0, energy score of ten
draws at temperature 1. In-domain: the test part of the person's video, at temperature 0. LMD is of landmarks projected
with the tracked head pose, not of landmarks detected in rendered frames.

OOD (out-of-domain): other voices, which have no reference, so only what needs none, at temperature 1 and without the
silence gate of the pipeline. Opening in silence is a share of the 90th percentile (aim: under 0.1); spread is against
the person's own speech (near 0: a mean face). Sync-expert is this project's, not SyncNet: the highest mean cosine over
offsets minus their median.

Log-mel features and the regression are trained without the sync-expert, for it knows HuBERT's features alone, and the
regression has the plain mean squared error: compare the former with "w/o sync-expert".

PSNR is of held-out frames (measures.md, Images), with the tracked head pose. By sound: the landmarks, but not the
eyes, are made from the test part's sound by the shipped motion generator and a post-net of the person.

Empty cells: FID and SyncNet's confidence need weights that this project does not have. Audio drives AD-NeRF, so it has
no PSNR by tracked landmarks; its LMD and synchrony need landmarks detected in its frames: `geneface evaluate` on
`videos/`. Other cells were not measured, for lack of device time, corpora or recordings.
"""


def markdown(found: Found) -> str:
    """The tables of motion and of renderers, a column for each method, with notes and sentences."""
    parts = ["# Ablations (Tables 1, 3 and 5)\n"]
    for title, kind, figures in (
        ("Motion", MotionRow, MOTION_FIGURES),
        ("Renderers", RendererRow, RENDERER_FIGURES),
    ):
        if names := [name for name, row in ROWS.items() if isinstance(row, kind) and name in found]:
            parts.append(f"## {title}\n\n" + "\n".join(_table(names, found, figures, kind is MotionRow)) + "\n")
    if sentences := orders(found):
        parts.append("## Against the paper\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) + "\n")
    return "\n".join([*parts, "## Notes\n", NOTES])


def _table(names: list[str], found: Found, figures: dict[str, str], with_real: bool) -> list[str]:
    real = ["real motion"] if with_real else []
    lines = [_line(["", *real, *(ROWS[name].title for name in names)]), _line(["---"] * (1 + len(real) + len(names)))]
    lines.append(_line(["seeds", *("" for _ in real), *(str(len(found[name])) for name in names)]))
    for key, words in figures.items():
        columns = [_real(found)] * len(real) + [list(found[name].values()) for name in names]
        lines.append(_line([words, *(_cell([seed[key] for seed in seeds if key in seed]) for seeds in columns)]))
    blank = [EMPTY] * (len(real) + len(names))
    lines += [_line([words, *blank]) for words in ("FID", "SyncNet")]
    for key, words in PUBLISHED.items():
        cells = [str(ROWS[name].published.get(key, EMPTY)) for name in names]
        lines.append(_line([f"*published:* {words}", *(EMPTY for _ in real), *cells]))
    return lines


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _real(found: Found) -> list[dict[str, Any]]:
    """Figures of the person's recording: the same for every row, up to the scale of the generic domain."""
    rows = [seeds for name, seeds in found.items() if isinstance(ROWS[name], MotionRow)]
    return [figures["recording"] for figures in rows[0].values()] if rows else []


def _cell(values: list[float]) -> str:
    if not values:
        return EMPTY
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def orders(found: Found) -> list[str]:
    """A sentence for each row and figure: is the method of the paper better here, too, and clearly?"""
    sentences = []
    for name in found:
        row = ROWS[name]
        if name == "geneface" or not isinstance(row, MotionRow) or "geneface" not in found:
            continue
        for published, (measured, lower) in COMPARED.items():
            if published not in row.published:
                continue
            theirs, best = row.published[published], ROWS["geneface"].published[published]
            for key in measured:
                ours, own = ([seed[key] for seed in found[of].values() if key in seed] for of in ("geneface", name))
                if not ours or not own:
                    continue
                gap = (np.mean(own) - np.mean(ours)) * (1 if lower else -1)
                doubt = sum(np.var(side, ddof=1) if len(side) > 1 else 0.0 for side in (ours, own)) ** 0.5
                verdict = "the same order" if gap > 0 else "the OTHER order"
                if abs(gap) <= doubt:
                    verdict += ", but within the spread of the seeds"
                sentences.append(
                    f"{row.title}, {MOTION_FIGURES[key]}: {np.mean(own):.3f} against GeneFace's {np.mean(ours):.3f}; "
                    f"the paper's {PUBLISHED[published]} are {theirs} and {best}: {verdict}."
                )
    return sentences
