"""Minimax loss: both sides play for the same value, the form in which the game was first written.

Goodfellow et al. 2014, "Generative Adversarial Nets", Eq. 1. The generator minimises log(1 - D(G(z))), whose gradient
vanishes while the discriminator wins easily; use `nonsaturating` to train, this one to see why.
"""

from __future__ import annotations

from functools import partial

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.objectives.parts.steps import always
from gansmith.system.option_types import FractionToHalf, SmallInt


def build(*, smoothing: FractionToHalf = 0.0, discriminator_steps: SmallInt = 1) -> Objective:
    """Discriminator: -log D(real) - log(1 - D(fake)). Generator: log(1 - D(fake)).

    smoothing: the discriminator's label of real images is 1 less this, that of fake ones stays 0 (Salimans et al. 2016,
    "Improved Techniques for Training GANs", section 3.4: one-sided label smoothing). discriminator_steps: for one of
    the generator, k of Algorithm 1.

    >>> import torch
    >>> round(build().generator(None, torch.tensor(0.0)).item(), 4)
    -0.6931
    """
    return Objective(
        partial(discriminator, smoothing=smoothing),
        generator,
        threshold=0.0,
        discriminator_steps=always(discriminator_steps),
    )


def discriminator(real: Tensor, fake: Tensor, *, smoothing: float = 0.0) -> Tensor:
    # cross entropy with the label 1 - e: (1 - e) softplus(-s) + e softplus(s) = softplus(-s) + e s
    return F.softplus(-real) + smoothing * real + F.softplus(fake)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return -F.softplus(fake)  # Eq. 1: log(1 - sigmoid(s)) = -softplus(s)
