"""Conditional batch normalisation: scale and shift of each image depend on its class or on a vector.

Dumoulin, Shlens, Kudlur 2017, "A Learned Representation for Artistic Style" (a scale and shift for each class);
de Vries et al. 2017, "Modulating early visual processing by language" (computed from a vector).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation with the signature of the conditional one: features [B, C, H, W] -> the same shape."""

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(x)


class ConditionalBatchNorm(nn.BatchNorm2d):
    """Conditional batch normalisation: features [B, C, H, W] -> (1 + scale(condition)) normalised + shift(condition).

    scale, shift: labels [B], or vectors [B, D] -> [B, C].
    """

    def __init__(self, channels: int, scale: nn.Module, shift: nn.Module) -> None:
        super().__init__(channels, affine=False)
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]
        x = super().forward(x)
        scale = (1 + self.scale(condition)).to(x.dtype)
        shift = self.shift(condition).to(x.dtype)
        return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None])
