"""LeCam: the hinge game with scores held near moving averages, for few training images.

Tseng, Jiang, Liu, Yang, Yang 2021, "Regularizing Generative Adversarial Networks under Limited Data", section 3, on
the hinge losses of its BigGAN experiments.
"""

from __future__ import annotations

from typing import Annotated

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.objectives.parts.steps import Steps, always
from gansmith.penalties import lecam
from gansmith.penalties.parts.options import Every
from gansmith.schedules import Weight

Share = Annotated[float, Field(ge=0, lt=1)]


def build(
    *,
    weight: Weight = 0.3,
    every: Every = 1,
    decay: Share = 0.99,
    rectified: bool = False,
    discriminator_steps: Steps = 1,
) -> Objective:
    """Discriminator: max(0, 1 - D(real)) + max(0, 1 + D(fake)) + weight (LeCam). Generator: -D(fake).

    weight, every, decay (of the averages), rectified: of the penalty. discriminator_steps: for one of the generator.
    """
    penalty = lecam.build(weight=weight, every=every, decay=decay, rectified=rectified)
    return Objective(
        discriminator,
        generator,
        threshold=0.0,
        penalties={"lecam": penalty},
        discriminator_steps=always(discriminator_steps),
    )


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real) + F.relu(1 + fake)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return -fake
