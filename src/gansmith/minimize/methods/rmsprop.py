"""RMSprop: torch's. Tieleman, Hinton 2012, "Neural Networks for Machine Learning", lecture 6.5."""

from __future__ import annotations

import torch

from gansmith.minimize.method import Method, torch_step
from gansmith.system.option_types import FractionBelowOne, NonNegativeFloat, PositiveFloat


def build(
    *,
    lr: PositiveFloat = 1e-2,
    alpha: FractionBelowOne = 0.99,
    eps: PositiveFloat = 1e-8,
    momentum: FractionBelowOne = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
) -> Method:
    """alpha: decay of the mean square gradient. With a constant rate the steps do not become small near a minimum.

    >>> from gansmith.minimize import minimize
    >>> round(minimize(lambda x: x * x, 1.0, method="rmsprop", lr=0.05, iterations=1).x, 4)
    0.5
    """
    options = {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum, "weight_decay": weight_decay}
    return Method(torch_step(torch.optim.RMSprop, options))
