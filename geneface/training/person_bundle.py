"""A trained person as a bundle: half precision, a card with the held-out figures, a preview picture."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from geneface.bundles.card import Card, Figure
from geneface.bundles.index import COMPONENTS, OPTIONAL
from geneface.bundles.loading import save_components, trained_component
from geneface.errors import InputError
from geneface.hub.persons import PERSONS_DIR
from geneface.media.image import write_image
from geneface.pipelines.pipeline import GeneFacePipeline
from geneface.resources import resource
from geneface.training.run import Stage, TrainingFolder
from geneface.utils.files import put_in_place
from geneface.utils.units import FPS
from geneface.utils.words import duration

GENERIC_BUNDLE = PERSONS_DIR / "generic"
PREVIEW_SPEECH = resource("examples/audio/welcome.mp3")
PREVIEW_FRAME = 12
REGIONS = {"full": "full frame", "head": "head", "mouth": "mouth"}
PARTS = {"test": "test part", "dev": "dev part"}


def write_bundle(
    folder: TrainingFolder, places: dict[str, Path], card: Card, device: str | torch.device = "cpu"
) -> None:
    """Make the bundle in the work folder, try it, and give it its name.

    Args:
        places: Folder of each component.
        card: What is known of the person.
        device: Where the preview is rendered.
    """
    target, made = folder.bundle, folder.made
    parts = {name: trained_component(places[name]) for name in COMPONENTS + OPTIONAL if name in places}
    # A link must lead to a bundle beside the person's.
    shared = [name for name in parts if places[name].resolve().parent == GENERIC_BUNDLE.resolve()]
    beside = target.absolute().parent.resolve() == GENERIC_BUNDLE.resolve().parent
    links = dict.fromkeys(shared, "../generic") if beside else {}
    save_components(made, parts, links=links, dtypes=dict.fromkeys(parts, torch.float16), card=card)
    pipe = GeneFacePipeline(**parts).to(device)
    pipe.set_progress_bar_config(disable=True)
    stream = pipe.stream(PREVIEW_SPEECH, generator=torch.Generator().manual_seed(0), temperature=0.0, pose="still")
    for chunk in stream:
        if chunk.start + len(chunk.frames) > PREVIEW_FRAME:
            write_image(made / "preview.png", chunk.frames[PREVIEW_FRAME - chunk.start])
            break
    if target.exists():
        raise InputError(f"{target} has come to be while it was trained; move it away, and go on with --resume")
    target.parent.mkdir(parents=True, exist_ok=True)
    put_in_place(made, target)


def describe(
    name: str,
    consent: str,
    manifest: Mapping[str, Any],
    renderer: Mapping[str, Mapping[str, float]],
    post_net: Mapping[str, Any],
) -> Card:
    """The card of a person, from the dataset's manifest and the reports of both trainings."""
    frames, synthetic = int(manifest["frames"]), bool(manifest.get("synthetic"))
    figures: dict[str, Figure | str] = {
        f"PSNR, {region} ({part})": Figure(renderer[split][key], "dB")
        for split, part in PARTS.items()
        for key, region in REGIONS.items()
        if key in renderer.get(split, {})
    }
    driven = post_net.get("dev", {})
    if (r := driven.get("temperature_1", {}).get("r")) is not None:
        figures["r of the mouth opening from speech alone (dev part, temperature 1)"] = Figure(r, digits=2)
    if (error := driven.get("temperature_0", {}).get("lm3d_error_mm")) is not None:
        figures["error of the landmarks from speech alone (dev part)"] = Figure(error, "mm", 2)
    return Card(
        name=name,
        about="A synthetic person of GeneFace." if synthetic else "",
        consent=consent,
        training_data=(
            f"{duration(frames / FPS)} of {'synthetic ' * synthetic}video of one person ({frames} frames at {FPS} a "
            "second), with its sound. The first eight tenths trained; the choice among the post-net's steps was made "
            "on the next tenth (dev part); no part of the training saw the last tenth (test part). The PSNR is driven "
            "by tracked landmarks."
        ),
        figures=figures,
    )


def keep_logs(folder: TrainingFolder, stages: Iterable[Stage]) -> Path | None:
    """Move what a tracker wrote, if one did, beside the bundle."""
    logs = {stage: folder.of_stage(stage) / "logs" for stage in stages}
    logs = {stage: place for stage, place in logs.items() if place.is_dir()}
    if not logs:
        return None
    kept = folder.bundle.with_name(f"{folder.bundle.name}.logs")
    for stage, place in logs.items():
        shutil.rmtree(kept / stage, ignore_errors=True)
        kept.mkdir(exist_ok=True)
        shutil.move(place, kept / stage)
    return kept
