"""A face model of 80 vertices, a corpus of five short clips, a person, and tiny models, on disk."""

import json
import wave
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tiny import TINY_HUBERT

from geneface.datasets.corpus import Clip, write_clips
from geneface.face.articulation import EXPRESSION_NAMES, INDEX
from geneface.face.face_model import FaceModel
from geneface.models.feature_extractor import FeatureExtractor

MODELS = {
    "sync_expert": {"layers": 3, "channels": 16},
    "motion_generator": {
        "channels": 16,
        "kernel_size": 3,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "latent_channels": 4,
        "flow_layers": 2,
        "flow_channels": 8,
    },
    "post_net": {"layers": 2, "channels": 16},
    "discriminator": {"layers": 3, "channels": 16},
}


def write_face_model(path: Path) -> FaceModel:
    """Its jaw opens the mouth; its other expressions move every point a little."""
    rng = np.random.default_rng(0)
    mean = np.zeros((80, 3), np.float32)
    mean[:68] = rng.normal(0, 3, (68, 3))
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        mean[lower] = mean[upper] - np.array([0, 0.08, 0])
    basis = 0.05 * rng.standard_normal((57, 80, 3)).astype(np.float32)
    jaw = INDEX["jawOpen"]
    basis[:, 60:68] = 0
    basis[jaw] = 0
    basis[jaw, [65, 66, 67, 57, 8]] = (0, -2.5, -0.5)
    tensors = {
        "mean": torch.from_numpy(mean),
        "identity_basis": torch.from_numpy(0.1 * rng.standard_normal((5, 80, 3)).astype(np.float32)),
        "expression_basis": torch.from_numpy(basis),
        "landmarks_68": torch.arange(68, dtype=torch.int32),
        "faces": torch.zeros(1, 4, dtype=torch.int32),
        "uv": torch.zeros(1, 2),
        "uv_faces": torch.zeros(1, 4, dtype=torch.int32),
    }
    save_file(tensors, path, metadata={"expression_names": json.dumps(list(EXPRESSION_NAMES))})
    return FaceModel.load(path)


def speak(frames: int, face: FaceModel, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tone whose loudness is the opening of the mouth: samples [640 T], LM3D [T, 68, 3]."""
    time = np.arange(frames) / 25
    jaw = np.clip(np.sin(2 * np.pi * rng.uniform(1, 3) * time + rng.uniform(0, 6)), 0, 1).astype(np.float32)
    expression = np.zeros((frames, 57), np.float32)
    expression[:, INDEX["jawOpen"]] = 0.4 * jaw
    loudness = np.interp(np.arange(640 * frames) / 640, np.arange(frames) + 0.5, jaw)
    samples = 0.5 * loudness * np.sin(2 * np.pi * 220 / 16000 * np.arange(640 * frames))
    return samples.astype(np.float32), face.lm3d(torch.from_numpy(expression)).numpy()


def write_wave(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def write_corpus(folder: Path, face: FaceModel) -> Path:
    rng = np.random.default_rng(1)
    (folder / "audio").mkdir(parents=True)
    (folder / "tracks").mkdir()
    clips = []
    for number, (tracked, split) in enumerate(
        [(True, "train"), (True, "train"), (True, "dev"), (False, "train"), (False, "dev")]
    ):
        frames = 76 if number else 30  # the first one is shorter than a training window
        samples, lm3d = speak(frames, face, rng)
        write_wave(folder / f"audio/{number}.wav", samples)
        known: dict = {"phones": [("sil", 0.0, 0.5), ("a", 0.5, 1.2), ("m", 1.2, 1.4), ("a", 1.4, 2.5)]}
        if tracked:
            save_file({"lm3d": torch.from_numpy(lm3d).half()}, folder / f"tracks/{number}.safetensors")
            known = {"lm3d": f"tracks/{number}.safetensors"}
        clip = Clip(str(number), f"audio/{number}.wav", frames / 25, f"s{number}", source="x", split=split, **known)
        clips.append(clip)
    write_clips(folder, clips)
    return folder


def write_person(folder: Path, face: FaceModel) -> Path:
    folder.mkdir()
    samples, lm3d = speak(150, face, np.random.default_rng(2))
    lm3d = lm3d + np.random.default_rng(3).normal(0, 0.3, (68, 3)) * (np.arange(68) < 60)[:, None]
    write_wave(folder / "audio.flac", samples)
    save_file({"lm3d": torch.from_numpy(lm3d.astype(np.float32))}, folder / "tracks.safetensors")
    return folder


def write_everything(folder: Path) -> dict[str, str]:
    """-> paths by the names of the settings, `model` files included."""
    face = write_face_model(folder / "face.safetensors")
    write_corpus(folder / "corpus", face)
    write_person(folder / "person", face)
    torch.manual_seed(0)
    FeatureExtractor(TINY_HUBERT).save_pretrained(folder / "feature_extractor")
    for name, config in MODELS.items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    return {
        "face_model": str(folder / "face.safetensors"),
        "corpus": str(folder / "corpus"),
        "dataset": str(folder / "person"),
        "feature_extractor": str(folder / "feature_extractor"),
    }
