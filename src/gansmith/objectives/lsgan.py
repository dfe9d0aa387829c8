"""Least-squares loss (LSGAN): squared distances of the scores from target values for real and fake.

Mao, Li, Xie, Lau, Wang, Smolley 2017, "Least Squares Generative Adversarial Networks", Eq. 2; by default Eq. 9.
"""

from __future__ import annotations

from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.errors import OptionError
from gansmith.objectives.parts.steps import always
from gansmith.system.option_types import FiniteFloat, PositiveFloat, SmallInt


def build(
    *,
    a: FiniteFloat = 0.0,
    b: FiniteFloat = 1.0,
    c: FiniteFloat = 1.0,
    generator_factor: PositiveFloat = 0.5,
    discriminator_steps: SmallInt = 1,
) -> Objective:
    """Discriminator: ((D(real) - b)^2 + (D(fake) - a)^2) / 2. Generator: generator_factor (D(fake) - c)^2.

    a, b: the discriminator's targets for fakes and reals; b below 1 is one-sided label smoothing. c: the generator's
    target for its images. generator_factor: 1/2 in the paper; 1 in Zhu et al. 2017 (CycleGAN). discriminator_steps: for
    one of the generator. a, b, c of Eq. 8: -1, 1, 0; of Eq. 9: 0, 1, 1. Raises OptionError unless a lies below b and c.

    >>> import torch
    >>> build().discriminator(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    for name, value in {"b": b, "c": c}.items():
        if value <= a:
            raise OptionError(
                f"objectives/lsgan: {name} = {value:g} must be above a = {a:g}, what fakes should score. "
                f"The paper takes a, b, c = 0, 1, 1 or -1, 1, 0"
            )

    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return ((real - b).square() + (fake - a).square()) / 2

    def generator(real: Tensor | None, fake: Tensor) -> Tensor:
        return generator_factor * (fake - c).square()

    return Objective(discriminator, generator, threshold=(a + b) / 2, discriminator_steps=always(discriminator_steps))
