"""DRAGAN: the non-saturating game with a penalty on the discriminator's slopes round the real images.

Kodali, Abernethy, Hays, Kira 2017, "On Convergence and Stability of GANs".
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.penalties import dragan
from gansmith.penalties.parts.options import Every, NotNegative
from gansmith.schedules import Weight


def build(*, weight: Weight = 10.0, every: Every = 1, spread: NotNegative = 0.5, one_sided: bool = False) -> Objective:
    """Discriminator: -log D(real) - log(1 - D(fake)) + weight (|slope| - 1)^2. Generator: -log D(fake).

    weight, every, spread (of the noise), one_sided: of the penalty.
    """
    penalty = dragan.build(weight=weight, every=every, spread=spread, one_sided=one_sided)
    return Objective(discriminator, generator, threshold=0.0, penalties={"dragan": penalty})


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real) + F.softplus(fake)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return F.softplus(-fake)
