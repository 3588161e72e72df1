"""The phoneme head, fitted to features that are finished, on speakers that are not held out."""

from dataclasses import replace
from pathlib import Path

import torch
from motion_corpus import write_everything

from geneface.datasets.corpus import Corpus, write_clips
from geneface.models.phoneme_head import BILABIALS, PhonemeHead
from geneface.training import phoneme_head
from geneface.training.phoneme_head import PhonemeHeadConfig, chosen_clips, is_held_out
from geneface.utils.files import read_json


def test_a_head_is_fitted_and_reported(tmp_path: Path) -> None:
    paths = write_everything(tmp_path)
    corpus = Corpus(paths["corpus"])
    known = [
        replace(clip, speaker=f"speaker{number}", lm3d="", phones=[], phonemes=["m", "a"], split="train")
        for number, clip in enumerate(corpus.clips)
    ]
    for number, clip in enumerate(known):
        if number == 0:
            known[0] = replace(
                clip, speaker=next(f"x{n}" for n in range(500) if is_held_out(replace(clip, speaker=f"x{n}")))
            )
        elif is_held_out(clip):
            known[number] = replace(clip, speaker="speaker")
    write_clips(corpus.folder, known)
    config = PhonemeHeadConfig(
        str(tmp_path / "head"), steps=3, batch_size=2, feature_extractor=str(paths["feature_extractor"]),
        corpora=[str(paths["corpus"])], channels=8, reach=1, cpu=True, prefetch=1,
    )  # fmt: skip
    chosen = chosen_clips(config)
    assert chosen and known[0].name not in [clip.name for _, clip in chosen], "held out"
    head = PhonemeHead.from_pretrained(phoneme_head.train(config))
    assert (head.reach, head.ctc.in_features) == (1, 8)
    assert read_json(tmp_path / "head/report.json")["dev"]["phonemes"] == 2


@torch.no_grad()
def test_f_and_v_do_not_close_wholly() -> None:
    head = PhonemeHead(4)
    head.ctc.weight.zero_()
    head.ctc.bias.zero_()
    head.ctc.bias[BILABIALS] = 20
    assert (head.closures(torch.zeros(3, 4)) == 1).all()
    head.ctc.bias[BILABIALS] = 0
    head.ctc.bias[phoneme_head.INDEX["f"]] = 20
    assert ((head.closures(torch.zeros(3, 4)) - 0.5).abs() < 1e-3).all()
