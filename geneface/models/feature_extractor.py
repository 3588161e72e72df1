"""Speech to features: a transformers HuBERT."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import torch

from geneface.bundles.component import load_checked, register, write_tensors
from geneface.bundles.index import refuse_pickles, weights_name
from geneface.models.bounded_context import bound_context, level_sound
from geneface.models.features import MARGIN, AudioFeatures
from geneface.utils.config import KERNEL, LAYERS, SHARE, WIDTH, Range, check_number, check_values
from geneface.utils.files import read_json, write_json
from geneface.utils.units import SAMPLES_PER_FRAME, SAMPLING_RATE

if TYPE_CHECKING:
    from transformers import HubertConfig

T = TypeVar("T")
RANGES: dict[str, Range] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": (1, 64),
    "intermediate_size": (1, 16384),
    "conv_dim": (1, 1024),
    "conv_kernel": KERNEL,
    "conv_stride": KERNEL,
    "num_feat_extract_layers": KERNEL,
    "num_conv_pos_embeddings": (1, 1024),
    "num_conv_pos_embedding_groups": (1, 1024),
    "attention_context": (0, 4096),
    "level_features": (0, 1000),
    "layer_norm_eps": (0, 1),
    "initializer_range": SHARE,
    "mask_time_prob": SHARE,
    "mask_feature_prob": SHARE,
    "mask_time_length": (0, 1000),
    "mask_feature_length": (0, 1000),
    "mask_time_min_masks": (0, 1000),
    "mask_feature_min_masks": (0, 1000),
    "hidden_dropout": SHARE,
    "activation_dropout": SHARE,
    "attention_dropout": SHARE,
    "feat_proj_dropout": SHARE,
    "final_dropout": SHARE,
    "layerdrop": SHARE,
}
WORDS = ("hidden_act", "feat_extract_norm", "feat_extract_activation")
SWITCHES = (
    "conv_bias",
    "conv_pos_batch_norm",
    "do_stable_layer_norm",
    "feat_proj_layer_norm",
    "apply_spec_augment",
)
"""What makes a HuBERT of transformers. Other settings are of decoding, or have kernels fetched: they are left out."""


class FeatureExtractor(AudioFeatures):
    """HuBERT (Sec. 3.1) in transformers' own format, so that the folder of any HuBERT serves as a component.

    `config` holds the settings of `transformers.HubertConfig`. `normalise` scales each window to zero mean and
    unit variance, as `do_normalize` in a `preprocessor_config.json` asks; without it the level of the sound
    stays known, which tells silence from speech.

    Settings of this project's own in `config`, beside those of transformers:
        attention_context: (left, right) features that each layer's attention hears; see `bound_context`.
        level_features: Features whose sound tells the level, which is then taken out; see `level_sound`.
        identity: See `AudioFeatures`.
    """

    model_type = "hubert"

    def __init__(self, config: Mapping[str, object], normalise: bool = False):
        from transformers import HubertConfig, HubertModel

        super().__init__()
        if config.get("model_type", self.model_type) != self.model_type:
            raise ValueError(f"a {config['model_type']} is not a hubert")
        self.identity = str(config.get("identity", ""))
        hubert_config = HubertConfig(**_settings(config))
        hop = int(np.prod(hubert_config.conv_stride))
        if 2 * hop != SAMPLES_PER_FRAME or _receptive_field(hubert_config) != hop + 2 * MARGIN:
            raise ValueError("its convolutions do not give 50 features a second, each of 400 samples")
        self.normalise = normalise
        self.hop = hop
        self.feature_size = hubert_config.hidden_size
        self.level_features: int = getattr(hubert_config, "level_features", 0)
        self.model = HubertModel(hubert_config)
        contexts: list[list[int]] | None = getattr(hubert_config, "attention_context", None)
        self.bounded = contexts is not None
        if contexts is not None:
            self.block_frames = 1
            bound_context(self.model, contexts)
            left, right = (sum(side) for side in zip(*contexts, strict=True))
            left += hubert_config.num_conv_pos_embeddings - 1 + self.level_features
            # A frame's second feature hears the furthest ahead, its first the furthest back.
            self.lookahead_frames, self.context_frames = (right + 2) // 2, (left + 1) // 2

    def scale(self, samples: torch.Tensor) -> torch.Tensor:
        """[..., N] as the network wants it."""
        if self.level_features:
            return level_sound(samples, self.hop, self.level_features)
        if not self.normalise:
            return samples
        variance, mean = torch.var_mean(samples, dim=-1, correction=0, keepdim=True)
        return (samples - mean) / torch.sqrt(variance + 1e-7)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """[B, 640T + 80] samples at 16 kHz, the margins included -> [B, 2T, feature_size]."""
        return self.model(self.scale(samples)).last_hidden_state

    def save_pretrained(
        self, folder: str | Path, *, dtype: torch.dtype | None = None, variant: str | None = None
    ) -> None:
        """Write what `transformers.HubertModel.from_pretrained` reads; `dtype` casts the weights on disk."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config = self.model.config.to_diff_dict()
        if self.identity:
            config["identity"] = self.identity
        saved_dtype = str(dtype or self.dtype).removeprefix("torch.")
        write_json(folder / "config.json", {**config, "architectures": ["HubertModel"], "dtype": saved_dtype})
        write_json(
            folder / "preprocessor_config.json",
            {
                "do_normalize": self.normalise,
                "feature_extractor_type": "Wav2Vec2FeatureExtractor",
                "feature_size": 1,
                "padding_value": 0.0,
                "return_attention_mask": True,
                "sampling_rate": SAMPLING_RATE,
            },
        )
        write_tensors(folder / weights_name(variant), self.model.state_dict(), dtype)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, variant: str | None = None) -> Self:
        """Load the folder of any HuBERT strictly; its CTC head, if it has one, is left out.

        Returns the extractor on the CPU, in float32 and in eval mode.
        Raises `InputError` for a missing, damaged or mismatched file, and for pickled weights.
        """
        folder = Path(folder)
        refuse_pickles(folder)
        config = read_json(folder / "config.json")
        preprocessor = folder / "preprocessor_config.json"
        normalise = bool(read_json(preprocessor).get("do_normalize")) if preprocessor.exists() else False

        return load_checked(
            lambda: cls(config, normalise),
            folder,
            variant,
            "usable HuBERT",
            _as_saved_now,
            lambda extractor: extractor.model,
            "masked_spec_embed",
        ).eval()


register(FeatureExtractor.__name__, FeatureExtractor)


def _receptive_field(config: "HubertConfig") -> int:
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def _settings(config: Mapping[str, object]) -> dict[str, Any]:
    """What of a file makes the network; `ValueError` for what is out of its range."""
    settings = {name: config[name] for name in (*RANGES, *WORDS, *SWITCHES) if config.get(name) is not None}
    for name, value in settings.items():
        if name in SWITCHES:
            if type(value) is not bool:
                raise ValueError(f"{name} must be true or false")
        elif name in WORDS:
            if type(value) is not str or len(value) > 100:
                raise ValueError(f"{name} must be a word")
        elif isinstance(value, list | tuple):
            check_values(name, value, RANGES[name])
        else:
            check_number(name, value, RANGES[name])
    return settings


def _as_saved_now(tensors: Mapping[str, T]) -> dict[str, T]:
    """Drop a CTC head and its prefix, and give weight norm the names that today's PyTorch has for it."""
    renamed = {}
    for name, tensor in tensors.items():
        if name.startswith("lm_head."):
            continue
        name = name.removeprefix("hubert.")
        name = name.replace("conv.weight_g", "conv.parametrizations.weight.original0")
        name = name.replace("conv.weight_v", "conv.parametrizations.weight.original1")
        renamed[name] = tensor
    return renamed
