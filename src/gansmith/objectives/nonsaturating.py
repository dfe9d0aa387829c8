"""Non-saturating: binary cross entropy, real labels 1, fake labels 0, the generator on flipped labels.

Goodfellow et al. 2014, "Generative Adversarial Nets", section 3 (its last paragraph: the generator maximises
log D(G(z))). With raw scores s, D = sigmoid(s): -log D = softplus(-s) and -log(1 - D) = softplus(s).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective


def build() -> Objective:
    """Discriminator: -log D(real) - log(1 - D(fake)). Generator: -log D(fake)."""
    return Objective(discriminator, generator, threshold=0.0)


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real) + F.softplus(fake)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return F.softplus(-fake)
