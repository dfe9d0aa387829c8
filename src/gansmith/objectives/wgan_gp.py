"""Wasserstein loss with gradient penalty (WGAN-GP), in place of clamped weights.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017, "Improved Training of Wasserstein GANs", Algorithm 1.
"""

from __future__ import annotations

from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.objectives.parts.steps import always
from gansmith.penalties import gradient_penalty
from gansmith.schedules import Weight
from gansmith.system.option_types import PositiveInt, SmallInt

OPTIMIZER = {"name": "adam", "lr": 1e-4, "betas": [0.0, 0.9]}  # Algorithm 1


def build(
    *, weight: Weight = 10.0, every: PositiveInt = 1, one_sided: bool = False, discriminator_steps: SmallInt = 5
) -> Objective:
    """Discriminator: D(fake) - D(real) + weight (|slope| - 1)^2. Generator: -D(fake).

    weight, every, one_sided: of the penalty. discriminator_steps: for one of the generator.

    >>> objective = build()
    >>> [*objective.penalties], objective.discriminator_steps(0)
    (['gradient_penalty'], 5)
    """
    return Objective(
        discriminator,
        generator,
        penalties={"gradient_penalty": gradient_penalty.build(weight=weight, every=every, one_sided=one_sided)},
        discriminator_steps=always(discriminator_steps),
    )


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake - real


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return -fake
