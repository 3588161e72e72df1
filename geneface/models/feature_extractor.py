"""Speech to features: a transformers HuBERT."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from geneface.bundle import (
    load_strict,
    read_tensors,
    refuse_pickles,
    register,
    weights_name,
    write_tensors,
)
from geneface.errors import InputError
from geneface.files import read_json, write_json
from geneface.models.features import MARGIN, AudioFeatures
from geneface.units import SAMPLES_PER_FRAME, SAMPLING_RATE


class FeatureExtractor(AudioFeatures):
    """HuBERT (Sec. 3.1) in transformers' own format, so that the folder of any HuBERT serves as a component.

    `config` holds the settings of `transformers.HubertConfig`. `normalise` scales each window to zero mean and
    unit variance, as `do_normalize` in a `preprocessor_config.json` asks; without it the level of the sound
    stays known, which tells silence from speech. `config` may hold an `identity` (see `AudioFeatures`), too.
    """

    model_type = "hubert"

    def __init__(self, config: dict[str, Any], normalise: bool = False):
        from transformers import HubertConfig, HubertModel

        super().__init__()
        if config.get("model_type", self.model_type) != self.model_type:
            raise ValueError(f"a {config['model_type']} is not a hubert")
        self.identity = str(config.get("identity", ""))
        own = ("model_type", "dtype", "identity")
        hubert_config = HubertConfig(**{name: value for name, value in config.items() if name not in own})
        hop = int(np.prod(hubert_config.conv_stride))
        if 2 * hop != SAMPLES_PER_FRAME or _receptive_field(hubert_config) != hop + 2 * MARGIN:
            raise ValueError("its convolutions do not give 50 features a second, each of 400 samples")
        self.normalise = normalise
        self.feature_size = hubert_config.hidden_size
        self.model = HubertModel(hubert_config)

    def scale(self, samples: torch.Tensor) -> torch.Tensor:
        """[..., N] as the network wants it."""
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
        from huggingface_hub.errors import StrictDataclassError

        folder = Path(folder)
        refuse_pickles(folder)
        config = read_json(folder / "config.json")
        preprocessor = folder / "preprocessor_config.json"
        normalise = bool(read_json(preprocessor).get("do_normalize")) if preprocessor.exists() else False
        try:
            extractor = cls(config, normalise)
        except (TypeError, ValueError, KeyError, RuntimeError, AttributeError, StrictDataclassError) as error:
            raise InputError(f"{folder / 'config.json'} does not describe a usable HuBERT: {error}") from None
        path = folder / weights_name(variant)
        tensors = _as_saved_now(read_tensors(path))
        if (unused := "masked_spec_embed") not in tensors and hasattr(extractor.model, unused):
            tensors[unused] = extractor.model.state_dict()[unused]
        load_strict(extractor.model, tensors, path)
        return extractor.eval()


register(FeatureExtractor.__name__, FeatureExtractor)


def _receptive_field(config: Any) -> int:
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def _as_saved_now(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
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
