"""DRAGAN's gradient penalty: gradients of length 1 at noisy real images.

Kodali, Abernethy, Hays, Kira 2017, "On Convergence and Stability of GANs".
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from gansmith.adversarial import Scores, Weighted, exact
from gansmith.penalties.parts.slopes import from_target, slopes
from gansmith.schedules import Weight, schedule
from gansmith.system import collectives, sharing
from gansmith.system.option_types import NonNegativeFloat, PositiveInt
from gansmith.system.sharing import drawn


def build(
    *,
    weight: Weight = 10.0,
    every: PositiveInt = 1,
    spread: NonNegativeFloat = 0.5,
    target: NonNegativeFloat = 1.0,
    one_sided: bool = False,
) -> Weighted:
    """weight: lambda, a number or a schedule. every: steps from one to the next, which also multiply the weight.
    spread: the noise's standard deviation, in standard deviations of the batch. target: the length (k) that slopes are
    drawn to. one_sided: only longer slopes are penalised.

    >>> build(weight=5).weight(0)
    5.0
    """
    return Weighted(partial(penalty, spread=spread, target=target, one_sided=one_sided), schedule(weight), every)


def penalty(
    discriminator: nn.Module,
    scores: Scores,
    rng: torch.Generator,
    *,
    spread: float,
    target: float,
    one_sided: bool,
) -> Tensor:
    """(|gradient at a real image with noise| - target)^2: [B].

    The discriminator is called once more, with the labels of the real images.
    """
    image, label = scores.shown_real.image.detach(), scores.shown_real.label
    shape = image.shape[1:]
    noise = drawn(lambda n: torch.randn(n, *shape, generator=rng, device=rng.device), len(image)).to(image)
    # Differs: the paper's noise has one variance of about 10, in units that it does not give, because only a scale that
    # follows the images means the same for all of them; half the batch's deviation is that of the authors' code.
    near = (image + spread * _deviation(image) * noise).requires_grad_()
    return from_target(slopes(exact(discriminator(near, label)), near), target, one_sided)


def _deviation(image: Tensor) -> Tensor:
    """The standard deviation [] of all pixels of the global batch."""
    if not sharing.shared():
        return image.std(correction=0)
    return collectives.mean((image - collectives.mean(image, None)).square(), None).sqrt()
