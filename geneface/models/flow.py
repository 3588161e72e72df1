"""The prior of the motion generator: a normalising flow over the latent sequence (Section 3.1, Appendix A.1)."""

import torch
from torch import nn

from geneface.models.wavenet import WaveNet


class CouplingLayer(nn.Module):
    """Affine coupling: the first half of the channels sets shift and bounded scale of the second half."""

    def __init__(
        self,
        latent_channels: int,
        condition_channels: int,
        hidden_channels: int,
        kernel_size: int,
        layers: int,
        max_log_scale: float = 1.0,
        causal: bool = False,
    ):
        super().__init__()
        if latent_channels % 2:
            raise ValueError(f"latent_channels must be even, not {latent_channels}")
        half = latent_channels // 2
        self.max_log_scale = max_log_scale
        self.pre = nn.Conv1d(half, hidden_channels, 1)
        self.wavenet = WaveNet(hidden_channels, condition_channels, kernel_size, layers, 1, causal=causal)
        self.post = nn.Conv1d(hidden_channels, latent_channels, 1)
        nn.init.zeros_(self.post.weight)
        nn.init.zeros_(self.post.bias)  # type: ignore[arg-type]

    def _affine(self, fixed: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        shift, scale = self.post(self.wavenet(self.pre(fixed), condition)).chunk(2, dim=1)
        return shift, self.max_log_scale * torch.tanh(scale / self.max_log_scale)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fixed, moved = x.chunk(2, dim=1)
        shift, log_scale = self._affine(fixed, condition)
        return torch.cat([fixed, moved * log_scale.exp() + shift], dim=1), log_scale.sum(dim=(1, 2))

    def inverse(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        fixed, moved = x.chunk(2, dim=1)
        shift, log_scale = self._affine(fixed, condition)
        return torch.cat([fixed, (moved - shift) * (-log_scale).exp()], dim=1)


class ConditionalFlow(nn.Module):
    """Coupling layers with channel flips between them; latent [B, C, N] <-> Gaussian [B, C, N].

    A latent step sees `left` steps of the other side and of the condition [B, C_c, N] before it, `right` after it.
    """

    def __init__(
        self,
        latent_channels: int,
        condition_channels: int,
        hidden_channels: int,
        kernel_size: int,
        layers: int,
        coupling_layers: int,
        causal: bool = False,
    ):
        super().__init__()
        self.couplings = nn.ModuleList(
            CouplingLayer(
                latent_channels, condition_channels, hidden_channels, kernel_size, coupling_layers, causal=causal
            )
            for _ in range(layers)
        )
        nets = [coupling.wavenet for coupling in self.couplings]
        self.left: int = sum(net.left for net in nets)  # type: ignore[union-attr, misc]
        self.right: int = sum(net.right for net in nets)  # type: ignore[union-attr, misc]
        self.radius = max(self.left, self.right)

    def forward(self, latent: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """-> (Gaussian [B, C, N], log |det of the Jacobian| [B])"""
        log_det = latent.new_zeros(len(latent))
        for coupling in self.couplings:
            latent, change = coupling(latent, condition)
            latent, log_det = latent.flip(1), log_det + change
        return latent, log_det

    def inverse(self, gaussian: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        for coupling in reversed(self.couplings):
            gaussian = coupling.inverse(gaussian.flip(1), condition)  # type: ignore[operator]
        return gaussian
