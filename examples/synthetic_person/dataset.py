"""Writes a performance as a person dataset (`geneface.datasets.person`), with exact tracks."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from PIL import Image
from safetensors.torch import save_file
from tqdm import tqdm

from geneface import __version__
from geneface.bundles.index import FORMAT_VERSION
from geneface.datasets.person import split_range
from geneface.face.solid import head_volume
from geneface.media.image import in_rows
from geneface.media.video import VideoReader, VideoWriter
from geneface.preprocessing.torso import torso_flow
from geneface.utils.files import atomic_folder
from geneface.utils.units import FPS, SAMPLES_PER_FRAME, SAMPLING_RATE

from .actor import Performance
from .camera import SIZE, intrinsics, project
from .film import Picture
from .renderer import Renderer

SHEET_FRAMES, SHEET_COLUMNS = 24, 6


def write_dataset(
    folder: Path, renderer: Renderer, performance: Performance, samples: np.ndarray, settings: dict[str, object]
) -> None:
    """Render all frames of `performance` and write the dataset, whole or not at all.

    `samples` [N] is the speech at 16 kHz; what goes beyond the frames is cut off.
    """
    frames = len(performance.expression)
    chosen = set(np.linspace(0, frames - 1, min(frames, SHEET_FRAMES)).astype(int).tolist())
    sheet, masks = [], []
    with atomic_folder(folder) as partial:
        with VideoWriter(partial / "frames.mp4", (SIZE, SIZE), crf=12) as video:
            for t in tqdm(range(frames), unit="frame"):
                picture = _draw(renderer, performance, t)
                video.write(picture.rgb[None])
                masks.append(picture.mask)
                if t in chosen:
                    sheet.append(picture.rgb[::2, ::2])
        empty = renderer.draw(performance.expression[0], performance.head[0], performance.torso[0], person=False)
        Image.fromarray(empty.rgb).save(partial / "background.png")
        Image.fromarray(in_rows(sheet, SHEET_COLUMNS)).save(partial / "contact_sheet.png")
        save_file({"masks": torch.from_numpy(np.stack(masks))}, partial / "masks.safetensors")
        tracks = _tracks(renderer, performance) | _torso(partial / "frames.mp4", np.stack(masks))
        save_file(tracks, partial / "tracks.safetensors")
        speech = samples[: frames * SAMPLES_PER_FRAME]
        soundfile.write(partial / "audio.flac", speech, SAMPLING_RATE, subtype="PCM_16")
        splits = {name: split_range(frames, name) for name in ("train", "dev", "test")}
        manifest = {
            "source": "examples/synthetic_person",
            "synthetic": True,
            "version": FORMAT_VERSION,
            "fps": FPS,
            "size": SIZE,
            "frames": frames,
            "splits": {name: [part.start, part.stop] for name, part in splits.items()},
            "masks": "128 x 128, majority of 4 x 4 pixels: 0 background, 1 head, 2 torso",
            "geneface_version": __version__,
            "settings": settings,
        }
        (partial / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _draw(renderer: Renderer, performance: Performance, t: int) -> Picture:
    return renderer.draw(performance.expression[t], performance.head[t], performance.torso[t])


def _tracks(renderer: Renderer, performance: Performance) -> dict[str, torch.Tensor]:
    model = renderer.mesh.model
    identity = torch.from_numpy(renderer.mesh.identity)
    expression = torch.from_numpy(performance.expression)
    lm3d = model.lm3d(expression, identity)
    points = (lm3d + model.mean_landmarks).numpy()
    landmarks = np.stack([project(points[t], performance.head[t]) for t in range(len(points))])
    return {
        "lm3d": lm3d,
        "landmarks_2d": torch.from_numpy(landmarks).float(),
        "pose": torch.from_numpy(performance.head),
        "intrinsics": torch.from_numpy(intrinsics()).float(),
        "expression": expression,
        "identity": identity,
        "blink": torch.from_numpy(performance.blink),
        "mean_landmarks": model.mean_landmarks,
        "solid": head_volume(model, identity, expression.mean(0)),
    }


def _torso(video: Path, masks: np.ndarray) -> dict[str, torch.Tensor]:
    def pictures() -> Iterator[np.ndarray]:
        with VideoReader(video) as reader:
            yield from reader

    return torso_flow(pictures, masks, split_range(len(masks), "train").stop // 2)
