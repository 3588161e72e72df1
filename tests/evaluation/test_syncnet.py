"""SyncNet with weights of no meaning: what the original's code gives, and its rows in the table."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation.drawn_faces import BlueMouthDetector, drawn_tools, opening_curve, write_face
from safetensors.torch import save_file

from geneface.cli import main
from geneface.errors import InputError
from geneface.evaluation.evaluate import evaluate
from geneface.evaluation.measures import similarity
from geneface.evaluation.mfcc import mfcc
from geneface.evaluation.syncnet import SyncNet, face_crops, window_distances
from geneface.hub import assets

FRAMES = 26


def syncnet_weights() -> dict[str, torch.Tensor]:
    """Without the counters, as in older files."""
    rng, tensors = np.random.RandomState(0), {}
    for name, tensor in SyncNet().state_dict().items():
        if name.endswith("_tracked"):
            continue
        if tensor.ndim > 1:
            values = rng.normal(size=tensor.shape) * (2 / tensor[0].numel()) ** 0.5
        else:
            values = rng.uniform(0.5, 1.5, tensor.shape) - (0 if name.endswith(("weight", "var")) else 1)
        tensors[name] = torch.from_numpy(values).float()
    return tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference and a method, and the weights as an assets folder has them."""
    folder = tmp_path_factory.mktemp("syncnet")
    sound = (0.1 * np.random.default_rng(0).normal(size=FRAMES * 640)).astype(np.float32)
    write_face(folder / "real.mp4", opening_curve(FRAMES), sound, side=128)
    write_face(folder / "late.mp4", np.roll(opening_curve(FRAMES), 3), sound, side=128)
    write_face(folder / "silent.mp4", opening_curve(FRAMES), side=128)
    save_file(syncnet_weights(), folder / "syncnet_v2.safetensors")
    return folder


def test_cepstra_are_those_of_python_speech_features() -> None:
    n = np.arange(3200)
    tones = 8000 * np.sin(2 * np.pi * 440 * n / 16000) + 3000 * np.sin(2 * np.pi * 2500 * n / 16000)
    found = mfcc(np.round(tones))
    assert found.shape == (19, 13)
    # python_speech_features 0.6; the last window has 80 samples of padding
    expected = [
        [20.69528, 10.01396, -16.00011, 25.54163, -13.92151, -61.22751, -10.04365],
        [20.46325, 5.47868, -14.91469, 19.84754, -18.05993, -61.5653, -9.99907],
    ]
    np.testing.assert_allclose(found[[3, -1], :7], expected, atol=1e-4)
    assert found.sum() == pytest.approx(-384.36853, abs=1e-3)
    assert np.isfinite(mfcc(np.zeros(3200))).all() and mfcc(np.zeros(1)).shape == (1, 13)


def test_embeddings_are_those_of_the_original_network(folder: Path) -> None:
    network = SyncNet.load(folder / "syncnet_v2.safetensors")
    rows, columns = np.mgrid[:224, :224]
    crops = [
        np.stack([127 + 100 * np.sin(rows / 7 + t), columns, 127 + 90 * np.cos(columns / 9 - t)], -1).astype(np.uint8)
        for t in range(22)
    ]
    faces = network.embed_faces(crops)
    assert faces.shape == (18, 1024)
    voice = network.embed_voice((0.3 * np.sin(np.arange(8 * 640) ** 1.3 / 50)).astype(np.float32))
    assert voice.shape == (3, 1024)
    places = [0, 7, 500, 1023]
    # syncnet_python's network with these weights, fed with BGR from 0 to 255 and its own cepstra
    np.testing.assert_allclose(faces[17][places], [-172.1119, 954.7718, 1819.9983, -901.1279], rtol=1e-4)
    np.testing.assert_allclose(voice[2][places], [-133.6502, -139.5140, -32.1077, 133.9747], rtol=1e-4)


def test_a_picture_three_frames_late_has_the_offset_three() -> None:
    voice = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 8))).float()
    for late in (3, 0, -3):
        faces = torch.roll(voice, late, 0)
        distances = window_distances(faces, voice, 15)
        assert distances.shape == (60, 31)
        score = similarity(-distances.numpy())
        assert score.offset == late
        mean = distances.mean(0)
        assert score.confidence == pytest.approx(float(mean.median() - mean.min())) and score.confidence > 1
    # Beyond the ends the voice is zero.
    assert distances[0, -1] == pytest.approx(float(faces[0].norm()), abs=1e-4)


def test_the_crop_is_wider_than_the_face_and_lower() -> None:
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[..., 0], picture[..., 1] = np.arange(400)[:, None] // 2, np.arange(400) // 2
    points = np.repeat([[[150, 100], [250, 260], [190, 130]]], 15, axis=0).astype(np.float32)
    points[7] += 60
    crops = list(face_crops([picture] * 15, points))
    assert all(crop.shape == (224, 224, 3) and crop.dtype == np.uint8 for crop in crops)
    # Radius 80 around (200, 180): rows 100 to 324, columns 88 to 312, which is 224 pixels.
    assert (crops[7] == picture[100:324, 88:312]).all()
    # Beyond the picture it is grey: columns 308 to 532.
    edge = list(face_crops([picture] * 15, points + np.array((220, 0))))[7]
    assert (edge[:, :92] == picture[100:324, 308:]).all() and (edge[:, 92:] == 110).all()


def test_clips_too_short_to_be_smoothed_have_no_distances() -> None:
    pictures, points, sound = np.zeros((6, 64, 64, 3), np.uint8), np.ones((6, 5, 2)), np.zeros(6 * 640, np.float32)
    found = SyncNet().eval().distances(pictures, points, sound, 15)
    assert found.shape == (6, 31) and np.isnan(found).all()


def test_a_wrong_file_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs .*syncnet_v2\.safetensors, .*docs/evaluation\.md"):
        SyncNet.load(tmp_path / "syncnet_v2.safetensors")
    tensors = syncnet_weights()
    del tensors["netfclip.3.bias"]
    save_file(tensors, tmp_path / "syncnet_v2.safetensors")
    with pytest.raises(InputError, match="does not hold SyncNet v2's weights"):
        SyncNet.load(tmp_path / "syncnet_v2.safetensors")
    (tmp_path / "syncnet_v2.safetensors").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(InputError, match="does not hold SyncNet v2's weights"):
        SyncNet.load(tmp_path / "syncnet_v2.safetensors")


def test_the_command_has_its_rows_if_the_weights_are_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def only_landmarker(asset: object, folder: object) -> Path:
        if asset is assets.FACE_LANDMARKER:
            return Path("landmarker")
        raise InputError("needs the asset")

    monkeypatch.setattr("geneface.hub.assets.get_asset", only_landmarker)
    monkeypatch.setattr("geneface.evaluation.tools.LandmarkDetector", lambda path: BlueMouthDetector())
    monkeypatch.setattr("geneface.hub.persons.PERSONS_DIR", tmp_path)
    videos = [str(folder / "real.mp4"), str(folder / "late.mp4")]
    assert main(["evaluate", *videos, "--json", "--assets", str(folder)]) == 0
    found = json.loads(capsys.readouterr().out)
    for row in ("reference", "late"):
        figures = found["overall"][row]
        assert figures["syncnet_confidence"]["low"] <= figures["syncnet_confidence"]["high"]
        assert figures["syncnet_confidence"]["mean"] > 0 and abs(figures["syncnet_offset"]["mean"]) <= 15
    assert not {"syncnet_confidence", "syncnet_offset"} & found["missing"].keys()
    assert main(["evaluate", *videos, "--assets", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    for title in ("SyncNet, confidence", "SyncNet, offset (frames)"):
        assert f"{title}: needs {tmp_path / 'syncnet_v2.safetensors'}, made" in printed


def test_without_sound_it_hears_the_references(folder: Path) -> None:
    class Network:
        heard = 0

        def distances(self, pictures: object, points: np.ndarray, sound: np.ndarray, reach: int) -> np.ndarray:
            self.heard += len(sound)
            return np.random.default_rng(0).uniform(size=(len(points), 2 * reach + 1))

    network = Network()
    tools = replace(drawn_tools(), syncnet=network, missing={})
    found = evaluate(folder / "real.mp4", folder / "silent.mp4", tools=tools)
    assert network.heard == 2 * FRAMES * 640
    assert any("synchrony is that with the reference's" in note for note in found.notes)
    silent = evaluate(folder / "silent.mp4", folder / "silent.mp4", tools=tools)
    assert silent.missing["syncnet_offset"] == "needs sound"
