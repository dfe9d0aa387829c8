"""R1 penalty: the squared gradient of the discriminator's score at real images.

Mescheder, Geiger, Nowozin 2018, "Which Training Methods for GANs do actually Converge?", section 4.1. Their penalty is
gamma/2 |gradient|^2; the `weight` here is that gamma/2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansmith.adversarial import Scores, Weighted
from gansmith.penalties.parts.slopes import slopes
from gansmith.schedules import Weight, schedule
from gansmith.system.option_types import PositiveInt


def build(*, weight: Weight = 5.0, every: PositiveInt = 1) -> Weighted:
    """weight: gamma/2, so that 5 is the paper's gamma of 10; a number or a schedule. every: steps from one to the next,
    which also multiply the weight (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", lazy
    regularization).

    >>> [build(every=16).due(step) for step in (0, 15, 16)]
    [True, False, True]
    """
    return Weighted(penalty, schedule(weight), every)


def penalty(discriminator: nn.Module, scores: Scores, rng: torch.Generator) -> Tensor:
    """|gradient of the real score by the real image|^2: [B]. It re-uses the pass that the scores came from."""
    return slopes(scores.real, scores.shown_real.image).square().sum(1)
