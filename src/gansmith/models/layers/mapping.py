"""Mapping network: latents, and an embedding of the class beside them, to the space W of styles.

Karras, Laine, Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks", section 2 and
section C of the appendix; the class as in the authors' code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansmith.models.layers.conditional import ClassEmbedding, labels_of
from gansmith.models.layers.equalised import EqualisedLinear

_RATE = 0.01  # of the learning rate (section C)


class Mapping(nn.Module):
    """Latents [B, Z], and labels [B] where there are classes -> w [B, W], in float32 or better.

    latent: Z; with 0 it reads labels alone. Latent and embedding are divided by the root of their mean square, each by
    itself. depth: layers with leaky ReLU. role: of the network that it is a part of, for errors.
    """

    def __init__(self, latent: int, classes: int, width: int, depth: int, *, role: str = "generator") -> None:
        super().__init__()
        self.embedding = ClassEmbedding(classes, width) if classes else None  # N(0, 1)
        sizes = [latent + (width if classes else 0), *[width] * depth]
        self.layers = nn.Sequential(
            *(EqualisedLinear(sizes[k], sizes[k + 1], rate=_RATE, active=True) for k in range(depth))
        )
        self.width, self.role = width, role

    def forward(self, z: Tensor | None, label: Tensor | None = None) -> Tensor:
        parts = [] if z is None else [_normalised(z)]
        if self.embedding is not None:
            parts.append(_normalised(self.embedding(labels_of(self.role, label))))
        w: Tensor = self.layers(torch.cat(parts, dim=1))
        return w


def _normalised(x: Tensor) -> Tensor:
    """Each row divided by the root of its mean square ("pixel norm")."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)
