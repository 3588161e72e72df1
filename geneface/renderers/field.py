"""The implicit function F of vanilla NeRF with a condition (Eq. 6 and 9)."""

import torch
import torch.nn.functional as F
from torch import nn

POSITION_OCTAVES, VIEW_OCTAVES = 10, 4
COLOUR_LAYERS = 3


def positional_encoding(values: torch.Tensor, octaves: int) -> torch.Tensor:
    """Values, and the sines and cosines of 1, 2, 4, ... times them: [..., D] -> [..., D * (1 + 2 * octaves)]."""
    scales = 2.0 ** torch.arange(octaves, device=values.device, dtype=values.dtype)
    angles = (values.unsqueeze(-1) * scales).flatten(-2)
    return torch.cat([values, angles.sin(), angles.cos()], dim=-1)


def encoder(inputs: int, hidden: int, layers: int) -> nn.Sequential:
    """Fully connected layers, ReLU between them: the landmark and head-colour encoders of Table 4."""
    parts: list[nn.Module] = [nn.Linear(inputs, hidden)]
    for _ in range(layers - 1):
        parts += [nn.ReLU(), nn.Linear(hidden, hidden)]
    return nn.Sequential(*parts)


class RadianceField(nn.Module):
    """Colour and density of points, seen from a direction, under a condition.

    The layers of density are `hidden` wide and see the position and the condition at the first and again past the
    middle one; the last three, half as wide, see the viewing direction too and give the colour.

    Args:
        condition: Numbers of the condition.
        layers: Of both kinds together, at least 6.
    """

    def __init__(self, condition: int, layers: int, hidden: int):
        super().__init__()
        density_layers = layers - COLOUR_LAYERS
        if density_layers < 3:
            raise ValueError(f"a radiance field needs at least {COLOUR_LAYERS + 3} layers, not {layers}")
        self.again = density_layers // 2 + 1
        position, view = 3 * (1 + 2 * POSITION_OCTAVES), 3 * (1 + 2 * VIEW_OCTAVES)
        # A matrix for each kind of input equals one for all of them joined; what a ray's samples share costs once.
        self.position_in = nn.Linear(position, hidden)
        self.condition_in = nn.Linear(condition, hidden, bias=False)
        self.position_again = nn.Linear(position, hidden, bias=False)
        self.condition_again = nn.Linear(condition, hidden, bias=False)
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(density_layers - 1))
        self.density_out = nn.Linear(hidden, 1)
        self.colour_in = nn.Linear(hidden, hidden // 2)
        self.view_in = nn.Linear(view, hidden // 2, bias=False)
        self.colour_layers = nn.ModuleList(nn.Linear(hidden // 2, hidden // 2) for _ in range(COLOUR_LAYERS - 1))
        self.colour_out = nn.Linear(hidden // 2, 3)

    def forward(
        self, points: torch.Tensor, views: torch.Tensor, condition: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Colours [B, R, S, 3] in [0, 1] and densities [B, R, S] per cm, in float32.

        Args:
            points: [B, R, S, 3] in [-1, 1], float32.
            views: [B, R, 3] of length 1, float32.
            condition: [B, R, C], or [B, 1, C] for all rays of a frame.
        """
        dtype = self.position_in.weight.dtype
        position = positional_encoding(points, POSITION_OCTAVES).to(dtype)
        view = positional_encoding(views, VIEW_OCTAVES).to(dtype).unsqueeze(-2)
        condition = condition.to(dtype).unsqueeze(-2)
        hidden = F.relu(self.position_in(position) + self.condition_in(condition))
        for index, layer in enumerate(self.layers, start=1):
            hidden = layer(hidden)
            if index == self.again:
                hidden = hidden + self.position_again(position) + self.condition_again(condition)
            hidden = F.relu(hidden)
        # Nearly transparent at first: rays then see through to where the pictures agree.
        density = F.softplus(self.density_out(hidden).squeeze(-1).float() - 4)
        colour = F.relu(self.colour_in(hidden) + self.view_in(view))
        for layer in self.colour_layers:
            colour = F.relu(layer(colour))
        return torch.sigmoid(self.colour_out(colour).float()), density
