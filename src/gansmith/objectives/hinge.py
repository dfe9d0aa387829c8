"""Hinge loss with margin 1: scores beyond the margin on their own side cost nothing.

Lim, Ye 2017, "Geometric GAN"; Miyato, Kataoka, Koyama, Yoshida 2018, "Spectral Normalization for Generative
Adversarial Networks", section 4.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from gansmith.adversarial import Objective
from gansmith.objectives.parts.steps import always
from gansmith.system.option_types import SmallInt


def build(*, discriminator_steps: SmallInt = 1) -> Objective:
    """Discriminator: max(0, 1 - D(real)) + max(0, 1 + D(fake)). Generator: -D(fake).

    discriminator_steps: for one of the generator; 5 for Miyato et al. 2018 on CIFAR-10, 2 for BigGAN on ImageNet.

    >>> import torch
    >>> build().discriminator(torch.tensor([2.0, 0.5]), torch.tensor([-2.0, 0.5])).tolist()
    [0.0, 2.0]
    """
    return Objective(discriminator, generator, threshold=0.0, discriminator_steps=always(discriminator_steps))


def discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real) + F.relu(1 + fake)


def generator(real: Tensor | None, fake: Tensor) -> Tensor:
    return -fake
