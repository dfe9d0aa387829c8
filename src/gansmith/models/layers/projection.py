"""Projection head of a discriminator: a linear score of the features plus their inner product with a class embedding.

Miyato, Koyama 2018, "cGANs with Projection Discriminator", eq. 3: f(x, y) = y' V phi(x) + psi(phi(x)).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansmith.models.layers.conditional import labels_of
from gansmith.models.layers.spectral import embedding, linear


class Projection(nn.Module):
    """Projection head: features phi(x) [B, D] and labels [B] -> raw scores [B]; without classes psi alone.

    In float32 or better, under autocast too.
    """

    def __init__(self, features: int, classes: int, *, spectral: bool, bias: bool = True) -> None:
        super().__init__()
        self.score = linear(features, 1, spectral=spectral, bias=bias)  # psi
        self.table = embedding(classes, features, spectral=spectral) if classes else None  # V

    def forward(self, features: Tensor, label: Tensor | None) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            scores: Tensor = self.score(features).squeeze(1)
            if self.table is None:
                return scores
            rows: Tensor = self.table(labels_of("discriminator", label))
            return scores + (rows * features).sum(1)


def pooled(x: Tensor, *, mean: bool = False) -> Tensor:
    """Global sum or mean pooling: features [B, C, H, W] -> [B, C], in float32 or better."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    return x.mean((2, 3), dtype=dtype) if mean else x.sum((2, 3), dtype=dtype)
