"""Tiny real components, of which tests make pipelines and bundles."""

from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
TINY_HUBERT = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "feat_extract_norm": "layer",
    "conv_bias": True,
    "do_stable_layer_norm": True,
}
TINY_RENDERER = {
    "size": 64,
    "grid": 16,
    "samples": 4,
    "plane_size": 16,
    "plane_channels": 4,
    "warp_size": 4,
    "hidden": 8,
    "features": 8,
    "texture_size": 16,
    "components": 4,
    "pose_frames": 10,
}


def tiny_components() -> dict:
    """Untrained components of a few thousand weights whose output nevertheless depends on every input."""
    from geneface.models.feature_extractor import FeatureExtractor
    from geneface.models.motion_generator import MotionGenerator
    from geneface.models.post_net import PostNet
    from geneface.renderers.fast import FastRenderer

    torch.manual_seed(0)
    renderer = FastRenderer(**TINY_RENDERER)
    lm3d, pose = 0.3 * torch.randn(20, 68, 3), renderer.scene.pose_track[:1].repeat(20, 1, 1)
    pose[:, 0, 3] = torch.linspace(-2, 2, 20)
    renderer.condition.fit(lm3d, torch.ones(68))
    blink = torch.linspace(0, 1, 20)
    background = torch.arange(3 * 64 * 64, dtype=torch.uint8).view(3, 64, 64)
    renderer.scene.fit(lm3d, pose, blink, renderer.scene.intrinsics.clone(), background)
    torch.nn.init.normal_(renderer.warp, std=0.05)
    motion_generator = MotionGenerator(
        feature_size=16, channels=8, encoder_layers=2, decoder_layers=2, flow_layers=2, flow_channels=8
    )
    components = {
        "feature_extractor": FeatureExtractor(TINY_HUBERT),
        "motion_generator": motion_generator,
        "post_net": PostNet(layers=2, channels=8),
        "renderer": renderer,
    }
    return {name: component.eval() for name, component in components.items()}
