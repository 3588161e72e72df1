"""SyncNet v2 (Chung & Zisserman 2016), from weights that the user has converted (docs/evaluation.md).

Its face crops, windows and distances are those of github.com/joonson/syncnet_python.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from geneface.bundles.component import load_strict, read_tensors
from geneface.errors import InputError
from geneface.evaluation.mfcc import mfcc

SIDE, FEATURES = 224, 1024
WINDOW = 5
"""Pictures of a window, of 20 cepstra."""
CEPSTRA = 4
"""Of a picture's time."""
SMOOTHED = 13
"""Frames of the median filter over the face's place."""
MARGIN, GREY = 0.4, 110
"""How much wider than the face its crop is, and what lies beyond the picture."""
BATCH = 16

Kernel = tuple[int, int] | tuple[int, int, int]


def _step(inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    """A convolution over a window's cepstra, or over each picture of a window."""
    if len(kernel) == 2:
        return [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs), nn.ReLU()]
    flat = nn.Conv3d(inputs, outputs, kernel, (1, stride, stride), (0, padding, padding))
    return [flat, nn.BatchNorm3d(outputs), nn.ReLU()]


def _pool(padding: int = 0) -> nn.Module:
    return nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, padding, padding))


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, FEATURES))


class SyncNet(nn.Module):
    """Its tensors are named as those of `syncnet_v2.model`."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_step(1, 64, (3, 3), padding=1),
            nn.Identity(),
            *_step(64, 192, (3, 3), padding=1),
            nn.MaxPool2d(3, (1, 2)),
            *_step(192, 384, (3, 3), padding=1),
            *_step(384, 256, (3, 3), padding=1),
            *_step(256, 256, (3, 3), padding=1),
            nn.MaxPool2d(3, 2),
            *_step(256, 512, (5, 4)),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_step(3, 96, (5, 7, 7), 2),
            _pool(),
            *_step(96, 256, (1, 5, 5), 2, 1),
            _pool(1),
            *_step(256, 256, (1, 3, 3), padding=1),
            *_step(256, 256, (1, 3, 3), padding=1),
            *_step(256, 256, (1, 3, 3), padding=1),
            _pool(),
            *_step(256, 512, (1, 6, 6)),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """`InputError` that says how to make the file if it is not here, or is another one."""
        if not path.is_file():
            raise InputError(f"needs {path}, made from SyncNet v2's weights (docs/evaluation.md says how)")
        network = cls().eval()
        # Older files lack these counters, which are for training alone.
        counters = {name: value for name, value in network.state_dict().items() if name.endswith("_tracked")}
        try:
            load_strict(network, counters | read_tensors(path, "weights"), path)
        except InputError:
            raise InputError(
                f"{path} does not hold SyncNet v2's weights; make it as docs/evaluation.md says"
            ) from None
        return network

    @torch.no_grad()
    def embed_faces(self, crops: Iterable[np.ndarray]) -> torch.Tensor:
        """uint8 RGB [224, 224, 3], T of them -> [T - 4, 1024]"""
        embedded, held = [torch.empty(0, FEATURES)], []
        for crop in crops:
            held.append(crop)
            if len(held) == BATCH + WINDOW - 1:
                embedded.append(self._embed_windows(held))
                held = held[BATCH:]
        if len(held) >= WINDOW:
            embedded.append(self._embed_windows(held))
        return torch.cat(embedded)

    def _embed_windows(self, crops: list[np.ndarray]) -> torch.Tensor:
        # It was trained on pictures as OpenCV reads them: BGR, 0 to 255.
        pictures = torch.from_numpy(np.stack(crops)[..., ::-1].copy()).float()
        windows = pictures.unfold(0, WINDOW, 1).permute(0, 3, 4, 1, 2)
        return self.netfclip(self.netcnnlip(windows).flatten(1))

    @torch.no_grad()
    def embed_voice(self, sound: np.ndarray) -> torch.Tensor:
        """float32 [640 T] at 16 kHz, within -1 .. 1 -> [T - 5, 1024]: the last window would have 19 cepstra."""
        whole = np.clip(np.round(sound * 32768.0), -32768, 32767)
        windows = torch.from_numpy(mfcc(whole).T).float().unfold(1, CEPSTRA * WINDOW, CEPSTRA)
        parts = windows.transpose(0, 1)[:, None].split(20 * BATCH)
        return torch.cat([self.netfcaud(self.netcnnaud(part).flatten(1)) for part in parts])

    def distances(
        self, pictures: Iterable[np.ndarray], points: np.ndarray, sound: np.ndarray, reach: int
    ) -> np.ndarray:
        """[T, 2 reach + 1] of each frame and the voice -reach .. reach frames before it.

        NaN near the ends, and in clips under half a second.

        Args:
            pictures: T of them, uint8 RGB [H, W, 3].
            points: [T, N, 2 or more] of the face, pixels.
            sound: [640 T] float32 at 16 kHz.
        """
        found = np.full((len(points), 2 * reach + 1), np.nan)
        if len(points) < SMOOTHED:
            return found
        faces, voice = self.embed_faces(face_crops(pictures, points)), self.embed_voice(sound)
        count = min(len(faces), len(voice))
        found[WINDOW // 2 : WINDOW // 2 + count] = window_distances(faces[:count], voice[:count], reach).numpy()
        return found


def window_distances(faces: torch.Tensor, voice: torch.Tensor, reach: int) -> torch.Tensor:
    """[N, E] and [N, E] -> [N, 2 reach + 1]: of face n and the voice of n - late, for late = -reach .. reach.

    Beyond the ends the voice is zero, as in the original; its "AV offset" is the late one of the least mean distance:
    positive where the picture comes after its sound.
    """
    padded = functional.pad(voice, (0, 0, reach, reach))
    shifts = range(2 * reach, -1, -1)
    columns = [functional.pairwise_distance(faces, padded[first : first + len(faces)]) for first in shifts]
    return torch.stack(columns, dim=1)


def face_crops(pictures: Iterable[np.ndarray], points: np.ndarray) -> Iterator[np.ndarray]:
    """uint8 RGB [224, 224, 3] around the box of a face's points [T, N, 2 or more], with more below than above."""
    from scipy.signal import medfilt

    low, high = points[..., :2].min(axis=1), points[..., :2].max(axis=1)
    radii = medfilt((high - low).max(axis=1).astype(np.float64) / 2, SMOOTHED)
    columns, rows = (medfilt(middle, SMOOTHED) for middle in ((low + high) / 2).astype(np.float64).T)
    for picture, radius, column, row in zip(pictures, radii, columns, rows, strict=True):
        border = int(radius * (1 + 2 * MARGIN))
        wide = np.pad(picture, ((border, border), (border, border), (0, 0)), constant_values=GREY)
        x, y = column + border, row + border
        side = radius * (1 + MARGIN)
        crop = wide[int(y - radius) : int(y + radius * (1 + 2 * MARGIN)), int(x - side) : int(x + side)]
        # Not PIL, which smooths when it makes a picture smaller; OpenCV's resize does not.
        planes = torch.from_numpy(crop).movedim(-1, 0)[None].float()
        yield functional.interpolate(planes, (SIDE, SIDE), mode="bilinear")[0].round().byte().movedim(0, -1).numpy()
