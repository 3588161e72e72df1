"""A person dataset: a video of one person, tracked and segmented, in a folder.

manifest.json          source, fps, size, version, settings
frames.mp4             512 x 512, 25 frames/s, visually lossless
audio.flac             16 kHz mono
tracks.safetensors     lm3d [T, 68, 3], landmarks_2d [T, 68, 2], pose [T, 3, 4], intrinsics [3, 3], blink [T],
                       expression [T, N_e], identity [N_i], torso_flow [T, 16, 16, 2], torso_weight [T, 16, 16]
masks.safetensors      masks [T, 128, 128] uint8: 0 background, 1 head, 2 torso
background.png         the scene without the person
features.safetensors   features [2T, D]: HuBERT's, of the embedded extractor
contact_sheet.png      all of it on one page, to look at
"""

import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from geneface.bundles.component import read_tensors
from geneface.errors import InputError
from geneface.face.ibug68 import LEFT_EYE, MOUTH_BOTTOM, MOUTH_CORNERS, MOUTH_TOP, RIGHT_EYE
from geneface.face.parsing import BACKGROUND, HEAD, TORSO
from geneface.media.image import read_image
from geneface.media.video import VideoReader
from geneface.utils.files import read_json

__all__ = ["BACKGROUND", "HEAD", "TORSO", "PersonDataset", "split_range", "split_ranges"]

BLOCKS = 5
"""Of the rotation in which each part of a short clip is once the test part (docs/measures.md, Splits)."""


def split_range(frames: int, split: str) -> range:
    """The frames of a split: the first 80% train, the next 10% dev, the last 10% test."""
    first, second = int(frames * 0.8), int(frames * 0.9)
    return {"train": range(first), "dev": range(first, second), "test": range(second, frames)}[split]


def turned_order(pose: torch.Tensor) -> np.ndarray:
    """Frame numbers of poses [T, 3, 4] by their mean angle to all others', the most usual first."""
    rotations = pose[:, :, :3].double().flatten(1)
    cosines = ((rotations @ rotations.T - 1) / 2).clamp(-1, 1)
    order: np.ndarray = torch.arccos(cosines).mean(1).argsort(stable=True).numpy()
    return order


def split_ranges(frames: int, split: str, block: int | None = None) -> list[range]:
    """The frames of a split as runs in order; with `block` (0 to 4), that fifth of the video is the test part.

    The first half of the block after it, or of the first one after the last, is then the dev part.
    """
    if block is None:
        return [split_range(frames, split)]
    if not 0 <= block < BLOCKS:
        raise InputError(f"block is {block}; the blocks of a rotation are 0 to {BLOCKS - 1}")
    borders = [frames * index // BLOCKS for index in range(BLOCKS + 1)]
    after = (block + 1) % BLOCKS
    held_out = {
        "dev": range(borders[after], (borders[after] + borders[after + 1]) // 2),
        "test": range(borders[block], borders[block + 1]),
    }
    if split != "train":
        return [held_out[split]]
    first, second = sorted(held_out.values(), key=lambda part: part.start)
    parts = [range(first.start), range(first.stop, second.start), range(second.stop, frames)]
    return [part for part in parts if part]


class PersonDataset:
    """Tracks in memory, frames decoded once into a temporary file and mapped from there.

    Args:
        hold_out: What the dev and the test part are: "end" of the video, or its frames with the head most "turned"
            (docs/measures.md, Splits).
    """

    def __init__(self, folder: str | Path, hold_out: str = "end"):
        self.folder, self.hold_out = Path(folder), hold_out
        self.manifest = read_json(self.folder / "manifest.json", "dataset")
        self.tracks = read_tensors(self.folder / "tracks.safetensors", "dataset")
        self.masks = read_tensors(self.folder / "masks.safetensors", "dataset")["masks"]
        for name in ("lm3d", "landmarks_2d", "pose", "intrinsics", "blink"):
            self.track(name)
        self.background = torch.from_numpy(read_image(self.folder / "background.png").copy()).permute(2, 0, 1)
        self._frames: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.tracks["lm3d"])

    @property
    def train(self) -> Sequence[int]:
        """The frames that may be learned from."""
        return self.split("train")

    def split(self, name: str) -> Sequence[int]:
        """The frames of a split, in order."""
        part = split_range(len(self), name)
        if self.hold_out == "end":
            return part
        return sorted(turned_order(self.tracks["pose"])[part.start : part.stop].tolist())

    @property
    def frames(self) -> np.ndarray:
        """[T, H, W, 3] uint8, mapped from a temporary file."""
        if self._frames is None:
            # The unlinked file lives as long as the mapping does.
            with VideoReader(self.folder / "frames.mp4") as reader, tempfile.TemporaryFile() as file:
                shape = (len(self), reader.height, reader.width, 3)
                frames = np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
                count = 0
                for frame in islice(reader, len(self)):
                    frames[count] = frame
                    count += 1
            if count < len(self):
                raise InputError(f"{self.folder / 'frames.mp4'} has {count} frames where the tracks have {len(self)}")
            self._frames = frames
        return self._frames

    def track(self, name: str) -> torch.Tensor:
        """A track by name, float32 [T, ...]; `features` are [T, 2, D]."""
        if name == "features":
            found = read_tensors(self.folder / "features.safetensors", "dataset")["features"].float()
            return found[: 2 * len(self)].unflatten(0, (len(self), 2))
        if name not in self.tracks:
            raise InputError(f"{self.folder / 'tracks.safetensors'} lacks {name!r}; preprocess the video again")
        return self.tracks[name].float()

    def mouth_boxes(self, margin: int = 12) -> torch.Tensor:
        """[T, 4] (left, top, right, bottom) in pixels: the outer lips and `margin` (docs/measures.md, Images)."""
        return self._boxes([*MOUTH_CORNERS, MOUTH_TOP, MOUTH_BOTTOM], margin)

    def eye_boxes(self, margin: int = 8) -> torch.Tensor:
        """[T, 2, 4], as `mouth_boxes`, of each eye with its lids."""
        return torch.stack([self._boxes(eye, margin) for eye in (RIGHT_EYE, LEFT_EYE)], dim=1)

    def _boxes(self, points: Sequence[int] | slice, margin: int) -> torch.Tensor:
        landmarks = self.tracks["landmarks_2d"][:, points]
        low = (landmarks.amin(1) - margin).floor()
        high = (landmarks.amax(1) + margin).ceil()
        return torch.cat([low, high], dim=1).long().clamp_min(0)
