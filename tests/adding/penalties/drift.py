"""Drift: squared real scores, which keep the discriminator's scores near zero.

Karras, Aila, Laine, Lehtinen 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
appendix A.1, which gives it the weight 0.001.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansmith.adversarial import Scores, Weighted
from gansmith.schedules import Weight, schedule
from gansmith.system.option_types import PositiveInt


def build(*, weight: Weight = 0.001, every: PositiveInt = 1) -> Weighted:
    """weight: a number or a schedule. every: steps from one to the next, which also multiply the weight.

    >>> build(weight=0.5).weight(0)
    0.5
    """
    return Weighted(penalty, schedule(weight), every, per_sample=False)


def penalty(discriminator: nn.Module, scores: Scores, rng: torch.Generator) -> Tensor:
    """Squared real scores: [B, ...]."""
    return scores.real.square()
