"""Relativistic hinge loss with margin 1: real and fake scores are compared pair by pair.

Jolicoeur-Martineau 2019, "The relativistic discriminator: a key element missing from standard GAN", section 4.2, with
the pairing of its RpGANs.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.errors import GansmithError


def build() -> Objective:
    """Discriminator: max(0, 1 - (D(real) - D(fake))). Generator: max(0, 1 - (D(fake) - D(real))).

    >>> import torch
    >>> build().discriminator(torch.tensor([2.0, 0.5]), torch.tensor([0.0, 0.5])).tolist()
    [0.0, 1.0]
    """
    return Objective(discriminator, generator, relativistic=True)


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - (real - fake))


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """Loss [B, ...] of the generator. Raises GansmithError without real scores."""
    if real is None:
        raise GansmithError("relativistic_hinge compares fake scores with real ones: its generator needs both")
    return F.relu(1 - (fake - real))
