"""Put trained components together: the shared generic bundle and one person's bundle beside it.

    python examples/assemble_person.py --runs runs --name vera --audio examples/audio/welcome.mp3

reads RUNS/{feature_extractor,motion_generator,sync_expert}/model, the feature extractor's phoneme_head beside its
model, RUNS/NAME/{post_net,renderer}/model, and writes examples/persons/generic and examples/persons/NAME with a
preview picture. Weights are stored in half precision.
"""

import argparse
from pathlib import Path

import torch

from geneface.bundles.loading import save_components
from geneface.hub.persons import PERSONS_DIR
from geneface.media.image import write_image
from geneface.models.feature_extractor import FeatureExtractor
from geneface.models.motion_generator import MotionGenerator
from geneface.models.phoneme_head import PhonemeHead
from geneface.models.post_net import PostNet
from geneface.models.sync_expert import SyncExpert
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.renderers.fast import FastRenderer
from geneface.utils.files import atomic_folder

GENERIC = {"feature_extractor": FeatureExtractor, "motion_generator": MotionGenerator, "sync_expert": SyncExpert}
PERSON = {"post_net": PostNet, "renderer": FastRenderer}
PREVIEW_FRAME = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--name", required=True)
    parser.add_argument("--audio", required=True, help="speech whose beginning gives the preview picture")
    args = parser.parse_args()

    parts = {name: kind.from_pretrained(args.runs / name / "model") for name, kind in GENERIC.items()}
    own = {name: kind.from_pretrained(args.runs / args.name / name / "model") for name, kind in PERSON.items()}
    cards = {
        card: card.read_text(encoding="utf-8")
        for folder in ("generic", args.name)
        for name in ("README.md", "card.json")
        if (card := PERSONS_DIR / folder / name).exists()
    }
    with atomic_folder(PERSONS_DIR / "generic") as folder:
        for name in GENERIC:
            parts[name].save_pretrained(folder / name, dtype=torch.float16)
        head = PhonemeHead.from_pretrained(args.runs / "feature_extractor/phoneme_head")
        head.save_pretrained(folder / "phoneme_head", dtype=torch.float16)
    del parts["sync_expert"]  # used in training only
    parts["phoneme_head"] = head
    links = dict.fromkeys(parts, "../generic")
    parts |= own
    save_components(PERSONS_DIR / args.name, parts, links=links, dtypes=dict.fromkeys(parts, torch.float16))
    for card, text in cards.items():
        card.write_text(text, encoding="utf-8")

    pipe = GeneFacePipeline.from_pretrained(PERSONS_DIR / args.name)
    stream = pipe.stream(args.audio, generator=torch.Generator().manual_seed(0), temperature=0.0, pose="still")
    for chunk in stream:
        if chunk.start + len(chunk.frames) > PREVIEW_FRAME:
            write_image(PERSONS_DIR / args.name / "preview.png", chunk.frames[-1])
            break


if __name__ == "__main__":
    main()
