import json
from pathlib import Path

import torch
from flat_person import FRAMES, SHORT_TRAINING, write_flat_person
from safetensors.torch import load_file, save_file
from tiny import TINY_RENDERER

from geneface.renderers.ad_nerf import AudioDrivenFastRenderer
from geneface.training.renderers import fast as script
from geneface.training.renderers.fast import RendererConfig


def test_the_mouth_follows_the_sound(tmp_path: Path):
    """Trained on features that tell the opening among others that do not."""
    write_flat_person(tmp_path)
    opening = -load_file(tmp_path / "tracks.safetensors")["lm3d"][:, 66, 1]
    features = torch.randn(FRAMES, 2, 6, generator=torch.Generator().manual_seed(0))
    features[..., 0] = 3 * opening[:, None]
    save_file({"features": features.flatten(0, 1)}, tmp_path / "features.safetensors")
    settings = {"_class_name": "AudioDrivenFastRenderer", **TINY_RENDERER, "audio_features": 6, "head_aware": False}
    (tmp_path / "renderer.json").write_text(json.dumps(settings))
    model = script.train(
        RendererConfig(
            output_dir=str(tmp_path / "run"),
            dataset=str(tmp_path),
            renderer=str(tmp_path / "renderer.json"),
            **SHORT_TRAINING | {"steps": 450},
        )
    )
    renderer = AudioDrivenFastRenderer.from_pretrained(model)
    order = opening[: int(0.8 * FRAMES)].argsort()
    windows = renderer.windows(features)
    dark = []
    with torch.no_grad():
        for t in (int(order[-1]), int(order[0])):
            picture = renderer(windows[[t]], renderer.scene.reference_pose[None]).rgb[0]
            dark.append(int((picture[0, 20:50, 20:44] < 0.4).sum()))
    assert dark[0] > dark[1] + 10, dark
