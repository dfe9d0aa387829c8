"""Relativistic loss with R1 and R2 (R3GAN): real and fake scores are compared pair by pair.

Huang, Gokaslan, Kuleshov, Tompkin 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN", section 2: the
relativistic pairing of Jolicoeur-Martineau 2019 with R1 and R2 of Mescheder, Geiger, Nowozin 2018.
"""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.errors import GansmithError
from gansmith.objectives.parts.steps import always
from gansmith.penalties import r1, r2
from gansmith.schedules import Schedule, Value, Weight, schedule
from gansmith.system.option_types import PositiveInt, SmallInt


def build(*, gamma: Weight = 1.0, every: PositiveInt = 1, discriminator_steps: SmallInt = 1) -> Objective:
    """Discriminator: softplus(D(fake) - D(real)) + gamma/2 (R1 + R2). Generator: softplus(D(real) - D(fake)).

    Real and fake are paired one to one. gamma: a number or a schedule; the paper takes from 0.05 (CIFAR-10) to 150
    (FFHQ at 256 px), each falling to a tenth. every: steps from one penalty to the next, which also multiply gamma.
    discriminator_steps: for one of the generator.

    >>> objective = build(gamma=2.0)
    >>> {name: term.weight(0) for name, term in objective.penalties.items()}
    {'r1': 1.0, 'r2': 1.0}
    """
    halved = half(gamma)
    penalties = {name: penalty.build(every=every) for name, penalty in (("r1", r1), ("r2", r2))}
    return Objective(
        discriminator,
        generator,
        relativistic=True,
        penalties={name: replace(term, weight=halved) for name, term in penalties.items()},
        discriminator_steps=always(discriminator_steps),
    )


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(fake - real)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    """softplus(D(real) - D(fake)): [B, ...]. Raises GansmithError without real scores."""
    if real is None:
        raise GansmithError("r3gan compares fake scores with real ones: its generator needs both")
    return F.softplus(real - fake)


def half(value: Value) -> Schedule:
    """The schedule of half a value."""
    whole = schedule(value)
    return lambda images: whole(images) / 2
