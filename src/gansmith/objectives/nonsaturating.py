"""Non-saturating loss: binary cross-entropy with labels 1 for real and 0 for fake; the generator's labels are flipped.

Goodfellow et al. 2014, "Generative Adversarial Nets", section 3 (its last paragraph: the generator maximises
log D(G(z))). With raw scores s, D = sigmoid(s): -log D = softplus(-s) and -log(1 - D) = softplus(s).
"""

from __future__ import annotations

from functools import partial

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.objectives.parts.steps import always
from gansmith.system.option_types import FractionToHalf, SmallInt


def build(*, smoothing: FractionToHalf = 0.0, discriminator_steps: SmallInt = 1) -> Objective:
    """Discriminator: -log D(real) - log(1 - D(fake)). Generator: -log D(fake).

    smoothing: the discriminator's label of real images is 1 less this, that of fake ones stays 0 (Salimans et al. 2016,
    "Improved Techniques for Training GANs", section 3.4: one-sided label smoothing). discriminator_steps: for one of
    the generator, k of Algorithm 1.

    >>> import torch
    >>> round(build().generator(None, torch.tensor(0.0)).item(), 4)
    0.6931
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
    return F.softplus(-fake)
