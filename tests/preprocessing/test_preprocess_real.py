"""A real video becomes a person dataset within the bounds of the issue."""

import time
from pathlib import Path

import numpy as np
import pytest

from geneface import metrics
from geneface.bundles.component import read_tensors
from geneface.datasets.person import HEAD, TORSO, PersonDataset
from geneface.face.face_model import FaceModel
from geneface.media.audio import load_audio
from geneface.media.video import VideoReader
from geneface.preprocessing.preprocess import preprocess
from geneface.utils.files import read_json


@pytest.mark.real_data
@pytest.mark.slow
def test_german_20s(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    pytest.importorskip("ai_edge_litert")
    video = shared / "data/person/german_20s.mp4"
    started = time.perf_counter()
    folder = preprocess(video, tmp_path / "german", assets_folder=shared / "models")
    elapsed = time.perf_counter() - started
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "frames.mp4",
        "audio.flac",
        "tracks.safetensors",
        "masks.safetensors",
        "background.png",
        "features.safetensors",
        "contact_sheet.png",
    }
    data = PersonDataset(folder)
    tracks = data.tracks
    assert len(data) == 500 and tracks["lm3d"].shape == (500, 68, 3) and tracks["expression"].shape == (500, 57)
    with VideoReader(video) as source:
        assert all((a == b).all() for a, b in zip(source, data.frames, strict=True)), "the source's own pixels"
    assert len(load_audio(folder / "audio.flac")) == 320000
    assert read_tensors(folder / "features.safetensors")["features"].shape == (1000, 256)

    face = FaceModel.load(shared / "models/ict_face_model.safetensors")
    shape = tracks["lm3d"] + face.mean_landmarks
    camera = shape @ tracks["pose"][:, :, :3].mT + tracks["pose"][:, None, :, 3]
    pixels = camera[..., :2] / camera[..., 2:] * tracks["intrinsics"][0, 0] + 256
    assert metrics.reprojection_error(tracks["landmarks_2d"][:, 17:].numpy(), pixels[:, 17:].numpy()) < 4, "no offset"
    heads, torsos = (data.masks == HEAD).float().mean(), (data.masks == TORSO).float().mean()
    assert 0.2 < heads < 0.4 and 0.1 < torsos < 0.3
    points = (tracks["landmarks_2d"][:, 27:68] / 4).long()
    on_head = data.masks[np.arange(500)[:, None], points[..., 1], points[..., 0]] == HEAD
    assert on_head.float().mean() > 0.99
    assert float(tracks["blink"].max()) > 0.9 and tracks["blink"].median() < 0.1
    figures = read_json(folder / "manifest.json")["figures"]
    assert figures["blinks"] == 2 and figures["fit_error"] < 1.5 and figures["lost"] == 0
    assert preprocess(video, folder, assets_folder=shared / "models") == folder
    print(f"{elapsed:.0f} s")
    assert elapsed < 150, "75 s on two free cores"
