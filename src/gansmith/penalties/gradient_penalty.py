"""Gradient penalty: gradients of length 1 at random points between real and generated images.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017, "Improved Training of Wasserstein GANs", Eq. 3 and Algorithm 1.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gansmith.adversarial import Scores, Weighted, exact
from gansmith.penalties.parts.slopes import from_target, slopes
from gansmith.schedules import Weight, schedule
from gansmith.system.option_types import NonNegativeFloat, PositiveInt
from gansmith.system.sharing import drawn


def build(
    *, weight: Weight = 10.0, every: PositiveInt = 1, target: NonNegativeFloat = 1.0, one_sided: bool = False
) -> Weighted:
    """weight: lambda, a number or a schedule. every: steps from one to the next, which also multiply the weight.
    target: the length that slopes are drawn to. one_sided: only longer slopes are penalised (section 4).

    >>> [build(every=4).due(step) for step in (0, 1, 4)]
    [True, False, True]
    """
    return Weighted(partial(penalty, target=target, one_sided=one_sided), schedule(weight), every)


def penalty(
    discriminator: nn.Module, scores: Scores, rng: torch.Generator, *, target: float, one_sided: bool
) -> Tensor:
    """(|gradient at a random point between a real and a fake image| - target)^2: [B].

    The discriminator is called once more, with the labels of the real images.
    """
    real, fake = scores.shown_real, scores.shown_fake
    shape = [1] * (real.image.dim() - 1)
    share = drawn(lambda n: torch.rand(n, *shape, generator=rng, device=rng.device), len(real.image))
    between = torch.lerp(real.image.detach(), fake.image.detach(), share.to(real.image.dtype)).requires_grad_()
    return from_target(slopes(exact(discriminator(between, real.label)), between), target, one_sided)
