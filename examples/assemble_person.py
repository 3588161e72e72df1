"""Put trained components together: the shared generic bundle and one person's bundle beside it.

    python examples/assemble_person.py --runs runs --name vera --audio examples/audio/welcome.mp3

reads RUNS/{feature_extractor,motion_generator,phoneme_head,mouth_judge,sync_expert}/model and
RUNS/NAME/{post_net,renderer}/model, and writes examples/persons/generic and examples/persons/NAME with a preview
picture. Weights are stored in half precision.
"""

import argparse
from pathlib import Path

import torch

from geneface.bundles.loading import save_components, trained_component
from geneface.hub.persons import PERSONS_DIR
from geneface.media.image import write_image
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.utils.files import atomic_folder

GENERIC = ("feature_extractor", "motion_generator", "phoneme_head", "mouth_judge", "sync_expert")
TRAINING_ONLY = ("mouth_judge", "sync_expert")
PERSON = ("post_net", "renderer")
PREVIEW_FRAME = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--name", required=True)
    parser.add_argument("--audio", required=True, help="speech whose beginning gives the preview picture")
    args = parser.parse_args()

    parts = {name: trained_component(args.runs / name / "model") for name in GENERIC}
    own = {name: trained_component(args.runs / args.name / name / "model") for name in PERSON}
    cards = {
        card: card.read_text(encoding="utf-8")
        for folder in ("generic", args.name)
        for name in ("README.md", "card.json")
        if (card := PERSONS_DIR / folder / name).exists()
    }
    with atomic_folder(PERSONS_DIR / "generic") as folder:
        for name in GENERIC:
            parts[name].save_pretrained(folder / name, dtype=torch.float16)
    for name in TRAINING_ONLY:
        del parts[name]
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
