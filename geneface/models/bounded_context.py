"""A HuBERT that hears a bounded stretch of sound around each feature, so that parts of a recording equal the whole.

Nothing is added to its tensors: the attention of each layer is a band, its positional convolution looks back alone,
and the level of the sound is taken from what was heard lately.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from transformers import HubertModel

ATTENTION = "geneface_banded"
FLOOR = 3e-5
"""Root mean square of the differences of neighbouring samples under which sound is not made louder any more: about
-75 dB of full scale for speech."""
LOUDNESS = 0.1
"""Root mean square of the scaled sound."""


def band(query: torch.Tensor, left: int, right: int) -> torch.Tensor:
    """[heads, T, T] to add to the logits of `query` [B, heads, T, C]: minus infinity outside of the band.

    Within it each head prefers near features, by a slope of its own (ALiBi: Press et al. 2022).
    """
    heads, steps = query.shape[1:3]
    place = torch.arange(steps, device=query.device)
    distance = place[None, :] - place[:, None]
    slopes = 4.0 ** -torch.arange(heads, device=query.device)
    bias = -slopes[:, None, None] * distance.abs()
    return bias.masked_fill((distance < -left) | (distance > right), -torch.inf).to(query.dtype)


def banded_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers; `module.context` is (left, right)."""
    bias = band(query, *module.context)  # type: ignore[misc]
    found = functional.scaled_dot_product_attention(query, key, value, bias, dropout, scale=scaling)
    return found.transpose(1, 2).contiguous(), None


class Shorten(nn.Module):
    """[B, C, T + surplus] -> [B, C, T]: what a convolution padded on both sides has too much at its end."""

    def __init__(self, surplus: int):
        super().__init__()
        self.surplus = surplus

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., : x.shape[-1] - self.surplus]


def bound_context(model: "HubertModel", contexts: list[list[int]]) -> None:
    """Make a model hear (left, right) features in the attention of each layer, and nothing beyond.

    Raises `ValueError` if there is not one pair for each layer, or it has group normalisation, which hears all.
    """
    from transformers import AttentionInterface

    config = model.config
    if len(contexts) != config.num_hidden_layers or config.feat_extract_norm != "layer":
        raise ValueError("attention_context wants (left, right) for each layer, and feat_extract_norm 'layer'")
    AttentionInterface.register(ATTENTION, banded_attention)
    config._attn_implementation = ATTENTION
    encoder: Any = model.encoder  # Its modules get what their types do not know.
    for layer, context in zip(encoder.layers, contexts, strict=True):
        layer.attention.context = tuple(context)
    surplus = config.num_conv_pos_embeddings - 1
    encoder.pos_conv_embed.conv.padding = (surplus,)
    encoder.pos_conv_embed.padding = Shorten(surplus)


def level_sound(samples: torch.Tensor, hop: int, heard: int) -> torch.Tensor:
    """[B, N] samples as loud as other speech is, whatever their level and a constant or slow offset.

    The differences of neighbouring samples, which leave no offset and next to no hum, are divided by their level over
    the last `heard` blocks of `hop` samples, the block itself among them; a loud moment counts for more than a quiet
    one. Blocks end where the features' windows end: N is a multiple of `hop` and what the windows overlap.
    """
    sound = samples.float()
    sound = functional.pad(sound.diff(dim=-1), (1, 0))
    blocks = sound.shape[-1] // hop
    first = sound.shape[-1] - blocks * hop
    energy = sound[..., first:].unflatten(-1, (blocks, hop)).square().mean(dim=-1)
    total = functional.pad(energy.square().cumsum(dim=-1, dtype=torch.float64), (heard, 0))
    total = total[..., heard:] - total[..., :-heard]
    count = torch.arange(1, blocks + 1, device=samples.device).clamp(max=heard)
    level = (total.clamp_min(0) / count).sqrt().sqrt().to(sound.dtype)
    gain = LOUDNESS / (level + FLOOR)
    before = torch.cat([gain[..., :1], gain[..., :-1]], dim=-1)
    ramp = (torch.arange(hop, device=samples.device) + 1) / hop
    curve = torch.lerp(before[..., None], gain[..., None], ramp.to(sound.dtype)).flatten(-2)
    curve = torch.cat([gain[..., :1].expand(*gain.shape[:-1], first), curve], dim=-1)
    return (sound * curve).to(samples.dtype)
