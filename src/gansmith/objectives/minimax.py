"""Minimax: both sides play for the same value, the form in which the game was first written.

Goodfellow et al. 2014, "Generative Adversarial Nets", Eq. 1. The generator minimises log(1 - D(G(z))), whose gradient
vanishes while the discriminator wins easily; use `nonsaturating` to train, this one to see why.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective


def build() -> Objective:
    """Discriminator: -log D(real) - log(1 - D(fake)). Generator: log(1 - D(fake))."""
    return Objective(discriminator, generator, threshold=0.0)


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real) + F.softplus(fake)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return -F.softplus(fake)  # Eq. 1: log(1 - sigmoid(s)) = -softplus(s)
